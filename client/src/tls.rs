//! TLS: whom to trust, and what it means when a server is not trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{env, io};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Why there is no encrypted connection.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of the certificates to trust is of no use.
    #[error("cannot use the certificates in {}: {problem}", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody trusted vouches for the server's certificate.
    #[error("the server's certificate comes from an issuer that is not trusted")]
    UnknownIssuer,
    /// The certificate is for other names; the address, and what is wrong.
    #[error("the server's certificate is not for {0}")]
    WrongName(String),
    /// The certificate is too old, or from the future.
    #[error("the server's certificate has expired or is not valid yet")]
    Expired,
    /// The certificate is refused for another reason.
    #[error("the server's certificate is refused: {0}")]
    Certificate(String),
    /// What answers speaks no TLS.
    #[error("the server does not speak TLS")]
    NotTls,
    /// The server takes the connection and says nothing.
    #[error("the server does not answer the TLS handshake within {} s", .0.as_secs())]
    Silent(Duration),
    /// The two sides cannot agree.
    #[error("no encrypted connection: {0}")]
    Handshake(String),
}

/// Who vouches for servers.
#[derive(Debug, Clone)]
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Trusts the certificates in a PEM file; without one those in the file that `SSL_CERT_FILE` names, or Mozilla's.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, TlsError> {
        let named = || env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let provider = Arc::new(ring::default_provider());
        let handshake = |error: Error| TlsError::Handshake(error.to_string());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(handshake)?;
        let config = match file.map(Path::to_owned).or_else(named) {
            Some(path) => {
                let verifier = Verifier::new(&path, provider)?;
                config
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
            }
            None => config.with_root_certificates(RootCertStore::from_iter(
                webpki_roots::TLS_SERVER_ROOTS.iter().cloned(),
            )),
        };
        Ok(Self(Arc::new(config.with_no_client_auth())))
    }

    /// Makes a connection an encrypted one.
    pub(crate) async fn secure(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, io::Error> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(self.0.clone())
            .connect(name, stream)
            .await
    }
}

/// Trusts the certificates of a file, and those they vouch for.
///
/// `openssl req -x509` makes self-signed certificates of authorities, which the usual verification does not take from a
/// server: one that is in the file itself is believed for its names.
#[derive(Debug)]
struct Verifier {
    own: Vec<CertificateDer<'static>>,
    usual: Arc<WebPkiServerVerifier>,
}

impl Verifier {
    fn new(path: &Path, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let failed = |problem: String| TlsError::Roots {
            path: path.to_owned(),
            problem,
        };
        let own = read(path).map_err(failed)?;
        let mut roots = RootCertStore::empty();
        for certificate in &own {
            let added = roots.add(certificate.clone());
            added.map_err(|error| failed(error.to_string()))?;
        }
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let usual = usual.build().map_err(|error| failed(error.to_string()))?;
        Ok(Self { own, usual })
    }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let explain = |error: pem::Error| match error {
        pem::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(explain)?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(explain)?;
    match certificates.is_empty() {
        true => Err("there are none".to_owned()),
        false => Ok(certificates),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.own.iter().any(|own| own == certificate) {
            verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.usual
            .verify_server_cert(certificate, chain, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// What is wrong with the other side, if that is what an error of a connection to `host` is about.
pub(crate) fn diagnose(host: &str, error: &io::Error) -> Option<TlsError> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(problem) => judge(host, problem),
        Error::InvalidMessage(_) => TlsError::NotTls,
        error => TlsError::Handshake(error.to_string()),
    })
}

fn judge(host: &str, problem: &CertificateError) -> TlsError {
    use CertificateError as E;
    match problem {
        E::UnknownIssuer => TlsError::UnknownIssuer,
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            TlsError::WrongName(host.to_owned())
        }
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            TlsError::Expired
        }
        // A self-signed one that only its own presence among the trusted ones could excuse.
        E::Other(reason) if reason.to_string().contains("CaUsedAsEndEntity") => {
            TlsError::UnknownIssuer
        }
        problem => TlsError::Certificate(problem.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_certificates_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("roots.pem");
        let problem = |path: &Path| Trust::load(Some(path)).unwrap_err().to_string();
        assert!(
            problem(&path).contains("No such file"),
            "{}",
            problem(&path)
        );
        std::fs::write(&path, "nothing\n").unwrap();
        assert!(
            problem(&path).ends_with("there are none"),
            "{}",
            problem(&path)
        );
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, garbage).unwrap();
        assert!(problem(&path).contains("roots.pem"), "{}", problem(&path));
    }
}
