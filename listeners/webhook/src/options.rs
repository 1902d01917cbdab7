//! The command line.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

use getopt::{Spec, getopt};
use listener_kit::{Refusal, duration, given, integer};
use ureq::http::{HeaderName, HeaderValue, Uri};

use crate::filter::Filter;
use crate::letters::Letters;
use crate::template::Template;

/// What `--help` shows.
pub(crate) const USAGE: &str = r#"webhook [options] [URL]

Posts the events it gets to a URL, as JSON. Which types of events those are is
up to "events=" in its section. Without an argument the URL is taken from the
environment variable WEBHOOK_URL, where nobody sees it in a list of processes.

Options:

-p -- Tell only of this process, "process", "group:process" or "group:*". May
      be given several times, also together with -g.

-g -- Tell only of processes of this group, and of the group itself. May be
      given several times.

-t -- The body to post: a text in which {fields} are filled in, or @ and the
      name of a file with one. Without it the body is the event as a JSON
      object; with -b, an array of them.

-c -- The type of the body. Default: application/json. If the word json is
      part of it, fields are filled in as within JSON strings.

-H -- A header to send, "Name: value". May be given several times.

-b -- Put up to this many events in one request. Default: 1.

-i -- How many seconds an event may wait for others with -b. Default: 5.

-T -- How many seconds a request may take. Default: 10.

-r -- How often to try again what failed. Default: 5.

-w -- How many seconds to wait before trying again, doubled each time up to a
      minute. Default: 1.

-d -- A file for events that could not be delivered, one JSON object a line.
      Without it they are only written to the log.

-q -- How many events may wait for delivery. Default: 1000. When so many do,
      the next stays with supervisord.

-S -- Answer each event only when it has been delivered, and let supervisord
      send it again otherwise. Not with -b.

-R -- Deliver what is in the file of -d, keep in it what fails again, and exit.

-k -- Do not verify the certificate of the server.

-h -- Show this text.

The long forms are --program=, --group=, --template=, --content-type=,
--header=, --batch=, --interval=, --timeout=, --retries=, --wait=,
--dead-letters=, --queue=, --sync, --replay, --insecure and --help.

Fields are eventname, server, serial, pool, poolserial, received, the fields
of the event such as processname, groupname, from_state, pid, tries, expected,
channel, type and when, and data, which is what follows them; state and
process, which are taken from others; summary, a line for people; and count,
the number of events in the request.

Example:

webhook -p web -t '{"text": "{summary}"}' -d /var/lib/webhook.dead https://hooks.example.com/T0/B0
"#;

const SPEC: Spec<'_> = Spec {
    short: "hp:g:t:c:H:b:i:T:r:w:d:q:SRk",
    long: &[
        "help",
        "program=",
        "group=",
        "template=",
        "content-type=",
        "header=",
        "batch=",
        "interval=",
        "timeout=",
        "retries=",
        "wait=",
        "dead-letters=",
        "queue=",
        "sync",
        "replay",
        "insecure",
    ],
};

const JSON: &str = "application/json";

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Answer events when they are queued.
    Queue,
    /// Answer events when they are delivered.
    Sync,
    /// Deliver dead letters.
    Replay,
}

/// What to tell whom, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// What to do.
    pub(crate) mode: Mode,
    /// Where to post.
    pub(crate) url: Uri,
    /// What to tell of.
    pub(crate) filter: Filter,
    /// The body; `None`: JSON objects.
    pub(crate) template: Option<Template>,
    /// Type of the body.
    pub(crate) content_type: HeaderValue,
    /// Headers to add.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Events in one request, at most.
    pub(crate) batch: usize,
    /// How long a first event waits for others.
    pub(crate) interval: Duration,
    /// How long a request may take.
    pub(crate) timeout: Duration,
    /// How often to try again.
    pub(crate) retries: u32,
    /// How long to wait before trying again for the first time.
    pub(crate) wait: Duration,
    /// Where undeliverable events go.
    pub(crate) dead_letters: Option<PathBuf>,
    /// How many events may wait.
    pub(crate) queue: usize,
    /// Whom not to verify.
    pub(crate) insecure: bool,
}

