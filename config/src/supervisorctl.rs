//! What supervisorctl needs of the configuration: `[supervisorctl]` of the main file.

use std::path::{Path, PathBuf};

use crate::convert::{Invalid, RESOLVED_PATH};
use crate::error::ConfigError;
use crate::include::read_main;
use crate::locate::{ConfigFile, search, search_paths};
use crate::model::{Environment, Notice};
use crate::problems::Problems;
use crate::remark::Remark;
use crate::source::Source;
use crate::table::*;

/// How supervisorctl reaches the daemon and presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `http://`, `https://` or `unix://`, the path of the latter absolute; otherwise as written, unchecked.
    pub serverurl: String,
    /// User name to send.
    pub username: Option<String>,
    /// Password to send.
    pub password: Option<String>,
    /// PEM file of certificates that vouch for servers, absolute.
    pub cafile: Option<PathBuf>,
    /// Prompt of the interactive shell.
    pub prompt: String,
    /// Where the interactive shell keeps its history, absolute.
    pub history_file: Option<PathBuf>,
    /// Warnings to print.
    pub notices: Vec<Notice>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            serverurl: "http://localhost:9001".to_owned(),
            username: None,
            password: None,
            cafile: None,
            prompt: "supervisor".to_owned(),
            history_file: None,
            notices: Vec::new(),
        }
    }
}

/// Reads the settings. `argv0` is the program as it was invoked, `config_file` the argument of
/// `-c`; without one the usual places are searched, and if there is nothing the defaults hold.
///
/// # Errors
/// The file cannot be read, lacks the section, or has a bad value.
pub fn load(
    argv0: &str,
    config_file: Option<&str>,
    start_dir: &Path,
    env: &Environment,
) -> Result<Settings, ConfigError> {
    let file = match config_file {
        Some(spelled) => Some(ConfigFile::named(spelled, start_dir)),
        None => {
            let path = env.get("PATH").map(String::as_str);
            search(&search_paths(argv0, path), start_dir)
        }
    };
    match file {
        Some(file) => read(&file, start_dir, env),
        None => Ok(Settings::default()),
    }
}

fn read(file: &ConfigFile, start_dir: &Path, env: &Environment) -> Result<Settings, ConfigError> {
    let problems = Problems::default();
    let settings = settings(file, start_dir, env, &problems);
    problems.verdict(settings, "supervisorctl")
}

/// Reads the section and the plug-ins; `None` if there is no such section, or if that has been told.
pub(crate) fn settings(
    file: &ConfigFile,
    start_dir: &Path,
    env: &Environment,
    problems: &Problems,
) -> Option<Settings> {
    let document = read_main(file, problems)?;
    let source = Source::new(&document, start_dir, env, problems);
    let section = document.section("supervisorctl")?;
    let view = source.view(section);
    let serverurl = view.value(&CTL_SERVERURL);
    let prompt = view.value(&CTL_PROMPT);
    let username = view.get(&CTL_USERNAME);
    let password = view.get(&CTL_PASSWORD);
    let cafile = view.get(&CTL_CAFILE);
    let history_file = view.get(&CTL_HISTORY_FILE).filter(|path| !path.is_empty());
    let history_file =
        history_file.and_then(|path| (RESOLVED_PATH.convert)(&path, &source.context).ok());
    let notices = plugins(&source);
    Some(Settings {
        serverurl: serverurl?,
        username,
        password,
        cafile,
        prompt: prompt?,
        history_file,
        notices,
    })
}

/// The one factory of plug-ins there is; its commands are there anyway.
const OWN_PLUGIN: &str = "supervisor.supervisorctl:DefaultControllerPlugin";

/// Plug-ins whose commands supervisorctl has of its own.
const BUILT_IN_PLUGINS: [&str; 2] = [
    "supervisorwildcards.controllerplugin:make_wildcards_controllerplugin",
    "supervisorserialrestart.controllerplugin:make_serialrestart_controllerplugin",
];

/// Refuses plug-ins, which are Python code; remarks on the one that is not needed.
fn plugins(source: &Source<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    for section in source.document.sections() {
        if SectionKind::of(&section.name) != Some(SectionKind::CtlPlugin) {
            continue;
        }
        let view = source.view(section);
        let name = &section.name;
        match view.value(&CTL_FACTORY) {
            Some(spec) if BUILT_IN_PLUGINS.contains(&spec.as_str()) => {}
            Some(spec) if spec == OWN_PLUGIN => {
                let text = format!("[{name}] adds nothing: the commands of {spec} are built in");
                let remark = Remark::warning(text).shown_at(&section.place);
                notices.push(remark.into_notice());
            }
            Some(spec) => {
                let text = format!(
                    "[{name}] is ignored: {spec} is Python code, which cannot be loaded here; what it \
                     adds can be had by calling the RPC interface from a script"
                );
                let remark = Remark::warning(text).shown_at(&section.place);
                notices.push(remark.into_notice());
            }
            None => {}
        }
    }
    notices
}

