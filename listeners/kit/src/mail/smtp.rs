//! Mail by SMTP.

use std::io;
use std::time::Duration;

use lettre::address::AddressError;
use lettre::message::header::{ContentTransferEncoding, ContentType, MIME_VERSION_1_0, To};
use lettre::message::{Body, Mailbox, Mailboxes};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{CertificateStore, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::{Address, Message};

use super::{Carrier, Delivery, Mail, MailError, Refused};

const SMTP_PORT: u16 = 25;

/// How long the server may take for a step.
const LIMIT: Duration = Duration::from_secs(60);

/// Bytes of a line in mail, by RFC 5322.
const LONGEST_LINE: usize = 998;

/// A mail server, talked to on a new connection for each mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    host: String,
    port: u16,
    from: String,
    login: Option<(String, String)>,
    tls: bool,
    limit: Duration,
}

impl Smtp {
    /// The server `host` or `host:port`, and the sender of the mail. Nothing is tried yet.
    pub fn new(server: &str, from: impl Into<String>) -> Self {
        let (host, port) = host_and_port(server);
        Self {
            host: host.to_owned(),
            port,
            from: from.into(),
            login: None,
            tls: false,
            limit: LIMIT,
        }
    }

    /// Logs in with a user name and a password.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some((user.into(), password.into()));
        self
    }

    /// Encrypts the connection by STARTTLS, or sends nothing. As in Superlance no certificate is refused: the mail servers next
    /// door have their own.
    pub const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    fn connect(&self) -> Result<SmtpConnection, Error> {
        let me = ClientId::default();
        let server = (self.host.as_str(), self.port);
        let mut connection = SmtpConnection::connect(server, Some(self.limit), &me, None, None)?;
        if self.tls {
            let parameters = TlsParameters::builder(self.host.clone())
                .certificate_store(CertificateStore::None)
                .dangerous_accept_invalid_certs(true)
                .dangerous_accept_invalid_hostnames(true);
            connection.starttls(&parameters.build_rustls()?, &me)?;
        }
        if let Some((user, password)) = &self.login {
            let credentials = Credentials::new(user.clone(), password.clone());
            connection.auth(DEFAULT_MECHANISMS, &credentials)?;
        }
        Ok(connection)
    }
}

impl Carrier for Smtp {
    /// One transaction for all recipients: who is refused does not keep the mail from the others.
    fn carry(&self, mail: &Mail) -> Result<Delivery, MailError> {
        let letter = Letter::write(&self.from, mail)?;
        let mut connection = self.connect().map_err(|error| passing(&error))?;
        let result = letter.deliver(&mut connection);
        // The mail was taken, or not; nothing depends on how the server says goodbye.
        let _ = connection.quit();
        result
    }
}

/// A mail ready for the server.
struct Letter {
    from: Address,
    /// Addresses, as given and as the server gets them.
    to: Vec<(String, Address)>,
    /// What is no address among the recipients.
    strangers: Vec<Refused>,
    message: Vec<u8>,
}

impl Letter {
    fn write(from: &str, mail: &Mail) -> Result<Self, MailError> {
        let sender = mailbox(from);
        let sender = sender.map_err(|error| MailError::Lasting(format!("{from}: {error}")))?;
        let (mut to, mut boxes, mut strangers) = (Vec::new(), Vec::new(), Vec::new());
        for address in mail.to.split(',').map(str::trim) {
            match mailbox(address) {
                Ok(recipient) => {
                    to.push((address.to_owned(), recipient.email.clone()));
                    boxes.push(recipient);
                }
                Err(error) => strangers.push(Refused {
                    address: address.to_owned(),
                    reason: error.to_string(),
                }),
            }
        }
        if to.is_empty() {
            return Err(nobody(&strangers));
        }
        let message = compose(sender.clone(), boxes, mail);
        Ok(Self {
            from: sender.email,
            to,
            strangers,
            message: message.map_err(|error| MailError::Lasting(error.to_string()))?,
        })
    }

