//! Mail through the `sendmail` command.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use crate::shell::Shell;

/// The command unless another is given.
pub const DEFAULT_SENDMAIL: &str = "/usr/sbin/sendmail -t -i";

/// How long the command may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A message. Its text is what the command gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The recipient, as given.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The rest, without a line feed at its end.
    pub body: String,
}

impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "To: {}\nSubject: {}\n\n{}",
            self.to, self.subject, self.body
        )
    }
}

/// Something that sends mail. A trait, so that what listeners write can be tested without sending it.
pub trait Mailer {
    /// Sends, or says in `log` why not: a listener goes on either way.
    fn send(&mut self, mail: &Mail, log: &mut dyn Write);
}

/// Mail by a shell command that takes the message on its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sendmail {
    /// The command line.
    pub command: String,
}

impl Default for Sendmail {
    fn default() -> Self {
        Self {
            command: DEFAULT_SENDMAIL.to_owned(),
        }
    }
}

impl Mailer for Sendmail {
    fn send(&mut self, mail: &Mail, log: &mut dyn Write) {
        let shell = Shell {
            command: &self.command,
            limit: LIMIT,
        };
        if let Err(error) = shell.feed(mail.to_string().into_bytes()) {
            // A log that cannot be written cannot be complained about either.
            let _ = writeln!(log, "mail not sent: {error}");
        }
    }
}

/// A mailer that keeps what it should send.
impl Mailer for Vec<Mail> {
    fn send(&mut self, mail: &Mail, _: &mut dyn Write) {
        self.push(mail.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> Mail {
        Mail {
            to: "ops@example.com".into(),
            subject: " p crashed".into(),
            body: "Process p\nexited".into(),
        }
    }

    #[test]
    fn the_message_is_exact() {
        let text = "To: ops@example.com\nSubject:  p crashed\n\nProcess p\nexited";
        assert_eq!(mail().to_string(), text);
    }

    #[test]
    fn a_command_that_fails_is_logged() {
        let mut log = Vec::new();
        let mut works = Sendmail {
            command: "grep -q '^Process p$'".into(),
        };
        works.send(&mail(), &mut log);
        assert_eq!(log, b"");
        let mut fails = Sendmail {
            command: "false".into(),
        };
        fails.send(&mail(), &mut log);
        assert_eq!(
            String::from_utf8_lossy(&log),
            "mail not sent: false failed: exit status: 1\n"
        );
    }
}
