//! The command line.

use std::time::Duration;

use getopt::{Spec, getopt};
use listener_kit::{MailOptions, Refusal, given, integer, repr, seconds};

/// What `--help` shows.
pub(crate) fn usage() -> String {
    format!("{}\n{}\n{URLS}", ABOUT, MailOptions::USAGE)
}

const ABOUT: &str = r#"httpok [-p process]... [-a] [-t timeout] [-c status]... [-b text]
       [-m email_address] [-s sendmail] [-g gcore] [-d coredir] [-e] [-E]
       [-n httpok_name] [--verify] [--wait-after-restart=seconds]
       [--mail-server=host[:port]] [--mail-from=email_address]
       [--mail-user=name] [--mail-password=password] [--mail-tls] URL...

Options:

-p -- A process to restart when the URL does not answer as it should. A
      process of a group is written group:process. Only a RUNNING process is
      restarted. May be given several times.

-a -- Restart every RUNNING process, whatever -p says, other event listeners
      included; httpok never restarts itself.

-t -- How many seconds to wait for the server at each step: to connect, and
      for each piece of the answer. The whole answer may take six times as
      long. Where the connection is refused, httpok tries again every 10
      seconds until this time is over. Default: 10.

-c -- A status the server may answer with. May be given several times.
      Default: 200.

-b -- A text the body must contain. Default: the body may be anything.

-s -- The shell command that sends mail. It gets the message, headers first,
      on its standard input. Default: "/usr/sbin/sendmail -t -i".

-m -- The mail address told about each failure. Without it no mail is sent.

-g -- The program that writes core files, run as: program "file" pid.
      Default: "/usr/bin/gcore -o".

-d -- A directory for core files. With it each process leaves one there
      before it is restarted, and what the program of -g prints is added to
      the mail.

-e -- Be eager: ask the URL at each tick. This is the default.

-E -- Be not eager: ask the URL only while one of the processes is RUNNING.

-n -- A name for this httpok. It appears in the subject of its mail, as
      "httpok [name]".

-h -- Show this text.

--verify -- Refuse an https server whose certificate cannot be verified with
      the usual roots, or with those in the file SSL_CERT_FILE names. Without
      it any certificate will do.

--wait-after-restart -- After a restart, ask the URL only when so many seconds
      are over: time for the program to come up. The suffixes s, m, h and d
      are understood. Default: 0.
"#;

const URLS: &str = r#"URL -- What to GET, by http or https. Several are asked at the same time, and
      one wrong answer is enough.

Example:

httpok -p web -p workers:api -m ops@example.com http://localhost:8080/health
"#;

const SPEC: Spec<'_> = Spec {
    short: "hp:at:c:b:s:m:g:d:eEn:",
    long: &[
        "help",
        "program=",
        "any",
        "timeout=",
        "code=",
        "body=",
        "sendmail_program=",
        "email=",
        "gcore=",
        "coredir=",
        "eager",
        "not-eager",
        "name=",
        // Ours; their first letters are free, so abbreviations of the others keep their meaning.
        "verify",
        "wait-after-restart=",
        "mail-server=",
        "mail-from=",
        "mail-user=",
        "mail-password=",
        "mail-tls",
    ],
};

/// Longer times mean nothing to a watchdog, in seconds.
const DAY: i64 = 24 * 60 * 60;

/// What to ask, what to expect, what to restart and whom to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// The URLs as given.
    pub(crate) urls: Vec<String>,
    /// Processes to restart, as `process` or `group:process`.
    pub(crate) programs: Vec<String>,
    /// Restart all processes.
    pub(crate) any: bool,
    /// How long the server may take for a step.
    pub(crate) timeout: Duration,
    /// Statuses that are fine.
    pub(crate) statuses: Vec<i64>,
    /// What the body must contain.
    pub(crate) body: Option<String>,
    /// Which way mail goes.
    pub(crate) mail: MailOptions,
    /// Where mail goes; `None`: nowhere.
    pub(crate) email: Option<String>,
    /// Program that writes core files.
    pub(crate) gcore: String,
    /// Where core files go; `None`: none are written.
    pub(crate) coredir: Option<String>,
    /// Ask even if there is nothing to restart.
    pub(crate) eager: bool,
    /// Name in the subject.
    pub(crate) name: Option<String>,
    /// Verify certificates.
    pub(crate) verify: bool,
    /// How long not to ask after a restart.
    pub(crate) wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            programs: Vec::new(),
            any: false,
            timeout: Duration::from_secs(10),
            statuses: Vec::new(),
            body: None,
            mail: MailOptions::default(),
            email: None,
            gcore: "/usr/bin/gcore -o".to_owned(),
            coredir: None,
            eager: true,
            name: None,
            verify: false,
            wait: Duration::ZERO,
        }
    }
}

