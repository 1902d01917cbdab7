//! Mail: what it says, the ways it can take, and what becomes of it.

#[cfg(feature = "smtp")]
mod options;
mod outbox;
mod sendmail;
#[cfg(feature = "smtp")]
mod smtp;

#[cfg(feature = "smtp")]
pub use options::{Carrying, MailOptions};
pub use outbox::Outbox;
pub use sendmail::{DEFAULT_SENDMAIL, Sendmail};
#[cfg(feature = "smtp")]
pub use smtp::Smtp;

use std::fmt;
use std::io::Write;

use crate::shell::ShellError;

/// A message. Its text is what a `sendmail` command gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The recipient, as given; several are separated by commas.
    pub to: String,
    /// One line. Empty: the message has none.
    pub subject: String,
    /// The rest, without a line feed at its end.
    pub body: String,
}

impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "To: {}", self.to)?;
        if !self.subject.is_empty() {
            writeln!(f, "Subject: {}", self.subject)?;
        }
        write!(f, "\n{}", self.body)
    }
}

/// Something that sends mail, now or later. A trait, so that what listeners write can be tested without sending it.
pub trait Mailer {
    /// Sends, or says in `log` why not: a listener goes on either way. Returns whether the mail was handed over.
    fn send(&mut self, mail: &Mail, log: &mut dyn Write) -> bool;
}

/// A mailer that keeps what it should send.
impl Mailer for Vec<Mail> {
    fn send(&mut self, mail: &Mail, _: &mut dyn Write) -> bool {
        self.push(mail.clone());
        true
    }
}

/// A way mail can take.
pub trait Carrier {
    /// Hands a mail over, once.
    ///
    /// # Errors
    /// When nobody gets it.
    fn carry(&self, mail: &Mail) -> Result<Delivery, MailError>;
}

/// Who did not get a mail that somebody got, or may still get.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// How many recipients the mail was taken for.
    pub accepted: usize,
    /// Recipients who will never get it.
    pub refused: Vec<Refused>,
    /// Recipients who may get it later.
    pub deferred: Vec<Refused>,
}

impl Delivery {
    /// The recipients who may get it later, as the `to` of a mail.
    pub fn still_to(&self) -> String {
        let addresses = self.deferred.iter().map(|refused| refused.address.as_str());
        addresses.collect::<Vec<_>>().join(", ")
    }
}

/// A recipient for whom a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The address, as given.
    pub address: String,
    /// The words of the server.
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.reason)
    }
}

/// Why nobody gets a mail.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The command did not take it.
    #[error(transparent)]
    Command(#[from] ShellError),
    /// It may work later.
    #[error("{0}")]
    Passing(String),
    /// It will never work.
    #[error("{0}")]
    Lasting(String),
}

impl MailError {
    /// Whether another attempt would end in the same way.
    pub const fn is_lasting(&self) -> bool {
        matches!(self, Self::Lasting(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_exact() {
        let mail = |subject: &str| Mail {
            to: "ops@example.com".into(),
            subject: subject.into(),
            body: "Process p\nexited".into(),
        };
        let text = "To: ops@example.com\nSubject:  p crashed\n\nProcess p\nexited";
        assert_eq!(mail(" p crashed").to_string(), text);
        assert_eq!(
            mail("").to_string(),
            "To: ops@example.com\n\nProcess p\nexited"
        );
    }
}
