//! Runs one command line after another and keeps what outlives them: output, exit status, the way to the server.

use std::cell::RefCell;
use std::fmt::Display;
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use client::{CallError, Credentials, ProcessInfo};
use protocol::faults::FaultCode;
use protocol::states::ProcessState;
use protocol::xmlrpc::Value;

use crate::commands;
use crate::console::{Console, Entry};
use crate::exit_status::ExitStatus;
use crate::explain::{LOG_IN, START_OR_ADDRESS, explain};
use crate::failure::Failure;
use crate::password_hash::{self, HashError};
use crate::results::ResultLine;
use crate::screen::{Screen, legible};
use crate::server::Server;
use crate::waiting::{Call, Moment, Observer, Subject};

const API_VERSION: &str = "3.0";

/// The server, shared with the completion of the shell.
pub(crate) type SharedServer = Rc<RefCell<dyn Server>>;

/// What a command has to say about the answer to the call of that number.
pub(crate) type Tell<'a> =
    dyn FnMut(usize, Result<Value, Failure>) -> Result<Option<ResultLine>, Failure> + 'a;

/// What to do after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Read the next one.
    Continue,
    /// Leave the shell.
    Leave,
}

/// Runs commands.
pub(crate) struct Controller {
    server: SharedServer,
    console: Box<dyn Console>,
    screen: Screen,
    status: ExitStatus,
    interactive: bool,
}

impl Controller {
    /// A controller. An interactive one asks for confirmation and credentials.
    pub(crate) fn new(
        server: SharedServer,
        console: Box<dyn Console>,
        screen: Screen,
        interactive: bool,
    ) -> Self {
        Self {
            server,
            console,
            screen,
            status: ExitStatus::Success,
            interactive,
        }
    }

    /// The last problem's exit status.
    pub(crate) const fn status(&self) -> ExitStatus {
        self.status
    }

    /// Notes a problem.
    pub(crate) const fn set_status(&mut self, status: ExitStatus) {
        self.status = status;
    }

    /// Runs one line and explains what went wrong.
    ///
    /// # Errors
    /// When the user interrupts it, or output is impossible.
    pub(crate) fn execute(&mut self, line: &str) -> Result<Flow, Failure> {
        loop {
            let flow = match commands::dispatch(self, line) {
                Err(Failure::Call(CallError::Unauthorized)) => {
                    if self.authenticate()? {
                        continue;
                    }
                    Flow::Continue
                }
                Err(failure @ (Failure::Interrupted | Failure::Output(_))) => return Err(failure),
                Err(failure) => {
                    let explanation = explain(&self.url(), &failure);
                    self.complain(explanation, ExitStatus::Failed)?;
                    Flow::Continue
                }
                Ok(flow) => flow,
            };
            self.flush()?;
            return Ok(flow);
        }
    }

    /// Prints a line.
    pub(crate) fn print(&mut self, line: impl Display) -> Result<(), Failure> {
        writeln!(self.screen, "{line}").map_err(Failure::Output)
    }

    /// Prints a line about a problem and notes it.
    pub(crate) fn complain(
        &mut self,
        line: impl Display,
        status: ExitStatus,
    ) -> Result<(), Failure> {
        self.status = status;
        self.print_foreign(line)
    }

    /// Prints a line with words of the server's. A terminal gets its control characters escaped.
    pub(crate) fn print_foreign(&mut self, line: impl Display) -> Result<(), Failure> {
        match self.screen.is_terminal() {
            true => self.print(legible(&line.to_string())),
            false => self.print(line),
        }
    }

    /// Prints a result and notes the problem, if it is one.
    pub(crate) fn tell(&mut self, result: &ResultLine) -> Result<(), Failure> {
        if let Some(status) = result.problem {
            self.status = status;
        }
        self.print_foreign(&result.text)
    }

    /// Calls a method of the server. What has been printed becomes visible before.
    pub(crate) fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, Failure> {
        self.flush()?;
        self.server.borrow_mut().call(method, params)
    }

