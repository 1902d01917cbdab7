//! The command line.

use getopt::{Spec, getopt};
use listener_kit::{MailOptions, Refusal, byte_size, given, repr, seconds};

use crate::limits::Limits;

/// What `--help` shows.
pub(crate) fn usage() -> String {
    format!("{}\n{}\n{LIMITS}", ABOUT, MailOptions::USAGE)
}

const ABOUT: &str = r#"memmon [-c] [-p process=byte_size] [-g group=byte_size] [-a byte_size]
       [-s sendmail] [-m email_address] [-u uptime] [-n memmon_name]
       [--mail-server=host[:port]] [--mail-from=email_address]
       [--mail-user=name] [--mail-password=password] [--mail-tls]

Options:

-c -- Judge a process by its whole family: its RSS is the sum over the
      process and all its descendants.

-p -- A process=byte_size pair. The process is restarted when its RSS is
      larger than byte_size. A process of a group is written group:process.
      May be given several times.

-g -- A group=byte_size pair. Any process of the group is restarted when its
      RSS is larger than byte_size. May be given several times.

-a -- A byte_size. Any process at all is restarted when its RSS is larger,
      other event listeners included; memmon never restarts itself.

-s -- The shell command that sends mail. It gets the message, headers first,
      on its standard input. Default: "/usr/sbin/sendmail -t -i".

-m -- The mail address told about each restart. Without it no mail is sent.

-u -- Mail only about processes that had been up for at most this long: a
      number of seconds, or a number with one of the suffixes s, m (minutes),
      h (hours) and d (days). Default: mail about each restart.

-n -- A name for this memmon. It appears in the subject of its mail, as
      "memmon [name]".

-h -- Show this text.
"#;

const LIMITS: &str = r#"A byte_size is an integer, such as 10000, or an integer with one of the
suffixes KB, MB and GB, such as 200MB.

Example:

memmon -p web=200MB -p workers:mail=100MB -g workers=150MB -a 1GB -m ops@example.com -n "host 1"
"#;

const SPEC: Spec<'_> = Spec {
    short: "hcp:g:a:s:m:n:u:",
    long: &[
        "help",
        "cumulative",
        "program=",
        "group=",
        "any=",
        "sendmail_program=",
        "email=",
        "uptime=",
        "name=",
        // Ours; their first letter is free, so abbreviations of the others keep their meaning.
        "mail-server=",
        "mail-from=",
        "mail-user=",
        "mail-password=",
        "mail-tls",
    ],
};

/// What to watch and whom to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Count descendants too.
    pub(crate) cumulative: bool,
    /// How much is too much.
    pub(crate) limits: Limits,
    /// Which way mail goes.
    pub(crate) mail: MailOptions,
    /// Where mail goes; `None`: nowhere.
    pub(crate) email: Option<String>,
    /// Mail only about processes up for at most so many seconds.
    pub(crate) uptime_limit: i64,
    /// Name in the subject.
    pub(crate) name: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cumulative: false,
            limits: Limits::default(),
            mail: MailOptions::default(),
            email: None,
            uptime_limit: i64::MAX,
            name: None,
        }
    }
}

impl Options {
    /// Reads the words after the program's name. Words after the options are ignored.
    ///
    /// # Errors
    /// When there are none, or help is asked for, or one cannot be read.
    pub(crate) fn parse(args: &[String]) -> Result<Self, Refusal> {
        if args.is_empty() {
            return Err(Refusal::Usage);
        }
        let mut options = Self::default();
        for (option, value) in getopt(args, SPEC)?.options {
            options.set(&option, value)?;
        }
        options.mail.check()?;
        Ok(options)
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), Refusal> {
        if self.mail.set(option, &value) {
            return Ok(());
        }
        match option {
            "-h" | "--help" => return Err(Refusal::Help),
            "-c" | "--cumulative" => self.cumulative = true,
            "-p" | "--program" => {
                let (name, size) = named_size(option, &value)?;
                self.limits.programs.insert(name, size);
            }
            "-g" | "--group" => {
                let (name, size) = named_size(option, &value)?;
                self.limits.groups.insert(name, size);
            }
            "-a" | "--any" => self.limits.any = Some(size(option, &value)?),
            "-m" | "--email" => self.email = given(value),
            "-u" | "--uptime" => self.uptime_limit = uptime(option, &value)?,
            _ => self.name = Some(value), // -n, --name
        }
        Ok(())
    }
}

