//! Why a command could not be carried out.

use std::io;

use client::{CallError, UrlError};

/// Why a command could not be carried out, beyond what the command itself explains.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server could not be asked, or refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The server's address is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The server refused with a fault that makes no sense for what was asked.
    #[error("{name}: {text}")]
    Refused {
        /// What it was about.
        name: String,
        /// The fault's text.
        text: String,
    },
    /// Nothing was entered where something must be.
    #[error("end of input")]
    EndOfInput,
    /// The terminal or standard input failed.
    #[error("cannot read input: {0}")]
    Input(#[source] io::Error),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Standard output failed; there is nowhere to complain.
    #[error("cannot write output: {0}")]
    Output(#[source] io::Error),
}
