//! The programs: this executable again.

mod listener;
mod lives;
mod pen;

use std::io;
use std::process::ExitCode;
use std::thread::park;

pub(crate) use listener::{Habit, RECORDS};

/// Runs the program that the words name.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["steady"] => lives::steady(),
        ["storm"] => lives::storm(),
        ["crash"] => lives::crash(),
        ["brief"] => lives::brief(),
        ["failing"] => lives::failing(),
        ["sender"] => lives::sender(),
        ["parent"] => lives::parent(),
        ["orphan", seconds] => lives::orphan(seconds),
        ["echo"] => lives::echo(),
        ["idle"] => stay(),
        ["listen", pool, epoch, habit] => listener::listen(pool, epoch, habit),
        _ => Err(io::Error::other(format!("no such program: {words:?}"))),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{words:?}: {error}");
            ExitCode::from(99)
        }
    }
}

fn stay() -> io::Result<u8> {
    loop {
        park();
    }
}
