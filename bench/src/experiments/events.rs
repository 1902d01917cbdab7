//! Events, from the program that causes them to the listener.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Experiment, Figure, Wanted, workload};
use crate::error::{About, Error};
use crate::floor;
use crate::meter;
use crate::server::{Install, PATIENCE, Server};
use crate::workload::Record;

/// Events per second that latency is measured at.
const PACE: usize = 50;

/// Without a new event for so long nothing more comes.
const SILENCE: Duration = Duration::from_secs(2);

pub(super) fn experiments(quick: bool) -> Vec<Experiment> {
    let count = if quick { 2000 } else { 20_000 };
    let seconds = if quick { 2 } else { 10 };
    vec![
        burst(count),
        rate(1, count),
        rate(4, count),
        latency(seconds),
    ]
}

/// A program with tagged messages that is not started yet, and a pool.
fn config(words: &str, listeners: usize, options: &str) -> Result<String, Error> {
    let emitter = workload(words)?;
    let listener = workload("listen %(here)s/record.%(process_num)d")?;
    Ok(format!(
        "[program:emit]\ncommand={emitter}\nautostart=false\nstartsecs=0\nstdout_capture_maxbytes=1MB\n\
         [eventlistener:listen]\ncommand={listener}\nprocess_name=l%(process_num)d\n\
         numprocs={listeners}\nstartsecs=0\nevents=PROCESS_COMMUNICATION\n{options}"
    ))
}

fn records(dir: &Path, listeners: usize) -> Vec<PathBuf> {
    (0..listeners)
        .map(|n| dir.join(format!("record.{n}")))
        .collect()
}

fn received(records: &[PathBuf]) -> usize {
    records.iter().map(|path| Record::read(path).events).sum()
}

/// Starts the daemon and its listeners, then the program; answers when that was asked for.
fn emit(
    install: &Install,
    config: &str,
    listeners: usize,
) -> Result<(Server, Vec<PathBuf>, Instant), Error> {
    let server = Server::start(install, config, 256)?;
    let records = records(&server.path(""), listeners);
    let ready = || records.iter().all(|path| path.exists()).then_some(());
    meter::wait(
        "listeners to start",
        PATIENCE,
        Duration::from_millis(1),
        ready,
    )?;
    // The record is made right before READY is written, and the daemon has to read that.
    sleep(Duration::from_millis(100));
    let start = Instant::now();
    server.start_program("emit")?;
    Ok((server, records, start))
}

fn burst(count: usize) -> Experiment {
    let label = format!("of {count} messages at once, no buffer_size: lost");
    let figures = vec![Figure::less(label, "", Wanted::Value(0.0))];
    Experiment::new("burst", figures, move |install| {
        let config = config(&format!("burst {count}"), 1, "")?;
        let (_server, records, _) = emit(install, &config, 1)?;
        let mut seen = (0, Instant::now());
        while seen.0 < count && seen.1.elapsed() < SILENCE {
            sleep(Duration::from_millis(20));
            let now = received(&records);
            if now != seen.0 {
                seen = (now, Instant::now());
            }
        }
        Ok(vec![(count - seen.0) as f64])
    })
    .at_most(3)
}

fn rate(listeners: usize, count: usize) -> Experiment {
    // The pool is held against the ping-pong with one listener, as one thread feeds them all.
    let (label, wanted) = match listeners {
        1 => ("events through one listener".to_owned(), Wanted::Floor(0.5)),
        _ => (
            format!("events through a pool of {listeners}"),
            Wanted::Floor(2.0),
        ),
    };
    let figures = vec![Figure::more(label, "/s", wanted)];
    Experiment::new(format!("events-{listeners}"), figures, move |install| {
        let config = config(
            &format!("burst {count}"),
            listeners,
            "buffer_size=1000000\n",
        )?;
        let (_server, records, start) = emit(install, &config, listeners)?;
        meter::wait("all events", PATIENCE, Duration::from_millis(1), || {
            (received(&records) >= count).then_some(())
        })?;
        Ok(vec![count as f64 / start.elapsed().as_secs_f64()])
    })
    .floor(move || {
        let dir = TempDir::new().about("make a directory")?;
        floor::measure(&[
            "events",
            &dir.path().to_string_lossy(),
            "1",
            &count.to_string(),
        ])
    })
}

fn latency(seconds: usize) -> Experiment {
    let figures = vec![
        Figure::less(
            format!("event latency at {PACE}/s, p50"),
            "µs",
            Wanted::Value(80.0),
        ),
        Figure::less(
            format!("event latency at {PACE}/s, p99"),
            "µs",
            Wanted::Value(250.0),
        ),
    ];
    let count = PACE * seconds;
    Experiment::new("latency", figures, move |install| {
        let config = config(&format!("pace {PACE} {count}"), 1, "buffer_size=1000\n")?;
        let (_server, records, _) = emit(install, &config, 1)?;
        let all = || (received(&records) >= count).then_some(());
        meter::wait("all events", PATIENCE, Duration::from_millis(50), all)?;
        Ok(microseconds(&records[0]))
    })
    .floor(move || {
        let dir = TempDir::new().about("make a directory")?;
        let (pace, count) = (PACE.to_string(), count.to_string());
        floor::measure(&["relay", &dir.path().to_string_lossy(), &pace, &count])?;
        Ok(microseconds(&dir.path().join("record.0")))
    })
    .at_most(3)
}

fn microseconds(record: &Path) -> Vec<f64> {
    let record = Record::read(record);
    let latencies: Vec<f64> = record.latencies.iter().map(|ns| *ns as f64 / 1e3).collect();
    vec![
        meter::quantile(&latencies, 0.5),
        meter::quantile(&latencies, 0.99),
    ]
}
