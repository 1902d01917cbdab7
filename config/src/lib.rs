//! The configuration file: text in, values out.
//!
//! [`cli::parse`] reads a command line and [`load`] the configuration it means:
//!
//! ```text
//! locate   which file                  table    THE OPTION TABLE: every option, once
//! reader   text to sections            convert  a text to a value, or what is wrong with it
//! include  further files               source   one section's options: expand, convert, locate
//! expand   %(here)s and the like       daemon, servers, groups, program, fcgi: what they mean
//! ```
//!
//! [`diff`] compares two results for a reread. Nothing here keeps state: loading again is calling
//! [`load`] again.
#![warn(missing_docs)]

pub mod cli;
mod convert;
mod daemon;
mod diff;
mod document;
mod environment;
mod error;
mod expand;
mod fcgi;
mod glob;
mod groups;
mod include;
pub mod locate;
pub mod model;
mod notice;
mod path;
mod program;
mod python;
mod reader;
mod servers;
pub mod shlex;
mod source;
pub mod supervisorctl;
pub mod table;

pub use convert::Invalid;
pub use diff::{Changes, diff};
pub use error::{CliError, ConfigError, Location, OptionError, Reason};
pub use expand::{BadFormat, ExpandError};
pub use python::python_repr;
pub use reader::SyntaxError;

use cli::CommandLine;
use document::Document;
use model::{Config, Environment};
use source::Source;

/// Reads the configuration that a command line names, includes and overrides applied. `env` is
/// the process's own environment.
///
/// # Errors
/// The first thing wrong with it, in Supervisor's words and with its place.
pub fn load(cmd: &CommandLine, env: &Environment) -> Result<Config, ConfigError> {
    let file = locate::config_file(cmd, env.get("PATH").map(String::as_str))?;
    let mut document = Document::default();
    let mut notices = include::read_all(&file, &cmd.start_dir, env, &mut document)?;
    let section = document
        .section("supervisord")
        .ok_or(ConfigError::NoSection("supervisord"))?;

    let mut source = Source::new(&document, &cmd.start_dir, env);
    let (mut daemon, cut) = daemon::read(&source.view(section), cmd, env)?;
    notices.extend(cut);
    source.environment.extend(daemon.environment.clone());
    let rpc_interfaces = servers::rpc_interfaces(&source)?;
    let groups = groups::read(&source, &daemon.environment, &mut notices)?;
    let servers = servers::servers(&source)?;
    daemon.user = daemon::user(&source.view(section), cmd)?;

    notices.extend(notice::vain(&document));
    notices.sort_by_key(|notice| notice.level);
    Ok(Config {
        daemon,
        servers,
        rpc_interfaces,
        groups,
        notices,
    })
}

#[cfg(test)]
mod tests;
