//! Passwords are read from the terminal itself, wherever standard input comes from.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};

use nix::libc;
use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices as Key, Termios, tcgetattr, tcsetattr,
};

use crate::failure::Failure;

/// Reads a line with echo off. After Ctrl-C the cursor stays behind the prompt.
///
/// # Errors
/// When there is no terminal, or it ends, or the user does not want to.
pub(crate) fn read(prompt: &str) -> Result<String, Failure> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.map_err(Failure::Input)?;
    let line = read_from(&terminal, prompt);
    if !matches!(line, Err(Failure::Interrupted)) {
        terminal.write_all(b"\n").map_err(Failure::Input)?;
    }
    line
}

fn read_from(mut terminal: &File, prompt: &str) -> Result<String, Failure> {
    let silence = Silence::new(terminal).map_err(Failure::Input)?;
    let prompted = terminal.write_all(prompt.as_bytes());
    prompted.map_err(Failure::Input)?;
    type_in(terminal, &Keys::of(&silence.before))
}

/// Echo is off for as long as this lives, and keys that would send signals are read like others: a signal could end the
/// program before echo is on again.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        let line_discipline = LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG;
        silent.local_flags.remove(line_discipline);
        silent.control_chars[Key::VMIN as usize] = 1;
        silent.control_chars[Key::VTIME as usize] = 0;
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

/// The keys that mean something, as `stty` sets them.
struct Keys {
    interrupt: [u8; 2],
    suspend: u8,
    end: u8,
    erase: u8,
    kill: u8,
}

impl Keys {
    fn of(terminal: &Termios) -> Self {
        let key = |key: Key| terminal.control_chars[key as usize];
        Self {
            interrupt: [key(Key::VINTR), key(Key::VQUIT)],
            suspend: key(Key::VSUSP),
            end: key(Key::VEOF),
            erase: key(Key::VERASE),
            kill: key(Key::VKILL),
        }
    }
}

/// Reads what is typed up to the end of the line, byte by byte: what follows belongs to whoever reads next.
#[expect(clippy::unbuffered_bytes)] // What is read ahead would be lost.
fn type_in(input: impl Read, keys: &Keys) -> Result<String, Failure> {
    const BACKSPACES: [u8; 2] = [0x08, 0x7f];
    let mut typed = Vec::new();
    for byte in input.bytes() {
        match byte.map_err(Failure::Input)? {
            b'\n' | b'\r' => return finish(typed),
            // A key that is turned off.
            libc::_POSIX_VDISABLE => typed.push(libc::_POSIX_VDISABLE),
            key if keys.interrupt.contains(&key) => return Err(Failure::Interrupted),
            key if key == keys.suspend => {}
            key if key == keys.end => break,
            key if key == keys.kill => typed.clear(),
            key if key == keys.erase || BACKSPACES.contains(&key) => erase(&mut typed),
            byte => typed.push(byte),
        }
    }
    match typed.is_empty() {
        true => Err(Failure::EndOfInput),
        false => finish(typed),
    }
}

fn finish(typed: Vec<u8>) -> Result<String, Failure> {
    let line = String::from_utf8(typed);
    line.map_err(|_| Failure::Input(io::Error::other("a password must be UTF-8")))
}

/// Takes back a character of UTF-8.
fn erase(typed: &mut Vec<u8>) {
    while let Some(byte) = typed.pop() {
        if byte & 0b1100_0000 != 0b1000_0000 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: Keys = Keys {
        interrupt: [0x03, 0x1c],
        suspend: 0x1a,
        end: 0x04,
        erase: 0x7f,
        kill: 0x15,
    };

    #[test]
    fn keys_edit_the_password() {
        let rows = [
            ("secret\nnext", Ok("secret")),
            ("secret\r", Ok("secret")),
            ("\n", Ok("")),
            ("sä\x7f\x08ecret\n", Ok("ecret")),
            ("\x7f\x7fa\n", Ok("a")),
            ("wrong\x15right\n", Ok("right")),
            ("a\x1ab\n", Ok("ab")),
            ("secret\x04", Ok("secret")),
            ("\x04secret\n", Err("end of input")),
            ("", Err("end of input")),
            ("sec\x03", Err("interrupted")),
            ("\x1c", Err("interrupted")),
        ];
        for (typed, expected) in rows {
            let line = type_in(typed.as_bytes(), &KEYS).map_err(|error| error.to_string());
            assert_eq!(
                line.as_deref().map_err(String::as_str),
                expected,
                "{typed:?}"
            );
        }
        assert!(type_in(&b"\xff\n"[..], &KEYS).is_err());
    }

    #[test]
    fn keys_turned_off_are_characters() {
        let keys = Keys {
            interrupt: [0; 2],
            ..KEYS
        };
        assert_eq!(type_in(&b"a\0b\n"[..], &keys).unwrap(), "a\0b");
    }
}
