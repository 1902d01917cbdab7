//! Letters, and the SMTP server that takes them.

use std::io;

use lettre::address::{AddressError, Envelope};
use lettre::message::header::{ContentTransferEncoding, ContentType, MIME_VERSION_1_0};
use lettre::message::{Body, Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{CertificateStore, Tls, TlsParameters};
use lettre::{Address, Message, SmtpTransport, Transport as _};

use crate::options::Options;

/// So much of the body goes to the log, in characters.
const DIGEST: usize = 76;

const SMTP_PORT: u16 = 25;

/// Bytes of a line in mail, by RFC 5322.
const LONGEST_LINE: usize = 998;

/// Everything about a letter but its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Recipients, as given.
    pub(crate) to: Vec<String>,
    /// Sender, as given.
    pub(crate) from: String,
    /// Subject; `None` or empty: there is no such header.
    pub(crate) subject: Option<String>,
}

impl Letter {
    /// What the log shows of a letter with this body.
    pub(crate) fn summary(&self, body: &str) -> String {
        let end = body.char_indices().nth(DIGEST).map(|(end, _)| end);
        let (digest, dots) = match end {
            Some(end) => (&body[..end], "..."),
            None => (body, ""),
        };
        format!(
            "Sending notification email:\nTo: {}\nFrom: {}\nSubject: {}\nBody:\n{digest}{dots}",
            self.to.join(", "),
            self.from,
            self.subject.as_deref().unwrap_or("None")
        )
    }
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// An address is none.
    #[error("{0}: {1}")]
    Address(String, AddressError),
    /// The letter cannot be put together.
    #[error(transparent)]
    Letter(#[from] lettre::error::Error),
    /// The server cannot be reached or does not take it.
    #[error("{}", chain(.0))]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// Something that sends letters. A trait, so that their timing can be tested without sending them.
pub(crate) trait PostOffice {
    /// Sends one.
    ///
    /// # Errors
    /// When it was not taken.
    fn send(&mut self, letter: &Letter, body: &str) -> Result<(), SendError>;
}

/// A mail server, talked to on a new connection for each letter.
#[derive(Debug)]
pub(crate) struct Smtp {
    host: String,
    port: u16,
    login: Option<(String, String)>,
    tls: bool,
}

impl Smtp {
    /// The server the options name. Nothing is tried yet.
    pub(crate) fn new(options: &Options) -> Self {
        let (host, port) = host_and_port(&options.host);
        Self {
            host: host.to_owned(),
            port,
            login: options.login.clone(),
            tls: options.tls,
        }
    }

    fn transport(&self) -> Result<SmtpTransport, SendError> {
        let mut transport = SmtpTransport::builder_dangerous(&self.host).port(self.port);
        if let Some((user, password)) = &self.login {
            transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
            if self.tls {
                transport = transport.tls(Tls::Required(self.tls_parameters()?));
            }
        }
        Ok(transport.build())
    }

    /// As in Superlance, no certificate is refused: the mail servers next door have their own.
    fn tls_parameters(&self) -> Result<TlsParameters, SendError> {
        let parameters = TlsParameters::builder(self.host.clone())
            .certificate_store(CertificateStore::None)
            .dangerous_accept_invalid_certs(true)
            .dangerous_accept_invalid_hostnames(true);
        Ok(parameters.build_rustls()?)
    }
}

impl PostOffice for Smtp {
    fn send(&mut self, letter: &Letter, body: &str) -> Result<(), SendError> {
        let (message, envelope) = compose(letter, body)?;
        self.transport()?
            .send_raw(&envelope, &message.formatted())?;
        Ok(())
    }
}

fn compose(letter: &Letter, body: &str) -> Result<(Message, Envelope), SendError> {
    let from = mailbox(&letter.from)?;
    let to: Vec<_> = letter
        .to
        .iter()
        .map(|address| mailbox(address))
        .collect::<Result<_, _>>()?;
    let recipients = to.iter().map(|mailbox| mailbox.email.clone()).collect();
    let envelope = Envelope::new(Some(from.email.clone()), recipients)?;
    let mut message = Message::builder()
        .from(from)
        .mailbox(lettre::message::header::To::from(Mailboxes::from_iter(to)))
        .date_now()
        .message_id(None)
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    if let Some(subject) = letter
        .subject
        .as_ref()
        .filter(|subject| !subject.is_empty())
    {
        message = message.subject(subject);
    }
    Ok((message.body(content(body))?, envelope))
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
fn mailbox(text: &str) -> Result<Mailbox, SendError> {
    if !text.contains('@') {
        let address = Address::new(text, "localhost");
        let address = address.map_err(|error| SendError::Address(text.to_owned(), error))?;
        return Ok(Mailbox::new(None, address));
    }
    text.parse()
        .map_err(|error| SendError::Address(text.to_owned(), error))
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

/// `[Errno 111] Connection refused`.
fn system_error(error: &io::Error) -> Option<String> {
    let code = error.raw_os_error()?;
    let text = error.to_string();
    let text = text.trim_end_matches(&format!(" (os error {code})"));
    Some(format!("[Errno {code}] {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: Option<&str>) -> Letter {
        Letter {
            to: vec!["a@x.org".into(), "root".into()],
            from: "Me <me@z.org>".into(),
            subject: subject.map(str::to_owned),
        }
    }

    #[test]
    fn the_summary_is_exact() {
        let head = "Sending notification email:\nTo: a@x.org, root\nFrom: Me <me@z.org>\nSubject: ";
        let long = "é".repeat(77);
        let rows = [
            (Some("S"), "one\ntwo", format!("{head}S\nBody:\none\ntwo")),
            (None, "one", format!("{head}None\nBody:\none")),
            (
                Some("S"),
                &long[..152],
                format!("{head}S\nBody:\n{}", &long[..152]),
            ),
            (
                Some("S"),
                &long,
                format!("{head}S\nBody:\n{}...", &long[..152]),
            ),
        ];
        for (subject, body, want) in rows {
            assert_eq!(letter(subject).summary(body), want);
        }
    }

    #[test]
    fn letters_have_the_usual_headers() {
        let (message, envelope) = compose(&letter(Some("Crash")), "one\ntwo").expect("a letter");
        let text = String::from_utf8(message.formatted()).expect("text");
        for header in [
            "From: Me <me@z.org>\r\n",
            "To: a@x.org, root@localhost\r\n",
            "Subject: Crash\r\n",
            "Date: ",
            "Message-ID: <",
            "MIME-Version: 1.0\r\n",
        ] {
            assert!(text.contains(header), "{header}: {text}");
        }
        assert!(text.ends_with("\r\n\r\none\r\ntwo"), "{text}");
        assert_eq!(
            envelope.from().map(ToString::to_string).as_deref(),
            Some("me@z.org")
        );
        let to: Vec<_> = envelope.to().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["a@x.org", "root@localhost"]);
        for subject in [None, Some("")] {
            let (message, _) = compose(&letter(subject), "one").expect("a letter");
            let text = String::from_utf8(message.formatted()).expect("text");
            assert!(!text.contains("Subject:"), "{text}");
        }
    }

    #[test]
    fn long_lines_stay_whole() {
        let encoding = |text: &str| content(text).encoding();
        let long = "x".repeat(LONGEST_LINE);
        assert_eq!(encoding(&long), ContentTransferEncoding::SevenBit);
        assert_eq!(content("a\nb").into_vec(), b"a\r\nb");
        for text in [format!("{long}x"), format!("{long}é")] {
            assert_ne!(encoding(&text), ContentTransferEncoding::SevenBit);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let letter = Letter {
            to: vec!["a@@b".into()],
            ..letter(None)
        };
        let error = compose(&letter, "one").expect_err("no address");
        assert!(error.to_string().starts_with("a@@b: "), "{error}");
    }

    #[test]
    fn what_the_system_refuses_is_told_as_superlance_tells_it() {
        let refused = io::Error::from_raw_os_error(111);
        let outer = SendErrorAround(refused);
        assert_eq!(chain(&outer), "[Errno 111] Connection refused");
        let other = SendErrorAround(io::Error::other("why"));
        assert_eq!(chain(&other), "outside: why");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outside")]
    struct SendErrorAround(#[source] io::Error);

    #[test]
    fn hosts_may_have_ports() {
        let rows = [
            ("mx", "mx", 25),
            ("mx:26", "mx", 26),
            ("::1", "::1", 25),
            ("mx:x", "mx:x", 25),
        ];
        for (text, host, port) in rows {
            assert_eq!(host_and_port(text), (host, port), "{text}");
        }
    }
}