    /// Makes calls that may take long at the same time, and prints what `tell` says about each answer, in the order of
    /// the calls. A terminal shows who is waited for.
    pub(crate) fn call_all(
        &mut self,
        calls: &[Call<'_>],
        tell: &mut Tell<'_>,
    ) -> Result<(), Failure> {
        self.flush()?;
        let server = Rc::clone(&self.server);
        let mut progress = Progress {
            ctl: self,
            calls,
            answers: 0,
            tell,
        };
        let result = server.borrow_mut().call_all(calls, &mut progress);
        self.screen.erase_progress().map_err(Failure::Output)?;
        result
    }

    /// Calls a method that may take long.
    pub(crate) fn call_long(
        &mut self,
        subject: Subject<'_>,
        method: &'static str,
        params: Vec<Value>,
    ) -> Result<Value, Failure> {
        let call = Call {
            subject,
            method,
            params,
        };
        let mut result = Ok(Value::Nil);
        self.call_all(&[call], &mut |_, answer| {
            result = answer;
            Ok(None)
        })?;
        result
    }

    /// In front of a terminal, stays with a server that shuts down until it has gone. `describe` turns what the server
    /// logs, and the time that has passed, into a line to show.
    pub(crate) fn stay(
        &mut self,
        describe: &mut dyn FnMut(Duration, &[u8]) -> Option<String>,
    ) -> Result<(), Failure> {
        if !self.screen.is_terminal() {
            return Ok(());
        }
        let screen = &mut self.screen;
        let result =
            self.server
                .borrow_mut()
                .stay(&mut |elapsed, log| match describe(elapsed, log) {
                    Some(line) => screen.show_progress(&line).map_err(Failure::Output),
                    None => Ok(()),
                });
        self.screen.erase_progress().map_err(Failure::Output)?;
        result
    }

    /// The escape sequence that begins the colour of a state; empty without colours.
    pub(crate) const fn colour(&self, state: Option<ProcessState>) -> &'static str {
        self.screen.colour(state)
    }

    /// A text with what to do about it, for somebody in front of a terminal. Programs get the text they know.
    pub(crate) fn advise(&self, text: &str, remedy: &str) -> String {
        match self.screen.is_terminal() {
            true => format!("{text}: {remedy}"),
            false => text.to_owned(),
        }
    }

    /// Every process.
    pub(crate) fn processes(&mut self) -> Result<Vec<ProcessInfo>, Failure> {
        self.flush()?;
        self.server.borrow_mut().processes()
    }