fn named_size(option: &str, value: &str) -> Result<(String, i64), Refusal> {
    let (name, text) = match value.split_once('=') {
        Some((name, text)) if !text.contains('=') => (name, text),
        _ => {
            let text = format!("Unparseable value {} for {}", repr(value), repr(option));
            return Err(Refusal::Complaint(text));
        }
    };
    Ok((name.to_owned(), size(option, text)?))
}

fn size(option: &str, value: &str) -> Result<i64, Refusal> {
    byte_size(value).ok_or_else(|| {
        let text = format!(
            "Unparseable byte_size in {} for {}",
            repr(value),
            repr(option)
        );
        Refusal::Complaint(text)
    })
}

fn uptime(option: &str, value: &str) -> Result<i64, Refusal> {
    seconds(value).ok_or_else(|| {
        let text = format!("Unparseable value for time in {} for {option}", repr(value));
        Refusal::Complaint(text)
    })
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
            "-c",
            "-p",
            "a=1",
            "-pg:b=2KB",
            "-g",
            "g=3MB",
            "-a",
            "1GB",
            "-s",
            "cat",
            "-m",
            "x@y",
            "-u",
            "2h",
            "-n",
            "N",
        ];
        let long = [
            "--cumulative",
            "--program=a=1",
            "--prog",
            "g:b=2KB",
            "--group=g=3MB",
            "--any=1GB",
            "--sendmail_program=cat",
            "--email=x@y",
            "--uptime=2h",
            "--name",
            "N",
        ];
        let options = parse(&short).expect("they fit");
        assert_eq!(parse(&long).expect("they fit"), options);
        let want = Options {
            cumulative: true,
            limits: Limits {
                programs: [("a".to_owned(), 1), ("g:b".to_owned(), 2048)].into(),
                groups: [("g".to_owned(), 3 << 20)].into(),
                any: Some(1 << 30),
            },
            mail: MailOptions::with_sendmail("cat"),
            email: Some("x@y".into()),
            uptime_limit: 7200,
            name: Some("N".into()),
        };
        assert_eq!(options, want);
    }

    #[test]
    fn the_name_is_its_own_option() {
        let options = parse(&["-n", "N", "-p", "a=1", "-g", "b=1"]).expect("they fit");
        assert_eq!(options.name.as_deref(), Some("N"));
        let options = parse(&["-p", "a=1"]).expect("they fit");
        assert_eq!(options.name, None);
    }

    #[test]
    fn later_words_are_ignored() {
        assert_eq!(parse(&["word", "-x"]), Ok(Options::default()));
        assert_eq!(
            parse(&["-p", "a=1", "-p", "a=2"]).map(|options| options.limits.programs["a"]),
            Ok(2)
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let complaint = |text: &str| Refusal::Complaint(text.to_owned());
        let rows: &[(&[&str], Refusal)] = &[
            (&[], Refusal::Usage),
            (&["-x"], Refusal::Usage),
            (&["-p"], Refusal::Usage),
            (&["-h", "-p", "foo"], Refusal::Help),
            (&["--help"], Refusal::Help),
            (
                &["-p", "foo"],
                complaint("Unparseable value 'foo' for '-p'"),
            ),
            (
                &["--prog", "a=b=c"],
                complaint("Unparseable value 'a=b=c' for '--program'"),
            ),
            (
                &["-p", "a=1.5GB"],
                complaint("Unparseable byte_size in '1.5GB' for '-p'"),
            ),
            (
                &["-g", "a="],
                complaint("Unparseable byte_size in '' for '-g'"),
            ),
            (
                &["-a", "10M"],
                complaint("Unparseable byte_size in '10M' for '-a'"),
            ),
            (
                &["-u", "1w"],
                complaint("Unparseable value for time in '1w' for -u"),
            ),
        ];
        for (words, want) in rows {
            assert_eq!(parse(words).as_ref(), Err(want), "{words:?}");
        }
    }
}
