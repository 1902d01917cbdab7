//! The configuration file: text in, values out.
//!
//! [`cli::parse`] reads a command line and [`load`] the configuration it means:
//!
//! ```text
//! locate   which file                  table    THE OPTION TABLE: every option, once
//! reader   text to sections            convert  a text to a value, or what is wrong with it
//! include  further files               source   one section's options: expand, convert, locate
//! expand   %(here)s and the like       daemon, servers, groups, program, fcgi: what they mean
//! problems what is wrong               remark   what is right but probably not meant
//! judge    what only a server can say  exposure who can reach it
//! ```
//!
//! [`check`](fn@check) tells all that is wrong instead, [`diff`](fn@diff) compares two results for a
//! reread, [`sample`](fn@sample) and [`reference`](fn@reference) show the option table. Nothing here keeps state: loading again is calling
//! [`load`] again.
#![warn(missing_docs)]

pub mod check;
pub mod cli;
mod convert;
mod daemon;
mod diff;
mod document;
mod environment;
mod error;
mod expand;
mod exposure;
mod fcgi;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod glob;
mod groups;
mod include;
mod judge;
mod load;
pub mod locate;
pub mod model;
mod passwords;
mod path;
mod pool;
mod problems;
mod program;
mod python;
mod reader;
mod reference;
mod remark;
mod sample;
mod saved;
mod servers;
pub mod shlex;
mod signal;
mod source;
pub mod supervisorctl;
pub mod table;
mod users;

pub use check::{check, check_to_serve};
pub use convert::Invalid;
pub use diff::{Changes, diff};
pub use error::{CliError, ConfigError, Location, OptionError, Reason};
pub use expand::{BadFormat, ExpandError};
pub use judge::{Judge, TlsFile, TlsFlaw};
pub use python::python_repr;
pub use reader::SyntaxError;
pub use reference::reference;
pub use sample::sample;
pub use saved::share_sockets;

use cli::CommandLine;
use model::{Config, Environment};
use problems::Problems;
use remark::Remark;

/// Reads the configuration that a command line names, includes and overrides applied. `env` is
/// the process's own environment.
///
/// # Errors
/// The first thing wrong with it, in Supervisor's words and with its place.
pub fn load(cmd: &CommandLine, env: &Environment) -> Result<Config, ConfigError> {
    load_to_serve(cmd, env, &judge::Credulous)
}

/// The same, passwords and certificates included.
///
/// # Errors
/// The first thing wrong with it, in Supervisor's words and with its place.
pub fn load_to_serve(
    cmd: &CommandLine,
    env: &Environment,
    judge: &dyn Judge,
) -> Result<Config, ConfigError> {
    let file = locate::config_file(cmd, env.get("PATH").map(String::as_str))?;
    let problems = Problems::default();
    let mut remarks = Vec::new();
    let config = load::load(&file, cmd, env, judge, &problems, &mut remarks);
    let mut config = problems.verdict(config, "supervisord")?;
    config.notices = remarks.into_iter().map(Remark::into_notice).collect();
    config.notices.sort_by_key(|notice| notice.level);
    Ok(config)
}

#[cfg(test)]
mod tests;
