//! What only who serves can say of a configuration.

use std::fmt;

use crate::model::TlsFiles;

/// Knows what a server can use: how passwords are hashed and what certificates are is no matter of the configuration's.
pub trait Judge: fmt::Debug {
    /// Whether a password of the configuration can be compared with what somebody gives.
    ///
    /// # Errors
    /// Why it cannot.
    fn password(&self, stored: &str) -> Result<(), String>;

    /// Whether a server can use a certificate and its key; if it can, what there is to be warned of.
    ///
    /// # Errors
    /// Why it cannot.
    fn tls(&self, files: &TlsFiles) -> Result<Option<TlsFlaw>, TlsFlaw>;
}

/// What is wrong with one of the two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFlaw {
    /// Which.
    pub file: TlsFile,
    /// The file's name and what is wrong, in words.
    pub text: String,
}

/// One of the files that TLS needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFile {
    /// `certfile`
    Certificates,
    /// `keyfile`
    Key,
}

/// Believes everything.
#[derive(Debug)]
pub(crate) struct Credulous;

impl Judge for Credulous {
    fn password(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn tls(&self, _: &TlsFiles) -> Result<Option<TlsFlaw>, TlsFlaw> {
        Ok(None)
    }
}
