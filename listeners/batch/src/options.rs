//! The command line, in the manner of Python's `optparse`: options and other words may be mixed.

use std::io::{self, Write as _};
use std::process::ExitCode;

use getopt::{Error, Parsed, Spec, getopt};
use listener_kit::{Carrying, Sendmail, Smtp, given, repr};

use crate::alert::Alert;
use crate::letter::Letter;

const OPTIONS: &str = r#"Options:
  -h, --help            show this text and exit
  -i INTERVAL, --interval=INTERVAL
                        collect for so many minutes before mailing; fractions
                        are fine (default: 1)
  -t TO_EMAILS, --toEmail=TO_EMAILS
                        addresses to mail to, separated by commas (required)
  -f FROM_EMAIL, --fromEmail=FROM_EMAIL
                        address to mail from (required)
  -s SUBJECT, --subject=SUBJECT
                        subject of the mail
  -H SMTP_HOST, --smtpHost=SMTP_HOST
                        mail server, as host or host:port (default: localhost)
  -e EVENTNAME, --tickEvent=EVENTNAME
                        the event that counts the minutes: TICK_5, TICK_60 or
                        TICK_3600 (default: TICK_60)
  -u SMTP_USER, --userName=SMTP_USER
                        user name for the mail server (default: no login)
  -p SMTP_PASSWORD, --password=SMTP_PASSWORD
                        password for the mail server
  --tls                 encrypt the connection before the login (STARTTLS);
                        without user name and password this does nothing
  --sendmail=COMMAND    mail by this shell command instead of a mail server;
                        it gets the message, headers first, on its standard
                        input, for instance "/usr/sbin/sendmail -t -i"

The listener must be subscribed to PROCESS_STATE and to the tick it counts.
"#;

const SPEC: Spec<'_> = Spec {
    short: "hi:t:f:s:H:e:u:p:",
    long: &[
        "help",
        "interval=",
        "toEmail=",
        "fromEmail=",
        "subject=",
        "smtpHost=",
        "tickEvent=",
        "userName=",
        "password=",
        "tls",
        "sendmail=",
    ],
};

/// Exit code of `optparse` for a line that does not fit.
const WRONG_LINE: u8 = 2;

/// When to mail, whom, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// How long to collect, in minutes.
    pub(crate) interval: f64,
    /// Addresses and subject.
    pub(crate) letter: Letter,
    /// Mail server: host or host:port.
    pub(crate) host: String,
    /// The event that counts.
    pub(crate) tick: String,
    /// User name and password, if both are given.
    pub(crate) login: Option<(String, String)>,
    /// Encrypt.
    pub(crate) tls: bool,
    /// Command that sends mail; `None`: the mail server does.
    pub(crate) sendmail: Option<String>,
}

/// Why there are no options to work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Help is asked for.
    Help(String),
    /// An address is missing; the help tells.
    Incomplete(String),
    /// The line does not fit.
    Wrong(String),
    /// There is something else wrong.
    Failure(String),
}

impl Unusable {
    /// Says so in the place `optparse` would. Returns the exit code.
    pub(crate) fn exit(&self, tool: &str) -> ExitCode {
        // Nobody reads what cannot be written.
        let _ = match self {
            Self::Help(text) | Self::Incomplete(text) => write!(io::stdout(), "{text}"),
            Self::Wrong(reason) => {
                write!(
                    io::stderr(),
                    "Usage: {tool} [options]\n\n{tool}: error: {reason}\n"
                )
            }
            Self::Failure(reason) => writeln!(io::stderr(), "{reason}"),
        };
        match self {
            Self::Help(_) => ExitCode::SUCCESS,
            Self::Incomplete(_) | Self::Failure(_) => ExitCode::FAILURE,
            Self::Wrong(_) => ExitCode::from(WRONG_LINE),
        }
    }
}

/// The values as they come, before it is known whether they suffice.
#[derive(Default)]
struct Raw {
    interval: Option<f64>,
    to: Option<String>,
    from: Option<String>,
    subject: Option<String>,
    host: Option<String>,
    tick: Option<String>,
    user: Option<String>,
    password: Option<String>,
    tls: bool,
    sendmail: Option<String>,
}

