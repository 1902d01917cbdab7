//! Which certificates to trust.

use std::{env, fs};

use ureq::tls::{PemItem, RootCerts, parse_pem};

/// Why certificates could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read certificates from {path}: {error}")]
pub struct RootsError {
    path: String,
    error: String,
}

/// The certificates to trust: those in the file `SSL_CERT_FILE` names, or Mozilla's.
///
/// # Errors
/// When the file cannot be read or has none.
pub fn roots() -> Result<RootCerts, RootsError> {
    let Some(path) = env::var_os("SSL_CERT_FILE") else {
        return Ok(RootCerts::WebPki);
    };
    let failed = |error: String| RootsError {
        path: path.to_string_lossy().into_owned(),
        error,
    };
    let pem = fs::read(&path).map_err(|error| failed(error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| failed(error.to_string()))?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(failed("there are none".to_owned()));
    }
    Ok(certificates.into())
}
