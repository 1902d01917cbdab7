//! `[supervisord]`, with the command line laid over it.

use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::cli::CommandLine;
use crate::convert::{Invalid, USER};
use crate::error::{ConfigError, OptionError};
use crate::model::{DaemonConfig, Environment, Notice, UserConfig};
use crate::notice::cut_notice;
use crate::source::View;
use crate::table::*;

/// Reads the section, and warns of `environment` values cut short. The user is not looked up yet:
/// see [`user`].
pub(crate) fn read(
    view: &View<'_>,
    cmd: &CommandLine,
    environment: &Environment,
) -> Result<(DaemonConfig, Option<Notice>), ConfigError> {
    let from = Layered { view, cmd };
    let minfds = from.value(&MINFDS)?;
    let minprocs = from.value(&MINPROCS)?;
    let directory = from.get(&DIRECTORY)?;
    let umask = from.value(&UMASK)?;
    let logfile = from.value(&LOGFILE)?;
    let logfile_maxbytes = from.value(&LOGFILE_MAXBYTES)?;
    let logfile_backups = from.value(&LOGFILE_BACKUPS)?;
    let loglevel = from.value(&LOGLEVEL)?;
    let pidfile = from.value(&PIDFILE)?;
    let identifier = from.value(&IDENTIFIER)?;
    let nodaemon = from.value(&NODAEMON)?;
    let silent = from.value(&SILENT)?;
    let childlogdir = from.get(&CHILDLOGDIR)?;
    let nocleanup = from.value(&NOCLEANUP)?;
    let strip_ansi = from.value(&STRIP_ANSI)?;
    let pairs = from.value(&DAEMON_ENVIRONMENT)?;
    let notice = cut_notice(view, &DAEMON_ENVIRONMENT, &pairs);
    let daemon = DaemonConfig {
        logfile,
        logfile_maxbytes,
        logfile_backups,
        loglevel,
        pidfile,
        umask,
        directory,
        nodaemon,
        silent,
        minfds,
        minprocs,
        user: None,
        identifier,
        childlogdir: childlogdir
            .unwrap_or_else(|| temporary_directory(environment, &cmd.start_dir)),
        nocleanup,
        strip_ansi,
        environment: pairs.variables,
    };
    Ok((daemon, notice))
}

/// The user to become. Supervisor looks at it last, when everything else has been found right.
pub(crate) fn user(view: &View<'_>, cmd: &CommandLine) -> Result<Option<UserConfig>, ConfigError> {
    let Some(text) = (Layered { view, cmd }).get(&DAEMON_USER)? else {
        return Ok(None);
    };
    (USER.convert)(&text, &view.source.context)
        .map(Some)
        .map_err(|invalid| view.option_error(&DAEMON_USER, invalid.into()))
}

/// The section, and the command line that beats it.
struct Layered<'a> {
    view: &'a View<'a>,
    cmd: &'a CommandLine,
}

impl Layered<'_> {
    /// The value that counts. The file's must be right even when it does not.
    fn get<T>(&self, row: &Typed<T>) -> Result<Option<T>, ConfigError> {
        let from_file = self.view.get(row)?;
        match self.cmd.overrides.get(row.about.key) {
            None => Ok(from_file),
            Some(text) => (row.kind.convert)(text, &self.view.source.context)
                .map(Some)
                .map_err(refused_override),
        }
    }

    fn value<T>(&self, row: &Typed<T>) -> Result<T, ConfigError> {
        self.get(row)?.ok_or_else(|| self.view.missing(row))
    }
}

/// An option of the command line that was right at start no longer is: a directory has gone.
fn refused_override(invalid: Invalid) -> ConfigError {
    Box::new(OptionError {
        reason: invalid.into(),
        process: None,
        location: None,
    })
    .into()
}

/// Python's `tempfile.gettempdir`: the first directory of the usual ones that can be written to.
fn temporary_directory(environment: &Environment, start_dir: &Path) -> PathBuf {
    let named = ["TMPDIR", "TEMP", "TMP"]
        .iter()
        .filter_map(|name| environment.get(*name));
    let named = named
        .filter(|path| !path.is_empty())
        .map(|path| start_dir.join(path));
    let usual = ["/tmp", "/var/tmp", "/usr/tmp"].map(PathBuf::from);
    named
        .chain(usual)
        .find(|path| path.is_dir() && access(path, AccessFlags::W_OK | AccessFlags::X_OK).is_ok())
        .unwrap_or_else(|| start_dir.to_owned())
}
