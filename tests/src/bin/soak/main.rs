//! One daemon under load and trouble for as long as one likes, and everything counted at the end.
//!
//! ```text
//! options   the command line              stage    the daemon, its directory, its numbers
//! plan      the configuration             clients  callers, followers, writers to standard input
//! workload  the programs and listeners    trouble  restarts, kills, updates, upgrades, by a seeded schedule
//! stream    the bytes a program writes    watch    memory and zombies while it runs, a line a minute
//! ledger    what it says it has written   judge    the invariants and the table
//! ```
//!
//! docs/soak.md tells what is checked and how to read the table.

mod clients;
mod judge;
mod ledger;
mod options;
mod plan;
mod shared;
mod stage;
mod stream;
mod trouble;
mod watch;
mod workload;

use std::env;
use std::process::ExitCode;
use std::thread;

use crate::options::Options;
use crate::shared::Shared;
use crate::stage::Stage;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    if let [first, rest @ ..] = words.as_slice()
        && first == "workload"
    {
        return workload::run(rest);
    }
    match options::parse(&words) {
        Ok(options) => soak(options),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// Starts, troubles, brings to rest, judges.
fn soak(options: Options) -> ExitCode {
    println!("{options}");
    let stage = Stage::start(&options);
    let before = stage.rest();
    stage.go_on();
    let mut shared = Shared::new(options, stage);
    run_all(&shared);
    let verdict = judge::judge(&mut shared, &before);
    println!("{verdict}");
    if verdict.is_broken() {
        let directory = shared.stage.keep();
        println!("The files are kept in {}", directory.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Everything at the same time until the time is over. Whoever panics breaks an invariant.
fn run_all(shared: &Shared) {
    let parts: Vec<(String, Box<dyn FnOnce() + Send + '_>)> = clients::all(shared)
        .into_iter()
        .chain(trouble::all(shared))
        .collect();
    thread::scope(|scope| {
        let running: Vec<_> = parts
            .into_iter()
            .map(|(name, part)| (name, scope.spawn(part)))
            .collect();
        watch::watch(shared);
        shared.end();
        for (name, part) in running {
            if part.join().is_err() {
                shared.complain(judge::Invariant::Harness, format!("{name} has panicked"));
            }
        }
    });
}
