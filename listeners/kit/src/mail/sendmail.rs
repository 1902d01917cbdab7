//! Mail through the `sendmail` command.

use std::time::Duration;

use super::{Carrier, Delivery, Mail, MailError};
use crate::shell::Shell;

/// The command unless another is given.
pub const DEFAULT_SENDMAIL: &str = "/usr/sbin/sendmail -t -i";

/// How long the command may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Mail by a shell command that takes the message on its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sendmail {
    /// The command line.
    pub command: String,
    /// The sender; `None`: whoever the command thinks it is.
    pub from: Option<String>,
}

impl Carrier for Sendmail {
    /// The command's exit status tells for all recipients at once, and never for good.
    fn carry(&self, mail: &Mail) -> Result<Delivery, MailError> {
        let shell = Shell {
            command: &self.command,
            limit: LIMIT,
        };
        let text = match &self.from {
            None => mail.to_string(),
            Some(from) => format!("From: {from}\n{mail}"),
        };
        shell.feed(text.into_bytes())?;
        Ok(Delivery {
            accepted: mail.to.split(',').count(),
            ..Delivery::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_gets_the_message() {
        let mail = Mail {
            to: "ops@example.com".into(),
            subject: "S".into(),
            body: "Process p\nexited".into(),
        };
        let rows = [
            ("grep -q '^Process p$'", None, Ok(())),
            ("grep -q '^From: me@z$'", Some("me@z"), Ok(())),
            (
                "grep -q '^From:'",
                None,
                Err("grep -q '^From:' failed: exit status: 1".to_owned()),
            ),
        ];
        for (command, from, want) in rows {
            let sendmail = Sendmail {
                command: command.into(),
                from: from.map(str::to_owned),
            };
            let result = sendmail.carry(&mail).map(|_| ());
            let result = result.map_err(|error| error.to_string());
            assert_eq!(result, want, "{command}");
        }
    }
}