impl Options {
    /// Reads the words after the program's name.
    ///
    /// # Errors
    /// When help is asked for, an option cannot be read, or there is no URL.
    pub(crate) fn parse(args: &[String]) -> Result<Self, Refusal> {
        let parsed = getopt(args, SPEC)?;
        let is_help = |(option, _): &(String, String)| option == "-h" || option == "--help";
        if parsed.options.iter().any(is_help) {
            return Err(Refusal::Help);
        }
        // Options end at the first URL; one that comes later is a mistake.
        if parsed.rest.is_empty() || parsed.rest.iter().skip(1).any(|word| word.starts_with('-')) {
            return Err(Refusal::Usage);
        }
        let mut options = Self {
            urls: parsed.rest,
            ..Self::default()
        };
        for (option, value) in parsed.options {
            options.set(&option, value)?;
        }
        if options.statuses.is_empty() {
            options.statuses.push(200);
        }
        if options.gcore.is_empty() {
            options.coredir = None;
        }
        options.mail.check()?;
        Ok(options)
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), Refusal> {
        if self.mail.set(option, &value) {
            return Ok(());
        }
        match option {
            "-p" | "--program" => self.programs.push(value),
            "-a" | "--any" => self.any = true,
            "-t" | "--timeout" => self.timeout = time(option, &value, integer, 1)?,
            "-c" | "--code" => {
                let code = integer(&value).ok_or_else(|| unparseable(option, &value))?;
                self.statuses.push(code);
            }
            "-b" | "--body" => self.body = given(value),
            "-m" | "--email" => self.email = given(value),
            "-g" | "--gcore" => self.gcore = value,
            "-d" | "--coredir" => self.coredir = given(value),
            "-e" | "--eager" => self.eager = true,
            "-E" | "--not-eager" => self.eager = false,
            "-n" | "--name" => self.name = Some(value),
            "--verify" => self.verify = true,
            _ => self.wait = time(option, &value, seconds, 0)?, // --wait-after-restart
        }
        Ok(())
    }
}

fn time(
    option: &str,
    value: &str,
    read: fn(&str) -> Option<i64>,
    least: i64,
) -> Result<Duration, Refusal> {
    let seconds = read(value).filter(|seconds| *seconds >= least);
    let seconds = seconds.map(|seconds| seconds.min(DAY).unsigned_abs());
    let time = seconds.map(Duration::from_secs);
    time.ok_or_else(|| unparseable(option, value))
}

fn unparseable(option: &str, value: &str) -> Refusal {
    Refusal::Complaint(format!(
        "Unparseable value {} for {}",
        repr(value),
        repr(option)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Refusal> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn every_option_is_read_in_both_spellings() {
        let short = "-p a -pg:b -a -t 3 -c 200 -c 301 -b text -s cat -m x@y -g gc -d /tmp -e -E -n N http://h/";
        let long = "--program=a --prog g:b --any --timeout 3 --code=200 --code=301 --body=text --sendmail_program=cat \
                    --email=x@y --g gc --coredir=/tmp --eager --not-eager --name N http://h/";
        let options = parse(short).expect("they fit");
        assert_eq!(parse(long), Ok(options.clone()));
        let want = Options {
            urls: vec!["http://h/".into()],
            programs: vec!["a".into(), "g:b".into()],
            any: true,
            timeout: Duration::from_secs(3),
            statuses: vec![200, 301],
            body: Some("text".into()),
            mail: MailOptions::with_sendmail("cat"),
            email: Some("x@y".into()),
            gcore: "gc".into(),
            coredir: Some("/tmp".into()),
            eager: false,
            name: Some("N".into()),
            verify: false,
            wait: Duration::ZERO,
        };
        assert_eq!(options, want);
    }

    #[test]
    fn defaults_and_additions() {
        let options = parse("http://h/").expect("it fits");
        assert_eq!(
            (options.statuses.as_slice(), options.timeout.as_secs()),
            ([200].as_slice(), 10)
        );
        assert!(options.eager && !options.verify);
        let options = parse("-E -e --verify --wait=2m http://h/").expect("they fit");
        assert!(options.eager && options.verify);
        assert_eq!(options.wait, Duration::from_secs(120));
        let several = parse("-a http://a http://b").expect("they fit");
        assert_eq!(several.urls, ["http://a", "http://b"]);
        let empty = parse("--body= --email= --coredir= http://h/").expect("they fit");
        assert_eq!((empty.body, empty.email, empty.coredir), (None, None, None));
        let without_program = parse("-d /tmp --gcore= http://h/").expect("they fit");
        assert_eq!(without_program.coredir, None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let complaint = |text: &str| Refusal::Complaint(text.to_owned());
        let rows = [
            ("", Refusal::Usage),
            ("-a", Refusal::Usage),
            ("http://a -a", Refusal::Usage),
            ("-x http://a", Refusal::Usage),
            ("-p", Refusal::Usage),
            ("-h", Refusal::Help),
            ("-t x --help", Refusal::Help),
            ("-t x http://a", complaint("Unparseable value 'x' for '-t'")),
            (
                "-t 1.5 http://a",
                complaint("Unparseable value '1.5' for '-t'"),
            ),
            ("-t 0 http://a", complaint("Unparseable value '0' for '-t'")),
            (
                "--timeout=-1 http://a",
                complaint("Unparseable value '-1' for '--timeout'"),
            ),
            ("-c x http://a", complaint("Unparseable value 'x' for '-c'")),
            (
                "--wait=1w http://a",
                complaint("Unparseable value '1w' for '--wait-after-restart'"),
            ),
        ];
        for (line, want) in rows {
            assert_eq!(parse(line), Err(want), "{line}");
        }
    }
}
