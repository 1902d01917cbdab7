//! From files to a configuration, telling of everything that is wrong on the way.

use crate::cli::CommandLine;
use crate::document::{Document, Place, SourceFile};
use crate::error::ConfigError;
use crate::judge::Judge;
use crate::locate::ConfigFile;
use crate::model::{Config, Environment};
use crate::problems::Problems;
use crate::remark::{self, Remark};
use crate::source::Source;
use crate::{daemon, exposure, groups, include, servers, users};

/// Reads the configuration in `file`, command line and includes applied. Its notices are left out:
/// they are made of `remarks`, which are complete even if there is no configuration.
pub(crate) fn load(
    file: &ConfigFile,
    cmd: &CommandLine,
    env: &Environment,
    judge: &dyn Judge,
    problems: &Problems,
    remarks: &mut Vec<Remark>,
) -> Option<Config> {
    let mut document = include::read_all(file, &cmd.start_dir, env, problems, remarks)?;
    require_section(&mut document, file, problems);
    let section = document.section("supervisord")?;
    let mut source = Source::new(&document, &cmd.start_dir, env, problems);
    let daemon = daemon::read(&source.view(section), cmd, env, remarks);
    let environment = daemon.as_ref().map(|daemon| daemon.environment.clone());
    let environment = environment.unwrap_or_default();
    source.environment.extend(environment.clone());
    source.strict = daemon.as_ref().is_some_and(|daemon| daemon.strict);
    source.judge = judge;
    let rpc_interfaces = servers::rpc_interfaces(&source);
    let groups = groups::read(&source, &environment, remarks);
    let servers = servers::servers(&source, remarks);
    let accounts = users::accounts(&source, &groups, remarks);
    if accounts.is_empty() {
        exposure::examine(&source, &servers, remarks);
    }
    let user = daemon::user(&source.view(section), cmd);
    remarks.extend(remark::vain(&document));
    Some(Config {
        daemon: crate::model::DaemonConfig { user, ..daemon? },
        servers,
        accounts,
        rpc_interfaces,
        groups,
        notices: Vec::new(),
    })
}

/// Without `[supervisord]` there is no configuration; what else there is can be looked at.
fn require_section(document: &mut Document, file: &ConfigFile, problems: &Problems) {
    if document.section("supervisord").is_some() {
        return;
    }
    problems.tell(ConfigError::NoSection("supervisord"));
    let file = SourceFile {
        spelled: file.spelled.clone(),
        here: file.directory(),
    };
    let place = Place {
        file: file.into(),
        line: 1,
    };
    document.enter("supervisord", place);
}