    fn deliver(self, connection: &mut SmtpConnection) -> Result<Delivery, MailError> {
        let parameters = self.parameters(connection)?;
        let from = MailFrom::new(Some(self.from), parameters);
        connection.command(from).map_err(|error| passing(&error))?;
        let mut delivery = Delivery {
            refused: self.strangers,
            ..Delivery::default()
        };
        for (address, recipient) in self.to {
            let Err(error) = connection.command(Rcpt::new(recipient, Vec::new())) else {
                delivery.accepted += 1;
                continue;
            };
            let reason = chain(&error);
            match (error.is_permanent(), error.is_transient()) {
                (true, _) => delivery.refused.push(Refused { address, reason }),
                (_, true) => delivery.deferred.push(Refused { address, reason }),
                _ => return Err(MailError::Passing(reason)),
            }
        }
        if delivery.accepted > 0 {
            connection.command(Data).map_err(|error| judge(&error))?;
            connection
                .message(&self.message)
                .map_err(|error| judge(&error))?;
        } else if delivery.deferred.is_empty() {
            return Err(nobody(&delivery.refused));
        }
        Ok(delivery)
    }

    /// Addresses beyond ASCII need a server that knows of them.
    fn parameters(&self, connection: &SmtpConnection) -> Result<Vec<MailParameter>, MailError> {
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if is_ascii(&self.from) && self.to.iter().all(|(_, address)| is_ascii(address)) {
            return Ok(Vec::new());
        }
        match connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            true => Ok(vec![MailParameter::SmtpUtfEight]),
            false => Err(MailError::Lasting(
                "the server takes no addresses beyond ASCII".to_owned(),
            )),
        }
    }
}

fn nobody(refused: &[Refused]) -> MailError {
    let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
    MailError::Lasting(refused.join(", "))
}

/// What went wrong before the server knew the mail says nothing about the mail.
fn passing(error: &Error) -> MailError {
    MailError::Passing(chain(error))
}

fn judge(error: &Error) -> MailError {
    match error.is_permanent() {
        true => MailError::Lasting(chain(error)),
        false => passing(error),
    }
}

fn compose(from: Mailbox, to: Vec<Mailbox>, mail: &Mail) -> Result<Vec<u8>, lettre::error::Error> {
    let mut message = Message::builder()
        .from(from)
        .mailbox(To::from(Mailboxes::from_iter(to)))
        .date_now()
        .message_id(None)
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    if !mail.subject.is_empty() {
        message = message.subject(&mail.subject);
    }
    Ok(message.body(content(&mail.body))?.formatted())
}

/// The text as the body of a letter: as it is wherever mail allows that. Left to itself the library would break lines of more
/// than 76 characters, for which a telephone shows equals signs.
fn content(text: &str) -> Body {
    let is_plain = text.is_ascii() && !text.contains(['\r', '\0']);
    if !is_plain || text.lines().any(|line| line.len() > LONGEST_LINE) {
        return Body::new(text.to_owned());
    }
    let bytes = text.replace('\n', "\r\n").into_bytes();
    Body::dangerous_pre_encoded(bytes, ContentTransferEncoding::SevenBit)
}

/// Reads an address. A bare name is a user of the mail server's own host.
fn mailbox(text: &str) -> Result<Mailbox, AddressError> {
    if !text.contains('@') {
        return Ok(Mailbox::new(None, Address::new(text, "localhost")?));
    }
    text.parse()
}

fn host_and_port(text: &str) -> (&str, u16) {
    let split = text.split_once(':').filter(|(_, port)| !port.contains(':'));
    match split.map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) => (host, port),
        _ => (text, SMTP_PORT),
    }
}

/// An error with its causes: alone it only says in which phase it came. What the system refused is shown as Python shows it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(refusal) = cause.downcast_ref().and_then(system_error) {
            return refusal;
        }
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}

/// `[Errno 111] Connection refused`; `timed out`.
fn system_error(error: &io::Error) -> Option<String> {
    if matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    ) {
        return Some("timed out".to_owned());
    }
    let code = error.raw_os_error()?;
    let text = error.to_string();
    let text = text.trim_end_matches(&format!(" (os error {code})"));
    Some(format!("[Errno {code}] {text}"))
}

#[cfg(test)]
#[path = "smtp/tests.rs"]
mod tests;
