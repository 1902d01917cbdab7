//! A snippet on disk, with everything a reader is given.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use callboard_tests::workspace;
use serde_json::{Value, json};

use crate::snippets::Snippet;

/// What precedes the text of a snippet that is not `raw`; the snippet may override it. The last line is a header,
/// so that an indented snippet continues nothing.
const PREAMBLE: &str = "\
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
identifier=board
[unix_http_server]
file=%(here)s/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
";

/// A snippet in a directory of its own.
#[derive(Debug)]
pub(crate) struct Case {
    /// The snippet's name.
    pub(crate) name: String,
    /// The working directory, which is that of the main file too.
    pub(crate) dir: PathBuf,
    /// The command line, the program first.
    pub(crate) argv: Vec<String>,
    /// It is supervisorctl that reads it: the subject of the data file.
    pub(crate) is_client: bool,
    /// The whole environment.
    pub(crate) environment: Vec<(String, String)>,
}

impl Case {
    /// Writes the files of a snippet. `@dir@` in its words and variables is the directory.
    pub(crate) fn write(dir: PathBuf, snippet: &Snippet) -> Self {
        fs::DirBuilder::new()
            .mode(0o755)
            .create(&dir)
            .expect("the directory is new");
        let preamble = if snippet.raw { "" } else { PREAMBLE };
        write(
            &dir.join("main.conf"),
            &[preamble.as_bytes(), &snippet.main].concat(),
        );
        for (name, text) in &snippet.files {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().expect("it is below the directory"))
                .expect("the directory is writable");
            match name.ends_with('/') {
                true => fs::create_dir_all(&path).expect("the directory is writable"),
                false => write(&path, text),
            }
        }
        let shown = dir.display().to_string();
        let words = snippet
            .arguments
            .iter()
            .map(|word| word.replace("@dir@", &shown));
        let program = workspace::binary("supervisord").display().to_string();
        let argv = [program, "-c".to_owned(), "main.conf".to_owned()];
        Self {
            name: snippet.name.clone(),
            is_client: snippet.name.starts_with("supervisorctl: "),
            argv: argv.into_iter().chain(words).collect(),
            environment: environment(&shown, snippet),
            dir,
        }
    }

    /// The form in which `originals.py` takes it.
    pub(crate) fn to_json(&self) -> Value {
        let environment: serde_json::Map<_, _> = self
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        json!({"dir": self.dir, "argv": self.argv, "env": environment, "client": self.is_client})
    }
}

fn write(path: &Path, text: &[u8]) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
}

fn environment(dir: &str, snippet: &Snippet) -> Vec<(String, String)> {
    let all = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", dir),
        ("TMPDIR", dir),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("GREETING", "hello"),
        ("EMPTY", ""),
        ("PERCENT", "100%"),
        ("NESTED", "%(here)s"),
        ("NUMBER", "7"),
    ];
    let all = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let own = snippet.environment.iter().cloned();
    let mut environment: Vec<_> = all.into_iter().chain(own).collect();
    for (_, value) in &mut environment {
        *value = value.replace("@dir@", dir);
    }
    environment
}
