//! Who keeps a shutdown waiting, from what the server logs. Calls are refused by then.

/// The last report of the server, less those who have stopped since.
#[derive(Debug, Default)]
pub(super) struct Remaining {
    names: Vec<String>,
    /// The beginning of a line whose end has not come yet.
    begun: String,
}

/// What the server says every few seconds while it waits, before the names.
const REPORT: &str = "waiting for ";

/// And behind them.
const REPORT_END: &str = " to die";

/// What it says when a process has ended, before the name.
const STOPPED: &str = "stopped: ";

impl Remaining {
    /// Reads another piece of the log.
    pub(super) fn read(&mut self, log: &[u8]) {
        self.begun += &String::from_utf8_lossy(log);
        while let Some((line, rest)) = self.begun.split_once('\n') {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            self.read_line(&line);
            self.begun = rest;
        }
    }

    /// Processes that are known to be still there; supervisord if none is.
    pub(super) fn names(&self) -> Vec<String> {
        match self.names.as_slice() {
            [] => vec!["supervisord".to_owned()],
            names => names.to_vec(),
        }
    }

    fn read_line(&mut self, line: &str) {
        if let Some((_, rest)) = line.split_once(REPORT)
            && let Some((names, _)) = rest.rsplit_once(REPORT_END)
        {
            self.names = names.split(", ").map(str::to_owned).collect();
        } else if let Some((_, rest)) = line.split_once(STOPPED) {
            let stopped = rest.split(" (").next();
            self.names.retain(|name| Some(name.as_str()) != stopped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_and_stops_are_read() {
        let mut remaining = Remaining::default();
        let steps = [
            ("", "supervisord"),
            ("d 1 INFO waiting for cat, dog to die\n", "cat dog"),
            ("d 1 INFO stopped: c", "cat dog"),
            ("at (terminated by SIGTERM)\n", "dog"),
            (
                "noise\nd 1 INFO waiting for dog, bird to die\nmore",
                "dog bird",
            ),
            (
                "\nd 1 INFO stopped: dog (exit status 0)\n1 INFO stopped: bird (x)\n",
                "supervisord",
            ),
        ];
        for (log, expected) in steps {
            remaining.read(log.as_bytes());
            assert_eq!(remaining.names().join(" "), expected, "{log}");
        }
    }
}
