//! Whole processes, measured against the original and against what the machine allows.
//!
//! ```text
//! options      the command line            experiments  what is measured, a row for each figure
//! server rpc   a daemon of either kind     floor        the same work by tiny programs
//! workload     the programs it runs        compare      rounds, medians, the table
//! meter        clocks and counters         curves svg   cost over the number of programs
//! ```

mod compare;
mod curves;
mod error;
mod experiments;
mod floor;
mod leftovers;
mod meter;
mod options;
mod rpc;
mod server;
mod svg;
mod workload;

use std::env;
use std::process::ExitCode;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::error::{About, Error};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = run(&arguments);
    leftovers::delete();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            warn(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Error> {
    match arguments.split_first() {
        Some((first, rest)) if first == "workload" => workload::run(rest),
        Some((first, rest)) if first == "floor" => {
            raise_limits()?;
            floor::run(rest)
        }
        Some((first, rest)) if first == "compare" => {
            raise_limits()?;
            compare::run(&options::parse(rest)?)
        }
        Some((first, rest)) if first == "curves" => {
            raise_limits()?;
            curves::run(&options::parse(rest)?)
        }
        _ => Err(Error::Usage(options::USAGE.to_owned())),
    }
}

/// Thousands of pipes need descriptors: as many as we may have.
fn raise_limits() -> Result<(), Error> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).about("read the limit of descriptors")?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).about("raise the limit of descriptors")
}

/// A line of results.
#[allow(clippy::print_stdout, reason = "results go to standard output")]
fn print(line: &str) {
    println!("{line}");
}

/// A line about how it goes.
#[allow(
    clippy::print_stderr,
    reason = "everything else goes to standard error"
)]
fn warn(line: &str) {
    eprintln!("{line}");
}