impl Options {
    /// Reads the words after the program's name. Words that are no options are passed over.
    ///
    /// # Errors
    /// When help is asked for, the line does not fit, or an address is missing.
    pub(crate) fn parse(args: &[String], alert: &Alert) -> Result<Self, Unusable> {
        let mut raw = Raw::default();
        let mut rest = args;
        loop {
            let parsed = getopt(rest, SPEC).map_err(|error| Unusable::Wrong(complaint(&error)))?;
            let Parsed {
                options,
                rest: words,
            } = parsed;
            for (option, value) in options {
                raw.set(&option, value, alert)?;
            }
            let ended = rest.len() > words.len() && rest[rest.len() - words.len() - 1] == "--";
            if words.is_empty() || ended {
                return raw.complete(alert);
            }
            rest = &rest[rest.len() - words.len() + 1..];
        }
    }

    /// The way mail goes.
    pub(crate) fn carrier(&self) -> Carrying {
        let from = self.letter.from.clone();
        if let Some(command) = self.sendmail.clone() {
            let from = Some(from);
            return Carrying::Sendmail(Sendmail { command, from });
        }
        let smtp = Smtp::new(&self.host, from);
        Carrying::Smtp(match &self.login {
            // As in Superlance, encryption is for the login.
            Some((user, password)) if self.tls => smtp.login(user, password).tls(),
            Some((user, password)) => smtp.login(user, password),
            None => smtp,
        })
    }
}

impl Raw {
    fn set(&mut self, option: &str, value: String, alert: &Alert) -> Result<(), Unusable> {
        match option {
            "-h" | "--help" => return Err(Unusable::Help(help(alert))),
            "-i" | "--interval" => self.interval = Some(number(option, &value)?),
            "-t" | "--toEmail" => self.to = given(value),
            "-f" | "--fromEmail" => self.from = given(value),
            "-s" | "--subject" => self.subject = Some(value),
            "-H" | "--smtpHost" => self.host = Some(value),
            "-e" | "--tickEvent" => self.tick = Some(value),
            "-u" | "--userName" => self.user = given(value),
            "-p" | "--password" => self.password = given(value),
            "--sendmail" => self.sendmail = given(value),
            _ => self.tls = true, // --tls
        }
        Ok(())
    }

    fn complete(self, alert: &Alert) -> Result<Options, Unusable> {
        let (Some(to), Some(from)) = (self.to, self.from) else {
            return Err(Unusable::Incomplete(help(alert)));
        };
        Ok(Options {
            interval: self.interval.unwrap_or(1.0),
            letter: Letter {
                to: to
                    .split(',')
                    .map(|address| address.trim().to_owned())
                    .collect(),
                from,
                subject: self.subject.or_else(|| alert.subject.map(str::to_owned)),
            },
            host: self.host.unwrap_or_else(|| "localhost".to_owned()),
            tick: self.tick.unwrap_or_else(|| "TICK_60".to_owned()),
            login: self.user.zip(self.password),
            tls: self.tls,
            sendmail: self.sendmail,
        })
    }
}

fn help(alert: &Alert) -> String {
    format!(
        "Usage: {} [options]\n\n{}\n\n{OPTIONS}",
        alert.tool, alert.purpose
    )
}

fn number(option: &str, value: &str) -> Result<f64, Unusable> {
    value.trim().parse().map_err(|_| {
        let value = repr(value);
        Unusable::Wrong(format!(
            "option {option}: invalid floating-point value: {value}"
        ))
    })
}

/// A mistake in `optparse`'s words.
fn complaint(error: &Error) -> String {
    match error {
        Error::NotRecognized(option) => format!("no such option: {option}"),
        Error::RequiresArgument(option) => format!("{option} option requires 1 argument"),
        Error::MustNotHaveArgument(option) => format!("{option} option does not take a value"),
        Error::NotUnique(option) => format!("ambiguous option: {option} ({}?)", candidates(option)),
    }
}

