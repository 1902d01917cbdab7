//! Dead letters sent again.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use listener_kit::log;

use crate::delivery::{Deliver, Endpoint, Failure};
use crate::letters::{self, Letter};
use crate::options::Options;

/// What became of the letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Count {
    delivered: usize,
    kept: usize,
}

/// Delivers the letters in the file. Success: none is left.
pub(crate) fn run(options: &Options, endpoint: &Endpoint) -> ExitCode {
    let Some(path) = &options.dead_letters else {
        return ExitCode::FAILURE;
    };
    let result = replay(path, &mut endpoint.clone());
    // The exit code tells as much.
    let _ = match &result {
        Ok(count) => writeln!(
            log(),
            "{} letters delivered, {} kept",
            count.delivered,
            count.kept
        ),
        Err(error) => writeln!(log(), "webhook: {}: {error}", path.display()),
    };
    match result {
        Ok(Count { kept: 0, .. }) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Works on a file aside, so that a listener can go on writing letters, and so that a replay that is killed loses none: the
/// next one takes up what it left, perhaps with letters that were delivered.
fn replay(path: &Path, deliver: &mut impl Deliver) -> io::Result<Count> {
    let mut count = Count::default();
    let aside = aside(path);
    if !path.exists() && !aside.exists() {
        return Ok(count);
    }
    let mut file = open_alone(&aside)?;
    letters::move_to(path, &mut file)?;
    let mut down = false;
    for line in letters::lines(&aside)? {
        let kept = match down {
            true => Some(line),
            false => send(line, deliver, &mut down),
        };
        match kept {
            Some(line) => {
                letters::append(path, format!("{line}\n").as_bytes())?;
                count.kept += 1;
            }
            None => count.delivered += 1,
        }
    }
    fs::remove_file(&aside)?;
    Ok(count)
}

/// Delivers the letter in a line, once. Returns the line to keep, if any; sets `down` if it makes no sense to go on.
fn send(line: String, deliver: &mut impl Deliver, down: &mut bool) -> Option<String> {
    let Ok(mut letter) = serde_json::from_str::<Letter>(&line) else {
        return Some(line);
    };
    match deliver.deliver(&letter.events) {
        Ok(()) => return None,
        Err(Failure::Lasting(reason)) => letter.error = reason,
        Err(Failure::Passing { reason, .. }) => {
            letter.error = reason;
            *down = true;
        }
    }
    Some(serde_json::to_string(&letter).unwrap_or(line))
}

/// Where the letters in hand are.
fn aside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".replay");
    name.into()
}

/// Opens the file aside for this replay only.
fn open_alone(aside: &Path) -> io::Result<File> {
    let file = letters::open(aside)?;
    let locked = file.try_lock().is_ok();
    // A replay that ended just now has removed the file it had locked.
    if !locked || file.metadata()?.nlink() == 0 {
        return Err(io::Error::other("another replay is under way"));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Notice;
    use crate::notice::tests::notice;

    /// Delivers events by their numbers.
    struct ByNumber(fn(&str) -> Result<(), Failure>);

    impl Deliver for ByNumber {
        fn deliver(&mut self, notices: &[Notice]) -> Result<(), Failure> {
            self.0(&notices[0].field("when"))
        }
    }

    /// A file with letters about ticks 1 to 4 and a line that is none.
    fn letters(dir: &Path) -> PathBuf {
        let path = dir.join("dead");
        let events = [1, 2, 3, 4].map(|when| notice("TICK_5", &format!("when:{when}")));
        crate::letters::Letters::new(Some(path.clone())).keep_all(&events, "status 500", 1);
        letters::append(&path, b"what is this\n").expect("a file");
        path
    }

    /// The numbers and errors of the letters that are left.
    fn left(path: &Path) -> Vec<String> {
        let lines = letters::lines(path).expect("a file");
        let line = |line: String| match serde_json::from_str::<Letter>(&line) {
            Ok(letter) => format!("{} {}", letter.events[0].field("when"), letter.error),
            Err(_) => line,
        };
        lines.into_iter().map(line).collect()
    }

    #[test]
    fn what_is_refused_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = letters(dir.path());
        let mut deliver = ByNumber(|when| match when {
            "2" => Err(Failure::Lasting("status 400".into())),
            _ => Ok(()),
        });
        let count = replay(&path, &mut deliver).expect("files");
        assert_eq!((count.delivered, count.kept), (3, 2));
        assert_eq!(left(&path), ["2 status 400", "what is this"]);
        assert!(!aside(&path).exists());
    }

    #[test]
    fn a_server_that_is_down_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = letters(dir.path());
        let mut deliver = ByNumber(|when| match when {
            "2" => Err(Failure::Passing {
                reason: "down".into(),
                after: None,
            }),
            "1" => Ok(()),
            _ => panic!("it was left alone"),
        });
        let count = replay(&path, &mut deliver).expect("files");
        assert_eq!((count.delivered, count.kept), (1, 4));
        assert_eq!(
            left(&path),
            ["2 down", "3 status 500", "4 status 500", "what is this"]
        );
    }

    #[test]
    fn what_a_killed_replay_left_comes_first() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = letters(dir.path());
        fs::rename(&path, aside(&path)).expect("files");
        let count = replay(&path, &mut ByNumber(|_| Ok(()))).expect("files");
        assert_eq!((count.delivered, count.kept), (4, 1));
    }

    #[test]
    fn one_replay_at_a_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = letters(dir.path());
        let other = open_alone(&aside(&path)).expect("the first");
        let error = replay(&path, &mut ByNumber(|_| Ok(()))).expect_err("the second");
        assert_eq!(error.to_string(), "another replay is under way");
        drop(other);
        assert!(replay(&path, &mut ByNumber(|_| Ok(()))).is_ok());
        let none = replay(&dir.path().join("none"), &mut ByNumber(|_| Ok(())));
        assert_eq!(none.expect("nothing to do"), Count::default());
    }
}
