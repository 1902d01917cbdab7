//! What a daemon costs over the number of its programs.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use callboard_tests::workspace;
use serde_json::json;

use crate::compare::number;
use crate::error::{About, Error};
use crate::experiments::lives::{descriptors, idle, last_of, numprocs, start};
use crate::experiments::tools;
use crate::meter;
use crate::options::Options;
use crate::rpc;
use crate::server::Install;
use crate::svg::{self, Chart};
use crate::{print, warn};

const SIZES: [usize; 7] = [10, 30, 100, 300, 1000, 3000, 10_000];

/// As little as can be: log files are not the daemon's cost, and a third pipe each would be too many for most machines.
const LEAST: &str = "stdout_logfile=NONE\nredirect_stderr=true\n";

/// What is drawn, in the order of [`measure`].
const TITLES: [&str; 6] = [
    "start until all run, ms",
    "memory of the daemon, MB",
    "idle: CPU per minute, ms",
    "getAllProcessInfo, ms",
    "update that adds ten, ms",
    "shutdown, ms",
];

/// Measures all sizes, prints a table and draws it.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let installs = [Install::ours(options.ours.clone())?, Install::original()];
    // Two pipes each, and the daemon's own descriptors.
    let most = (descriptors(10_000) - 200) / 2;
    let few = if options.quick { 3 } else { SIZES.len() };
    let sizes = SIZES[..few].iter().map(|size| (*size).min(most));
    let mut curves: Vec<Vec<(f64, [f64; 6])>> = vec![Vec::new(); installs.len()];
    print(&format!("| programs | | {} |", TITLES.join(" | ")));
    print("|---|---|---|---|---|---|---|---|");
    let out = options.out.clone();
    let out = out.unwrap_or_else(|| workspace::root().join("docs/performance.svg"));
    for size in sizes {
        for (install, curve) in installs.iter().zip(&mut curves) {
            match measure(install, size) {
                Ok(figures) => {
                    let cells = figures.map(number).join(" | ");
                    print(&format!("| {size} | {} | {cells} |", install.label));
                    curve.push((size as f64, figures));
                }
                Err(error) => warn(&format!("{size} {}: {error}", install.label)),
            }
        }
        // The large sizes take minutes: what is known so far is drawn already.
        write(&out, &installs, &curves)?;
    }
    Ok(())
}

/// The six figures of one daemon.
fn measure(install: &Install, size: usize) -> Result<[f64; 6], Error> {
    let config = numprocs(size, LEAST);
    let (server, mut connection, seconds) = start(install, &config, &last_of(size), size)?;
    let request = rpc::request("supervisor.getAllProcessInfo", &json!([]));
    let mut answers = Vec::new();
    for _ in 0..9 {
        let start = Instant::now();
        connection.exchange(&request).about("ask for all")?;
        answers.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    drop(connection);
    let [cpu, _] = idle(&server, Duration::from_secs(8))?;
    let memory = meter::megabytes(server.pid(), "VmRSS")?;
    let more = numprocs(10, LEAST).replace("[program:p]", "[program:q]");
    let updated = tools::update(install, &server, &(config + &more), "q:q_00009", size + 10)?;
    Ok([
        seconds * 1000.0,
        memory,
        cpu,
        meter::median(&answers),
        updated.as_secs_f64() * 1000.0,
        server.stop()? * 1000.0,
    ])
}

fn write(out: &Path, installs: &[Install], curves: &[Vec<(f64, [f64; 6])>]) -> Result<(), Error> {
    let chart = |(at, title): (usize, &&str)| Chart {
        title: (*title).to_owned(),
        lines: installs
            .iter()
            .zip(curves)
            .map(|(install, curve)| {
                (
                    install.label,
                    curve
                        .iter()
                        .map(|(size, figures)| (*size, figures[at]))
                        .collect(),
                )
            })
            .collect(),
    };
    let charts: Vec<Chart> = TITLES.iter().enumerate().map(chart).collect();
    fs::write(out, svg::sheet(&charts)).about("write the picture")
}