impl Options {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// When help is asked for, or one cannot be read.
    pub(crate) fn parse(args: &[String]) -> Result<Self, Refusal> {
        let parsed = getopt(args, SPEC).map_err(|error| complaint(error.to_string()))?;
        let mut options = Self::new(url(&parsed.rest));
        let mut template = None;
        for (option, value) in parsed.options {
            match option.as_str() {
                "-h" | "--help" => return Err(Refusal::Help),
                "-t" | "--template" => template = given(value),
                _ => options.set(&option, value)?,
            }
        }
        if options.url.authority().is_none()
            || !matches!(options.url.scheme_str(), Some("http" | "https"))
        {
            return Err(complaint("there must be one URL, with http or https"));
        }
        options.template = match template {
            Some(text) => Some(options.read_template(&text)?),
            None => None,
        };
        options.check()
    }

    /// The file of dead letters.
    pub(crate) fn letters(&self) -> Letters {
        Letters::new(self.dead_letters.clone())
    }

    fn new(url: Uri) -> Self {
        Self {
            mode: Mode::Queue,
            url,
            filter: Filter::default(),
            template: None,
            content_type: HeaderValue::from_static(JSON),
            headers: Vec::new(),
            batch: 1,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            retries: 5,
            wait: Duration::from_secs(1),
            dead_letters: None,
            queue: 1000,
            insecure: false,
        }
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), Refusal> {
        match option {
            "-p" | "--program" => self.filter.programs.push(value),
            "-g" | "--group" => self.filter.groups.push(value),
            "-c" | "--content-type" => self.content_type = header_value(&value)?,
            "-H" | "--header" => self.headers.push(header(&value)?),
            "-b" | "--batch" => self.batch = at_least_one(option, &value)?,
            "-i" | "--interval" => self.interval = time(option, &value)?,
            "-T" | "--timeout" => self.timeout = time(option, &value)?,
            "-r" | "--retries" => self.retries = number(option, &value)?,
            "-w" | "--wait" => self.wait = time(option, &value)?,
            "-d" | "--dead-letters" => self.dead_letters = given(value).map(PathBuf::from),
            "-q" | "--queue" => self.queue = at_least_one(option, &value)?,
            "-S" | "--sync" => self.mode = Mode::Sync,
            "-R" | "--replay" => self.mode = Mode::Replay,
            _ => self.insecure = true, // -k, --insecure
        }
        Ok(())
    }

    fn read_template(&self, text: &str) -> Result<Template, Refusal> {
        let read = |path| {
            fs::read_to_string(path)
                .map_err(|error| complaint(format!("cannot read {path}: {error}")))
        };
        let text = match text.strip_prefix('@') {
            Some(path) => read(path)?,
            None => text.to_owned(),
        };
        let json = self
            .content_type
            .to_str()
            .is_ok_and(|kind| kind.contains("json"));
        Template::parse(&text, json).map_err(|error| complaint(error.to_string()))
    }

    /// Looks for options that do not go together.
    fn check(self) -> Result<Self, Refusal> {
        match self.mode {
            Mode::Sync if self.batch > 1 => Err(complaint("--sync and --batch exclude each other")),
            Mode::Replay if self.dead_letters.is_none() => {
                Err(complaint("--replay needs --dead-letters"))
            }
            _ => Ok(self),
        }
    }
}

fn complaint(reason: impl Into<String>) -> Refusal {
    Refusal::Complaint(reason.into())
}

/// The URL given as the only word, or by the environment; an empty one if there is none.
fn url(words: &[String]) -> Uri {
    let text = match words {
        [] => env::var("WEBHOOK_URL").unwrap_or_default(),
        [url] => url.clone(),
        _ => String::new(),
    };
    text.parse().unwrap_or_default()
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), Refusal> {
    let unusable = || complaint(format!("no header: {text:?}"));
    let (name, value) = text.split_once(':').ok_or_else(unusable)?;
    let name = name.trim().parse().map_err(|_| unusable())?;
    Ok((name, header_value(value.trim())?))
}

