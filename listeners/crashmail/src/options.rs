//! The command line.

use getopt::{Spec, getopt};
use listener_kit::{MailOptions, Refusal, given};

use crate::crash::Crash;

/// What `--help` shows.
pub(crate) fn usage() -> String {
    format!("{}\n{}\n{EXAMPLE}", ABOUT, MailOptions::USAGE)
}

const ABOUT: &str = r#"crashmail [-p process]... [-a] [-o prefix] [-m email_address] [-s sendmail]
       [--mail-server=host[:port]] [--mail-from=email_address]
       [--mail-user=name] [--mail-password=password] [--mail-tls]

Options:

-p -- A process to mail about when it exits unexpectedly. A process of a
      group is written group:process. May be given several times. Without
      -p, crashmail mails about every process.

-a -- Mail about every process, whatever -p says.

-o -- A text to put before the subject of the mail, for instance the name of
      the host.

-m -- The mail address told about each crash. Without it no mail is sent.

-s -- The shell command that sends mail. It gets the message, headers first,
      on its standard input. Default: "/usr/sbin/sendmail -t -i".

-h -- Show this text.
"#;

const EXAMPLE: &str = r#"A process that fails before it was up for startsecs is not reported: it
becomes FATAL, it does not exit. fatalmailbatch reports those.

Example:

crashmail -p web -p workers:mail -o host1 -m ops@example.com
"#;

const SPEC: Spec<'_> = Spec {
    short: "hp:ao:s:m:",
    long: &[
        "help",
        "program=",
        "any",
        "optionalheader=",
        "sendmail_program=",
        "email=",
        // Ours; their first letter is free, so abbreviations of the others keep their meaning.
        "mail-server=",
        "mail-from=",
        "mail-user=",
        "mail-password=",
        "mail-tls",
    ],
};

/// What to report, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// Processes to report, as `process` or `group:process`; empty: all.
    programs: Vec<String>,
    any: bool,
    /// Starts the subject.
    pub(crate) prefix: Option<String>,
    /// Where mail goes; `None`: nowhere.
    pub(crate) email: Option<String>,
    /// Which way mail goes.
    pub(crate) mail: MailOptions,
}

impl Options {
    /// Reads the words after the program's name. Words after the options are ignored.
    ///
    /// # Errors
    /// When help is asked for, or one cannot be read.
    pub(crate) fn parse(args: &[String]) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (option, value) in getopt(args, SPEC)?.options {
            match option.as_str() {
                "-h" | "--help" => return Err(Refusal::Help),
                "-p" | "--program" => options.programs.push(value),
                "-a" | "--any" => options.any = true,
                "-o" | "--optionalheader" => options.prefix = given(value),
                "-m" | "--email" => options.email = given(value),
                // -s and --mail-...: nothing else is left.
                _ => drop(options.mail.set(&option, &value)),
            }
        }
        options.mail.check()?;
        Ok(options)
    }

    /// Whether to report this crash. Superlance 2.0.0 reads `-p` but reports every crash all the same.
    pub(crate) fn wants(&self, crash: &Crash<'_>) -> bool {
        let matches = |name: &String| match name.split_once(':') {
            _ if name == crash.process => true,
            Some((group, process)) => group == crash.group && process == crash.process,
            None => false,
        };
        self.any || self.programs.is_empty() || self.programs.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use listener_kit::Event;
    use protocol::listener::EventHeader;

    fn parse(line: &str) -> Result<Options, Refusal> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn every_option_is_read_in_both_spellings() {
        let options = parse("-p a -pg:b -a -o host -m x@y -s cat").expect("they fit");
        let long =
            "--program=a --prog g:b --any --optionalheader=host --email x@y --sendmail_program=cat";
        assert_eq!(parse(long), Ok(options.clone()));
        let want = Options {
            programs: vec!["a".into(), "g:b".into()],
            any: true,
            prefix: Some("host".into()),
            email: Some("x@y".into()),
            mail: MailOptions::with_sendmail("cat"),
        };
        assert_eq!(options, want);
        assert_eq!(parse("word -x"), Ok(Options::default()));
        assert_eq!(parse("--email= --optionalheader="), Ok(Options::default()));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (line, want) in [
            ("-x", Refusal::Usage),
            ("-p", Refusal::Usage),
            ("-a --help", Refusal::Help),
        ] {
            assert_eq!(parse(line), Err(want), "{line}");
        }
    }

    #[test]
    fn programs_choose_the_crashes() {
        let event = Event {
            header: EventHeader::parse("eventname:PROCESS_STATE_EXITED len:1").expect("a header"),
            payload: "processname:p groupname:g from_state:RUNNING expected:0 pid:7",
        };
        let crash = Crash::of(&event).expect("a crash");
        let rows = [
            ("", true),
            ("-a", true),
            ("-p p", true),
            ("-p g:p", true),
            ("-p q -p p", true),
            ("-p q", false),
            ("-p g", false),
            ("-p h:p", false),
            ("-p q -a", true),
        ];
        for (line, want) in rows {
            assert_eq!(parse(line).expect("they fit").wants(&crash), want, "{line}");
        }
    }
}
