//! TLS: whom to trust, and what it means when a server is not trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, io};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

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
        let roots = match file.map(Path::to_owned).or_else(named) {
            Some(path) => read(&path)?,
            None => RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        };
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Handshake(error.to_string()))?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(Arc::new(config)))
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

fn read(path: &Path) -> Result<RootCertStore, TlsError> {
    let failed = |problem: String| TlsError::Roots {
        path: path.to_owned(),
        problem,
    };
    let explain = |error: pem::Error| match error {
        pem::Error::Io(error) => failed(error.to_string()),
        error => failed(error.to_string()),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(explain)? {
        let added = roots.add(certificate.map_err(explain)?);
        added.map_err(|error| failed(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(failed("there are none".to_owned())),
        false => Ok(roots),
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
