//! `[supervisord]`, with the command line laid over it.

use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::cli::CommandLine;
use crate::convert::{Invalid, USER};
use crate::error::OptionError;
use crate::model::{DaemonConfig, Environment, UserConfig};
use crate::remark::{Remark, cut_values};
use crate::source::View;
use crate::table::*;

/// Reads the section, and warns of `environment` values cut short. The user is not looked up yet:
/// see [`user`].
pub(crate) fn read(
    view: &View<'_>,
    cmd: &CommandLine,
    environment: &Environment,
    remarks: &mut Vec<Remark>,
) -> Option<DaemonConfig> {
    let from = Layered { view, cmd };
    let strict = from.value(&STRICT)?;
    let minfds = from.value(&MINFDS)?;
    let minprocs = from.value(&MINPROCS)?;
    let directory = from.get(&DIRECTORY);
    let umask = from.value(&UMASK)?;
    let logfile = from.value(&LOGFILE)?;
    let logfile_maxbytes = from.value(&LOGFILE_MAXBYTES)?;
    let logfile_backups = from.value(&LOGFILE_BACKUPS)?;
    let loglevel = from.value(&LOGLEVEL)?;
    let pidfile = from.value(&PIDFILE)?;
    let identifier = from.value(&IDENTIFIER)?;
    let nodaemon = from.value(&NODAEMON)?;
    let silent = from.value(&SILENT)?;
    let childlogdir = from.get(&CHILDLOGDIR);
    let nocleanup = from.value(&NOCLEANUP)?;
    let strip_ansi = from.value(&STRIP_ANSI)?;
    let programs_on_death = from.value(&DEATH)?;
    let pairs = from.value(&DAEMON_ENVIRONMENT)?;
    remarks.extend(cut_values(view, &DAEMON_ENVIRONMENT, &pairs));
    Some(DaemonConfig {
        logfile,
        logfile_maxbytes,
        logfile_backups,
        loglevel,
        pidfile,
        umask,
        directory,
        nodaemon,
        silent,
        strict,
        minfds,
        minprocs,
        user: None,
        identifier,
        childlogdir: childlogdir
            .unwrap_or_else(|| temporary_directory(environment, &cmd.start_dir)),
        nocleanup,
        strip_ansi,
        programs_on_death,
        environment: pairs.variables,
    })
}

/// The user to become. Supervisor looks at it last, when everything else has been found right.
pub(crate) fn user(view: &View<'_>, cmd: &CommandLine) -> Option<UserConfig> {
    let from = Layered { view, cmd };
    let text = from.get(&DAEMON_USER)?;
    let user = (USER.convert)(&text, &view.source.context);
    let refused = |invalid: Invalid| match from.overridden(&DAEMON_USER) {
        Some(_) => from.tell_override(invalid),
        None => view.tell(&DAEMON_USER, invalid.into()),
    };
    user.map_err(refused).ok()
}

/// The section, and the command line that beats it.
struct Layered<'a> {
    view: &'a View<'a>,
    cmd: &'a CommandLine,
}

impl Layered<'_> {
    /// The value that counts. The file's must be right even when it does not.
    fn get<T>(&self, row: &Typed<T>) -> Option<T> {
        let from_file = self.view.get(row);
        let Some(text) = self.overridden(row) else {
            return from_file;
        };
        match (row.kind.convert)(text, &self.view.source.context) {
            Ok(value) => Some(value),
            Err(invalid) => {
                self.tell_override(invalid);
                from_file
            }
        }
    }

    fn value<T>(&self, row: &Typed<T>) -> Option<T> {
        let value = self.get(row);
        if value.is_none() && self.view.raw(row.about.key).is_none() {
            self.view.tell_missing(row);
        }
        value
    }

    fn overridden<T>(&self, row: &Typed<T>) -> Option<&str> {
        self.cmd.overrides.get(row.about.key).map(String::as_str)
    }

    /// An option of the command line is wrong, or was right at start and no longer is: a directory
    /// has gone.
    fn tell_override(&self, invalid: Invalid) {
        self.view.source.problems.tell(Box::new(OptionError {
            reason: invalid.into(),
            section: None,
            process: None,
            location: None,
        }));
    }
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
