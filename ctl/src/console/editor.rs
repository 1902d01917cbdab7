//! The line editor: history and completion on a terminal.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use client::ProcessInfo;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::{History as _, MemHistory, SearchDirection};
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Helper};

use super::{Console, Entry};
use crate::complete;
use crate::controller::SharedServer;
use crate::failure::Failure;

/// A terminal.
pub(crate) struct Editor {
    editor: rustyline::Editor<Completion, MemHistory>,
    history_file: Option<PathBuf>,
}

impl Editor {
    /// A line editor that completes with what `server` knows, and keeps its history in a file.
    pub(crate) fn new(
        server: SharedServer,
        history_file: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .bracketed_paste(false)
            .build();
        let history = MemHistory::with_config(&config);
        let editor = rustyline::Editor::with_history(config, history);
        let mut editor = editor.map_err(|error| Failure::Input(io::Error::other(error)))?;
        editor.set_helper(Some(Completion {
            server,
            processes: RefCell::new(None),
        }));
        // Without its history the shell is still a shell.
        if let Some(lines) = history_file.as_ref().and_then(|file| fs::read(file).ok()) {
            for line in String::from_utf8_lossy(&lines).lines() {
                let _ = editor.add_history_entry(line);
            }
        }
        Ok(Self {
            editor,
            history_file,
        })
    }

    fn read(&mut self, prompt: &str) -> Result<Entry, Failure> {
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Entry::Line(line)),
            Err(ReadlineError::Eof) => Ok(Entry::End),
            Err(ReadlineError::Interrupted) => Err(Failure::Interrupted),
            Err(ReadlineError::Io(error)) => Err(Failure::Input(error)),
            Err(error) => Err(Failure::Input(io::Error::other(error))),
        }
    }

    fn history(&self) -> String {
        let history = self.editor.history();
        let mut text = String::new();
        for index in 0..history.len() {
            if let Ok(Some(found)) = history.get(index, SearchDirection::Forward) {
                text.push_str(&found.entry);
                text.push('\n');
            }
        }
        text
    }
}

impl Console for Editor {
    fn read_command(&mut self, prompt: &str, _out: &mut dyn Write) -> Result<Entry, Failure> {
        if let Some(completion) = self.editor.helper() {
            completion.processes.replace(None);
        }
        let entry = self.read(prompt)?;
        if let Entry::Line(line) = &entry {
            let _ = self.editor.add_history_entry(line);
        }
        Ok(entry)
    }

    fn leaves_prompt(&self) -> bool {
        true
    }

    fn ask(&mut self, question: &str, _out: &mut dyn Write) -> Result<Entry, Failure> {
        self.read(question)
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if let Some(file) = &self.history_file {
            let _ = fs::write(file, self.history());
        }
    }
}

struct Completion {
    server: SharedServer,
    /// Asked for once per command: Tab may be hit many times.
    processes: RefCell<Option<Vec<ProcessInfo>>>,
}

impl Completion {
    fn fetch(&self) -> Vec<ProcessInfo> {
        self.server.borrow_mut().processes().unwrap_or_default()
    }
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let start = complete::word_start(&line[..pos]);
        let mut processes = self.processes.borrow_mut();
        let candidates = complete::candidates(line, &line[start..pos], || {
            processes.get_or_insert_with(|| self.fetch())
        });
        Ok((start, candidates))
    }
}

impl Hinter for Completion {
    type Hint = String;
}
impl Highlighter for Completion {}
impl Validator for Completion {}
impl Helper for Completion {}