/// Checks the argument of `-s`: something with a scheme and an address.
///
/// # Errors
/// [`Invalid::Url`].
pub fn check_url(text: &str) -> Result<(), Invalid> {
    let is_url = text.split_once(':').is_some_and(|(scheme, rest)| {
        let scheme_is_one = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let address = rest.strip_prefix("//").unwrap_or(rest);
        scheme_is_one && !address.is_empty() && !address.starts_with(['?', '#'])
    });
    if is_url {
        Ok(())
    } else {
        Err(Invalid::Url(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Result<Settings, String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("c"), text).unwrap();
        let env = Environment::from([
            ("X".to_owned(), "x".to_owned()),
            ("HOME".to_owned(), "/h".to_owned()),
        ]);
        let start = directory.path().to_str().unwrap();
        load("/nope/bin/supervisorctl", Some("c"), directory.path(), &env)
            .map(|mut settings| {
                settings.serverurl = settings.serverurl.replace(start, "<D>");
                settings
            })
            .map_err(|error| error.to_string().replace(start, "<D>"))
    }

    #[test]
    fn the_section_is_read() {
        assert_eq!(run("[supervisorctl]"), Ok(Settings::default()));
        let settings = run(
            "[supervisorctl]\nserverurl=unix://%(here)s/a/../s\nusername=%(ENV_X)s\npassword=100%%\n\
             prompt=p\nhistory_file=~/h\ncafile=%(here)s/ca.pem\n[include]\nfiles=nope\n[ctlplugin:a]\nsupervisor.ctl_factory=supervisor.supervisorctl:DefaultControllerPlugin\n",
        )
        .unwrap();
        assert_eq!(settings.serverurl, "unix://<D>/s");
        assert_eq!(settings.username.as_deref(), Some("x"));
        assert_eq!(settings.password.as_deref(), Some("100%"));
        assert_eq!(settings.prompt, "p");
        assert_eq!(settings.history_file, Some(PathBuf::from("/h/h")));
        assert!(settings.cafile.unwrap().ends_with("ca.pem"));
        assert_eq!(
            settings.notices[0].text,
            "c:10: [ctlplugin:a] adds nothing: the commands of supervisor.supervisorctl:DefaultControllerPlugin are built in"
        );
    }

    #[test]
    fn foreign_plugins_are_ignored_aloud() {
        let settings = run("[supervisorctl]\n[ctlplugin:a]\nsupervisor.ctl_factory=a:b").unwrap();
        let text = &settings.notices[0].text;
        assert!(
            text.starts_with("c:2: [ctlplugin:a] is ignored: a:b is Python code"),
            "{text}"
        );
    }

    #[test]
    fn refused_files() {
        let rows = [
            (
                "[supervisord]",
                ".ini file does not include supervisorctl section",
            ),
            (
                "[supervisorctl]\nprompt=%(here)s",
                "Format string '%(here)s' for 'supervisorctl.prompt' contains names ('here') which cannot \
                 be expanded. Available names: ENV_HOME, ENV_X (c, line 2, option prompt)",
            ),
            (
                "[supervisorctl]\n[ctlplugin:a]",
                "section [ctlplugin:a] does not specify a supervisor.ctl_factory (c, line 2)",
            ),
        ];
        for (text, want) in rows {
            assert_eq!(run(text), Err(want.to_owned()), "{text}");
        }
        let env = Environment::new();
        let missing = load("x", Some("nope"), Path::new("/usr"), &env);
        assert_eq!(missing, Err(ConfigError::Missing("nope".to_owned())));
        let directory = load("x", Some("bin"), Path::new("/usr"), &env);
        assert_eq!(directory, Err(ConfigError::Unreadable("bin".to_owned())));
    }

    #[test]
    fn urls() {
        for url in ["http://x", "unix:///s", "localhost:9001", "a:b"] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
        for text in ["foo", "", "http://", "http:", "://x", "1:2", "/a:b"] {
            assert_eq!(
                check_url(text).map_err(|error| error.to_string()),
                Err(format!("value '{text}' is not a URL"))
            );
        }
    }
}
