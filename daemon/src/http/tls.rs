//! TLS: certificates from files, taken up anew when the files change.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use config::model::TlsFiles;
use config::{TlsFile, TlsFlaw};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::logs::activity::ActivityLog;

/// How often the files are looked at, at most.
const PAUSE: Duration = Duration::from_secs(1);

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
#[error("Section [{section}] cannot be used: {option} {}", flaw.text)]
pub struct TlsError {
    section: String,
    option: &'static str,
    flaw: TlsFlaw,
}

impl TlsError {
    fn of(section: &str, flaw: TlsFlaw) -> Self {
        Self {
            section: section.to_owned(),
            option: match flaw.file {
                TlsFile::Certificates => "certfile",
                TlsFile::Key => "keyfile",
            },
            flaw,
        }
    }
}

/// The certificate of one server.
#[derive(Debug)]
pub(super) struct Certificate {
    section: String,
    files: TlsFiles,
    config: RefCell<Arc<ServerConfig>>,
    stamp: Cell<[Stamp; 2]>,
    next_look: Cell<Instant>,
}

/// What tells one content of a file from another: device, inode, size, seconds and nanoseconds of the last change.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When one is not there or not what it should be, or the two do not fit.
    pub(super) fn load(section: &str, files: &TlsFiles) -> Result<Self, TlsError> {
        let stamp = stamp(files);
        let config = load(files).map_err(|flaw| TlsError::of(section, flaw))?;
        Ok(Self {
            section: section.to_owned(),
            files: files.clone(),
            config: RefCell::new(config),
            stamp: Cell::new(stamp),
            next_look: Cell::new(Instant::now() + PAUSE),
        })
    }

    /// What a new connection gets. Files that have changed are read first; if they cannot be used that is logged, and
    /// what there was is used on.
    pub(super) fn acceptor(&self, log: &ActivityLog) -> TlsAcceptor {
        let now = Instant::now();
        if now >= self.next_look.get() {
            self.next_look.set(now + PAUSE);
            self.renew(log);
        }
        self.config.borrow().clone().into()
    }

    fn renew(&self, log: &ActivityLog) {
        let stamp = stamp(&self.files);
        if self.stamp.replace(stamp) == stamp {
            return;
        }
        let section = &self.section;
        match load(&self.files) {
            Ok(config) => {
                *self.config.borrow_mut() = config;
                log.info(format_args!("Server '{section}' has a new certificate"));
            }
            Err(flaw) => log.error(format_args!(
                "{}; the certificate of before is used on",
                TlsError::of(section, flaw)
            )),
        }
    }
}

fn stamp(files: &TlsFiles) -> [Stamp; 2] {
    [&files.certificates, &files.key].map(|path| {
        let file = fs::metadata(path).ok()?;
        let changed = (file.mtime(), file.mtime_nsec());
        Some((file.dev(), file.ino(), file.size(), changed.0, changed.1))
    })
}

/// Something that is wrong with a file.
pub(super) fn flaw(file: TlsFile, path: &Path, problem: impl Display) -> TlsFlaw {
    TlsFlaw {
        file,
        text: format!("{}: {problem}", path.display()),
    }
}

/// What a server does with a certificate and its key.
///
/// # Errors
/// When one is not there or not what it should be, or the two do not fit.
pub(super) fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsFlaw> {
    let no_certificate =
        |problem: String| flaw(TlsFile::Certificates, &files.certificates, problem);
    let no_key = |problem: String| flaw(TlsFile::Key, &files.key, problem);
    let chain = certificates(&files.certificates).map_err(no_certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key);
    let key = key.map_err(|error| no_key(explain(error, "private key")))?;
    let builder = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| no_certificate(error.to_string()))?;
    let config = builder.with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            no_key("the key is not that of the certificate".to_owned())
        }
        rustls::Error::InvalidCertificate(error) => no_certificate(error.to_string()),
        error => no_key(error.to_string()),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let explain = |error| explain(error, "certificate");
    let chain = CertificateDer::pem_file_iter(path).map_err(explain)?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(explain)?;
    match chain.is_empty() {
        true => Err(explain(pem::Error::NoItemsFound)),
        false => Ok(chain),
    }
}

fn explain(error: pem::Error, wanted: &str) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => format!("there is no {wanted} in it (PEM is read)"),
        error => error.to_string(),
    }
}

/// An encrypted connection.
pub(super) struct Encrypted(TlsStream<TcpStream>);

impl Encrypted {
    /// Agrees with the client on how to encrypt.
    ///
    /// # Errors
    /// When that fails, or the client speaks something else.
    pub(super) async fn agree(stream: TcpStream, acceptor: TlsAcceptor) -> io::Result<Self> {
        acceptor.accept(stream).await.map(Self)
    }
}

impl AsFd for Encrypted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().0.as_fd()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
