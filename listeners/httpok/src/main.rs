//! httpok: an event listener that restarts processes when a URL does not answer as it should.

mod check;
mod options;
mod probe;
mod reason;
mod restart;
mod search;
mod target;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use client::blocking::Client;
use listener_kit::{Identity, Listener, Outbox, Outcome, arguments, connect, log};

use crate::check::{Surroundings, Watch};
use crate::options::{Options, usage};
use crate::probe::HttpProbe;
use crate::restart::Gcore;
use crate::target::Target;

fn main() -> ExitCode {
    let options = match Options::parse(&arguments()) {
        Ok(options) => options,
        Err(refusal) => return refusal.exit(&usage()),
    };
    let supervisor = match connect("httpok", ExitCode::SUCCESS) {
        Ok(supervisor) => supervisor,
        Err(code) => return code,
    };
    let probes = options.urls.iter().map(|url| probe(url, &options));
    match probes.collect::<Result<Vec<_>, _>>() {
        Ok(probes) => watch(options, supervisor, probes),
        Err(error) => {
            // The exit code tells as much.
            let _ = writeln!(log(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn probe(url: &str, options: &Options) -> Result<HttpProbe, String> {
    let target = Target::parse(url).map_err(|error| error.to_string())?;
    HttpProbe::new(target, options).map_err(|error| error.to_string())
}

fn watch(options: Options, supervisor: Client, probes: Vec<HttpProbe>) -> ExitCode {
    let mut surroundings = Surroundings {
        supervisor,
        probes,
        dumper: options.coredir.clone().map(|directory| Gcore {
            command: options.gcore.clone(),
            directory,
        }),
        mailer: Outbox::new(options.mail.carrier()),
        log: log(),
        clock: Instant::now,
    };
    let mut watch = Watch::new(options, Identity::from_env());
    Listener::stdio().skip_stale_ticks().serve(|event| {
        if event.is_tick() {
            // A log that cannot be written is no reason to end.
            let _ = watch.check(&mut surroundings);
        }
        Outcome::Done
    })
}