fn candidates(option: &str) -> String {
    let typed = option.trim_start_matches('-');
    let names = SPEC.long.iter().map(|name| name.trim_end_matches('='));
    let mut names: Vec<_> = names
        .filter(|name| name.starts_with(typed))
        .map(|name| format!("--{name}"))
        .collect();
    names.sort_unstable();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{CRASH_MAIL, CRASH_SMS};

    fn parse(line: &str) -> Result<Options, Unusable> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words, &CRASH_MAIL)
    }

    #[test]
    fn every_option_is_read_in_both_spellings() {
        let short =
            "-i 2.5 -t a@x,b@y -f me@z -s S -H mx:26 -e TICK_5 -u U -p P --tls --sendmail cat";
        let long = "--int=2.5 --toEmail a@x,b@y --from=me@z --subj=S --smtp=mx:26 --tick=TICK_5 --user=U --pass=P --tls --sendmail=cat";
        let options = parse(short).expect("they fit");
        assert_eq!(parse(long), Ok(options.clone()));
        let want = Options {
            interval: 2.5,
            letter: Letter {
                to: vec!["a@x".into(), "b@y".into()],
                from: "me@z".into(),
                subject: Some("S".into()),
            },
            host: "mx:26".into(),
            tick: "TICK_5".into(),
            login: Some(("U".into(), "P".into())),
            tls: true,
            sendmail: Some("cat".into()),
        };
        assert_eq!(options, want);
    }

    #[test]
    fn options_choose_the_way() {
        let smtp = Smtp::new("mx:26", "me@z");
        let rows = [
            ("", Carrying::Smtp(smtp.clone())),
            ("--tls", Carrying::Smtp(smtp.clone())),
            ("-u U -p P", Carrying::Smtp(smtp.clone().login("U", "P"))),
            (
                "-u U -p P --tls",
                Carrying::Smtp(smtp.login("U", "P").tls()),
            ),
            (
                "--sendmail=cat",
                Carrying::Sendmail(Sendmail {
                    command: "cat".into(),
                    from: Some("me@z".into()),
                }),
            ),
        ];
        for (words, want) in rows {
            let options = parse(&format!("-t a@x -f me@z -H mx:26 {words}")).expect("they fit");
            assert_eq!(options.carrier(), want, "{words}");
        }
    }

    #[test]
    fn defaults_and_mixed_words() {
        let options = parse("word -t a@x word --fromEmail=me@z").expect("they fit");
        assert_eq!(
            (
                options.interval,
                options.tick.as_str(),
                options.host.as_str()
            ),
            (1.0, "TICK_60", "localhost")
        );
        assert_eq!(
            options.letter.subject.as_deref(),
            Some("Crash alert from supervisord")
        );
        assert_eq!(
            parse("-t a@x -f me@z -u U").map(|options| options.login),
            Ok(None)
        );
        assert_eq!(parse("-t a@x -f me@z -- -x"), Ok(options.clone()));
        assert_eq!(parse("-t a@x -f me@z word -- -x"), Ok(options));
        let words = ["-ta@x".to_owned(), "-fme@z".to_owned()];
        let sms = Options::parse(&words, &CRASH_SMS).expect("they fit");
        assert_eq!(sms.letter.subject, None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let rows = [
            ("-x", "no such option: -x"),
            ("word --foo", "no such option: --foo"),
            ("-t", "-t option requires 1 argument"),
            ("--to", "--toEmail option requires 1 argument"),
            ("--tls=1", "--tls option does not take a value"),
            (
                "--t",
                "ambiguous option: --t (--tickEvent, --tls, --toEmail?)",
            ),
            ("-i x", "option -i: invalid floating-point value: 'x'"),
        ];
        for (line, want) in rows {
            assert_eq!(parse(line), Err(Unusable::Wrong(want.to_owned())), "{line}");
        }
        for line in ["", "-t a@x", "-f me@z", "-t a@x --fromEmail="] {
            assert!(
                matches!(parse(line), Err(Unusable::Incomplete(_))),
                "{line}"
            );
        }
        assert!(matches!(parse("-t a@x --help"), Err(Unusable::Help(_))));
    }
}
