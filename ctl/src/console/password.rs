//! Passwords are read from the terminal itself, wherever standard input comes from.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use crate::failure::Failure;

/// Reads a line with echo off.
///
/// # Errors
/// When there is no terminal, or it ends.
pub(crate) fn read(prompt: &str) -> Result<String, Failure> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let line = terminal.and_then(|terminal| read_from(&terminal, prompt));
    match line.map_err(Failure::Input)? {
        line if line.is_empty() => Err(Failure::EndOfInput),
        line => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}

fn read_from(mut terminal: &File, prompt: &str) -> io::Result<String> {
    terminal.write_all(prompt.as_bytes())?;
    let mut line = String::new();
    {
        let _silence = Silence::new(terminal)?;
        BufReader::new(terminal).read_line(&mut line)?;
    }
    terminal.write_all(b"\n")?;
    Ok(line)
}

/// Echo is off for as long as this lives.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(terminal, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // The terminal has gone if this fails.
        let _ = tcsetattr(self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}
