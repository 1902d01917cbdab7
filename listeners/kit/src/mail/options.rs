//! The options that say which way mail goes, the same for all mailers.

use std::env;

use super::{Carrier, DEFAULT_SENDMAIL, Delivery, Mail, MailError, Sendmail, Smtp};
use crate::{Refusal, given};

/// Where the password is looked for if no option has it.
const PASSWORD: &str = "MAIL_PASSWORD";

/// Sendmail command or mail server, as the command line chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailOptions {
    sendmail: String,
    server: Option<String>,
    from: Option<String>,
    user: Option<String>,
    password: Option<String>,
    tls: bool,
}

impl Default for MailOptions {
    fn default() -> Self {
        Self {
            sendmail: DEFAULT_SENDMAIL.to_owned(),
            server: None,
            from: None,
            user: None,
            password: None,
            tls: false,
        }
    }
}

impl MailOptions {
    /// What `--help` says about the long ones.
    pub const USAGE: &str = r#"--mail-server -- A mail server, as host or host:port, to send mail by SMTP
      instead of the command of -s. Needs --mail-from.

--mail-from -- The address mail comes from.

--mail-user, --mail-password -- A login at the mail server. The password may
      be in the environment instead, as MAIL_PASSWORD, where other users
      cannot see it.

--mail-tls -- Encrypt the connection to the mail server by STARTTLS, or send
      nothing. Any certificate will do.
"#;

    /// Sends by this command, unless there is a server.
    pub fn with_sendmail(command: impl Into<String>) -> Self {
        Self {
            sendmail: command.into(),
            ..Self::default()
        }
    }

    /// Takes an option, if it is one of these: `-s`, and those that begin with `--mail-`, which no option of the listeners does.
    pub fn set(&mut self, option: &str, value: &str) -> bool {
        let given = || given(value.to_owned());
        match option {
            "-s" | "--sendmail_program" => value.clone_into(&mut self.sendmail),
            "--mail-server" => self.server = given(),
            "--mail-from" => self.from = given(),
            "--mail-user" => self.user = given(),
            "--mail-password" => self.password = given(),
            "--mail-tls" => self.tls = true,
            _ => return false,
        }
        true
    }

    /// Looks for what is missing.
    ///
    /// # Errors
    /// When an option needs another one.
    pub fn check(&mut self) -> Result<(), Refusal> {
        let complaint = |text: &str| Err(Refusal::Complaint(text.to_owned()));
        if self.server.is_none() {
            return match self.tls || self.user.is_some() || self.password.is_some() {
                true => complaint("--mail-user, --mail-password and --mail-tls need --mail-server"),
                false => Ok(()),
            };
        }
        if self.from.is_none() {
            return complaint("--mail-server needs --mail-from");
        }
        if self.user.is_some() && self.password.is_none() {
            self.password = env::var(PASSWORD).ok().and_then(given);
            if self.password.is_none() {
                return complaint("--mail-user needs --mail-password, or MAIL_PASSWORD");
            }
        }
        Ok(())
    }

    /// The way the options choose.
    pub fn carrier(&self) -> Carrying {
        let (Some(server), Some(from)) = (&self.server, &self.from) else {
            return Carrying::Sendmail(Sendmail {
                command: self.sendmail.clone(),
                from: self.from.clone(),
            });
        };
        let mut smtp = Smtp::new(server, from);
        if let (Some(user), Some(password)) = (&self.user, &self.password) {
            smtp = smtp.login(user, password);
        }
        Carrying::Smtp(if self.tls { smtp.tls() } else { smtp })
    }
}

/// One of the two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrying {
    /// By command.
    Sendmail(Sendmail),
    /// By server.
    Smtp(Smtp),
}

impl Carrier for Carrying {
    fn carry(&self, mail: &Mail) -> Result<Delivery, MailError> {
        match self {
            Self::Sendmail(sendmail) => sendmail.carry(mail),
            Self::Smtp(smtp) => smtp.carry(mail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carrier(words: &[(&str, &str)]) -> Result<Carrying, String> {
        let mut options = MailOptions::default();
        for (option, value) in words {
            assert!(options.set(option, value), "{option}");
        }
        match options.check() {
            Ok(()) => Ok(options.carrier()),
            Err(Refusal::Complaint(text)) => Err(text),
            Err(other) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn options_choose_the_way() {
        let sendmail = |command: &str, from: Option<&str>| {
            Ok(Carrying::Sendmail(Sendmail {
                command: command.into(),
                from: from.map(str::to_owned),
            }))
        };
        assert_eq!(carrier(&[]), sendmail(DEFAULT_SENDMAIL, None));
        assert_eq!(
            carrier(&[("-s", "cat"), ("--mail-from", "me@z")]),
            sendmail("cat", Some("me@z"))
        );
        let server = [("--mail-server", "mx:26"), ("--mail-from", "me@z")];
        let smtp = Smtp::new("mx:26", "me@z");
        assert_eq!(carrier(&server), Ok(Carrying::Smtp(smtp.clone())));
        let login = [
            ("--mail-user", "u"),
            ("--mail-password", "p"),
            ("--mail-tls", ""),
        ];
        assert_eq!(
            carrier(&[server.as_slice(), &login].concat()),
            Ok(Carrying::Smtp(smtp.login("u", "p").tls()))
        );
        assert!(!MailOptions::default().set("-m", "a@b"));
    }

    #[test]
    fn what_is_missing_is_told() {
        let rows: [(&[(&str, &str)], &str); 3] = [
            (
                &[("--mail-server", "mx")],
                "--mail-server needs --mail-from",
            ),
            (
                &[
                    ("--mail-server", "mx"),
                    ("--mail-from", "me@z"),
                    ("--mail-user", "u"),
                ],
                "--mail-user needs --mail-password, or MAIL_PASSWORD",
            ),
            (
                &[("--mail-tls", "")],
                "--mail-user, --mail-password and --mail-tls need --mail-server",
            ),
        ];
        for (words, want) in rows {
            assert_eq!(carrier(words), Err(want.to_owned()), "{words:?}");
        }
    }
}