fn header_value(text: &str) -> Result<HeaderValue, Refusal> {
    let value = text.parse();
    value.map_err(|_| complaint(format!("no value of a header: {text:?}")))
}

fn number<N: TryFrom<i64>>(option: &str, value: &str) -> Result<N, Refusal> {
    let number = integer(value).and_then(|number| N::try_from(number).ok());
    number.ok_or_else(|| complaint(format!("Unparseable value {value:?} for {option}")))
}

fn at_least_one(option: &str, value: &str) -> Result<usize, Refusal> {
    match number(option, value)? {
        0 => Err(complaint(format!("{option} must be at least 1"))),
        number => Ok(number),
    }
}

fn time(option: &str, value: &str) -> Result<Duration, Refusal> {
    let time = duration(value);
    time.ok_or_else(|| complaint(format!("Unparseable value {value:?} for {option}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, Refusal> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        Options::parse(&words)
    }

    #[test]
    fn every_option_is_read_in_both_spellings() {
        let short = [
            "-p",
            "a",
            "-g",
            "b",
            "-t",
            "{data}",
            "-c",
            "text/plain",
            "-H",
            "X-Key: secret",
            "-b",
            "3",
            "-i",
            "0.5",
            "-T",
            "2",
            "-r",
            "7",
            "-w",
            "0.25",
            "-d",
            "dead",
            "-q",
            "9",
            "-R",
            "-k",
            "http://h/p",
        ];
        let long = [
            "--program=a",
            "--group=b",
            "--template={data}",
            "--content-type=text/plain",
            "--header=X-Key: secret",
            "--batch=3",
            "--interval=0.5",
            "--timeout=2",
            "--retries=7",
            "--wait=0.25",
            "--dead-letters=dead",
            "--queue=9",
            "--replay",
            "--insecure",
            "http://h/p",
        ];
        let options = parse(&short).expect("they fit");
        assert_eq!(parse(&long), Ok(options.clone()));
        let want = Options {
            mode: Mode::Replay,
            filter: Filter {
                programs: vec!["a".into()],
                groups: vec!["b".into()],
            },
            template: Template::parse("{data}", false).ok(),
            content_type: HeaderValue::from_static("text/plain"),
            headers: vec![(
                HeaderName::from_static("x-key"),
                HeaderValue::from_static("secret"),
            )],
            batch: 3,
            interval: Duration::from_millis(500),
            timeout: Duration::from_secs(2),
            retries: 7,
            wait: Duration::from_millis(250),
            dead_letters: Some("dead".into()),
            queue: 9,
            insecure: true,
            ..Options::new(Uri::from_static("http://h/p"))
        };
        assert_eq!(options, want);
        assert_eq!(
            parse(&["-S", "http://h"]).map(|options| options.mode),
            Ok(Mode::Sync)
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let rows: [(&[&str], &str); 13] = [
            (&["-x"], "option -x not recognized"),
            (&["ftp://h"], "there must be one URL, with http or https"),
            (&["/path"], "there must be one URL, with http or https"),
            (
                &["http://a", "http://b"],
                "there must be one URL, with http or https",
            ),
            (&["-b", "x", "http://h"], "Unparseable value \"x\" for -b"),
            (&["-b", "0", "http://h"], "-b must be at least 1"),
            (&["--queue=0", "http://h"], "--queue must be at least 1"),
            (&["-i", "-1", "http://h"], "Unparseable value \"-1\" for -i"),
            (&["-H", "bad", "http://h"], "no header: \"bad\""),
            (
                &["-H", "a: b\nc", "http://h"],
                "no value of a header: \"b\\nc\"",
            ),
            (
                &["-S", "-b2", "http://h"],
                "--sync and --batch exclude each other",
            ),
            (&["-R", "http://h"], "--replay needs --dead-letters"),
            (
                &["-t", "{", "http://h"],
                "the template makes no JSON: EOF while parsing an object at line 1 column 1",
            ),
        ];
        for (words, want) in rows {
            assert_eq!(parse(words), Err(complaint(want)), "{words:?}");
        }
        assert_eq!(parse(&["-h"]), Err(Refusal::Help));
    }
}
