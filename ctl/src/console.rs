//! Where the user types.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use crate::failure::Failure;
use crate::reactor::Reactor;
use crate::stdin::LineReader;

mod editor;
mod password;

pub(crate) use editor::Editor;
pub(crate) use password::read as read_password;

/// What the user entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A line, without its end.
    Line(String),
    /// The input has ended (Ctrl-D).
    End,
}

/// Where the user types. Ctrl-C is [`Failure::Interrupted`].
pub(crate) trait Console {
    /// Reads a command of the shell.
    fn read_command(&mut self, prompt: &str, out: &mut dyn Write) -> Result<Entry, Failure>;

    /// Whether the cursor is on a new line after the input has ended or been interrupted at a prompt.
    fn leaves_prompt(&self) -> bool {
        false
    }

    /// Reads the answer to a question.
    fn ask(&mut self, question: &str, out: &mut dyn Write) -> Result<Entry, Failure>;

    /// Reads a password, unseen.
    fn ask_password(&mut self, prompt: &str) -> Result<String, Failure> {
        password::read(prompt)
    }
}

/// Standard input as it is, for when it or the output is no terminal. Nothing is echoed.
pub(crate) struct Plain {
    reactor: Rc<Reactor>,
    input: Rc<RefCell<LineReader>>,
}

impl Plain {
    pub(crate) const fn new(reactor: Rc<Reactor>, input: Rc<RefCell<LineReader>>) -> Self {
        Self { reactor, input }
    }
}

impl Console for Plain {
    fn read_command(&mut self, prompt: &str, out: &mut dyn Write) -> Result<Entry, Failure> {
        self.ask(prompt, out)
    }

    fn ask(&mut self, question: &str, out: &mut dyn Write) -> Result<Entry, Failure> {
        show(question, out).map_err(Failure::Output)?;
        let mut input = self.input.borrow_mut();
        let line = input.next_line();
        let line = self
            .reactor
            .run(async { line.await.map_err(Failure::Input) })?;
        Ok(line.map_or(Entry::End, Entry::Line))
    }
}

fn show(prompt: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(prompt.as_bytes())?;
    out.flush()
}