    /// The server and the output, for what streams from one to the other.
    pub(crate) fn stream<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Server, &mut dyn Write) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.flush()?;
        work(&mut *self.server.borrow_mut(), &mut self.screen)
    }

    /// The server's address.
    pub(crate) fn url(&self) -> String {
        self.server.borrow().url().to_owned()
    }

    /// Turns to another server.
    pub(crate) fn open(&mut self, url: &str) {
        self.server.borrow_mut().open(url);
    }

    /// Asks for a password and hashes it.
    pub(crate) fn hash_password(&mut self) -> Result<String, HashError> {
        self.flush()?;
        password_hash::ask(&mut |prompt| self.console.ask_password(prompt))
    }

    /// Whether the server is there and speaks this API; if not, says so.
    pub(crate) fn check_server(&mut self) -> Result<bool, Failure> {
        let url = self.url();
        let version = match self.call("supervisor.getVersion", &[]) {
            Ok(version) => version,
            Err(Failure::Call(CallError::Refused)) => {
                let line = self.advise(&format!("{url} refused connection"), START_OR_ADDRESS);
                return self.complain(line, ExitStatus::Unknown).map(|()| false);
            }
            Err(Failure::Call(CallError::NoSuchFile)) => {
                let line = self.advise(&format!("{url} no such file"), START_OR_ADDRESS);
                return self.complain(line, ExitStatus::NotRunning).map(|()| false);
            }
            Err(Failure::Call(error)) if error.fault() == Some(FaultCode::UnknownMethod) => {
                let status = ExitStatus::NotAllRunning;
                return self.complain(NO_NAMESPACE, status).map(|()| false);
            }
            Err(failure) => return Err(failure),
        };
        let version = version.as_str().unwrap_or("unknown");
        if version == API_VERSION {
            return Ok(true);
        }
        let line = format!(
            "Sorry, this version of supervisorctl expects to talk to a server with API version {API_VERSION}, \
             but the remote version is {version}."
        );
        self.complain(line, ExitStatus::WrongVersion)?;
        Ok(false)
    }

    /// Asks for permission, if there is somebody to ask.
    pub(crate) fn confirm(&mut self, question: &str) -> Result<bool, Failure> {
        if !self.interactive {
            return Ok(true);
        }
        let answer = self.ask(question)?;
        Ok(answer.starts_with(['y', 'Y']))
    }

    /// Reads the next command line of the shell. `None`: the user has ended the input.
    pub(crate) fn read_command(&mut self, prompt: &str) -> Result<Option<String>, Failure> {
        self.flush()?;
        match self.console.read_command(prompt, &mut self.screen)? {
            Entry::Line(line) => Ok(Some(line)),
            Entry::End => Ok(None),
        }
    }

    /// Puts what is printed next on a new line, after a prompt that got no command.
    pub(crate) fn leave_prompt(&mut self) -> Result<(), Failure> {
        match self.console.leaves_prompt() {
            true => Ok(()),
            false => self.print(""),
        }
    }

    fn ask(&mut self, question: &str) -> Result<String, Failure> {
        self.flush()?;
        match self.console.ask(question, &mut self.screen)? {
            Entry::Line(line) => Ok(line),
            Entry::End => Err(Failure::EndOfInput),
        }
    }

    /// Asks for credentials; `false` if there is nobody to ask or no answer.
    fn authenticate(&mut self) -> Result<bool, Failure> {
        self.print("Server requires authentication")?;
        match self.ask_credentials() {
            Ok(Some(credentials)) => {
                self.print("")?;
                self.server.borrow_mut().log_in(credentials);
                Ok(true)
            }
            Ok(None) => {
                let line = format!("error: no user name and password, or wrong ones: {LOG_IN}");
                self.complain(line, ExitStatus::Failed)?;
                Ok(false)
            }
            Err(failure @ (Failure::EndOfInput | Failure::Input(_))) => {
                self.complain(format!("error: {failure}"), ExitStatus::Failed)?;
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    }

    fn ask_credentials(&mut self) -> Result<Option<Credentials>, Failure> {
        if !self.interactive {
            return Ok(None);
        }
        let username = self.ask("Username:")?;
        self.flush()?;
        let password = self.console.ask_password("Password:")?;
        Ok(Some(Credentials { username, password }))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.screen.flush().map_err(Failure::Output)
    }
}

/// Hands answers to a command, prints what it says and shows who is waited for.
struct Progress<'a, 'c> {
    ctl: &'a mut Controller,
    calls: &'a [Call<'c>],
    answers: usize,
    tell: &'a mut Tell<'c>,
}

impl Observer for Progress<'_, '_> {
    fn answered(&mut self, answer: Result<Value, Failure>) -> Result<(), Failure> {
        let number = self.answers;
        self.answers += 1;
        if let Some(line) = (self.tell)(number, answer)? {
            self.ctl.tell(&line)?;
        }
        self.ctl.flush()
    }

    fn is_watching(&self) -> bool {
        self.ctl.screen.is_terminal()
    }

    fn waiting(&mut self, moment: &Moment<'_>) -> Result<(), Failure> {
        let line = moment.describe(self.calls);
        let screen = &mut self.ctl.screen;
        screen.show_progress(&line).map_err(Failure::Output)
    }
}

const NO_NAMESPACE: &str = "Sorry, supervisord responded but did not recognize the supervisor namespace commands \
    that supervisorctl uses to control it.  Please check that the [rpcinterface:supervisor] section is enabled in the \
    configuration file (see sample.conf).";

#[cfg(test)]
mod tests;
