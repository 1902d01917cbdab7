//! What children write, until it is in their logs.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use super::{Experiment, Figure, Wanted, workload};
use crate::error::{About, Error};
use crate::floor;
use crate::meter;
use crate::server::{Install, PATIENCE, Server};
use crate::workload::output;

const MEGABYTE: usize = 1_000_000;

pub(super) fn experiments(quick: bool) -> Vec<Experiment> {
    let scale = if quick { 10 } else { 1 };
    vec![
        bulk(1, 500 * MEGABYTE / scale),
        bulk(8, 800 * MEGABYTE / scale),
        small_writes(100 * MEGABYTE / scale),
        strip_ansi(300 * MEGABYTE / scale),
    ]
}

fn bulk(writers: usize, total: usize) -> Experiment {
    let plural = if writers == 1 { "" } else { "s" };
    let label = format!("bulk log, {writers} writer{plural}");
    let figures = vec![Figure::more(label, "MB/s", Wanted::Floor(0.95))];
    let words = format!("spout 65536 {}", total / writers);
    let floor_words = words.clone();
    Experiment::new(format!("log-{writers}"), figures, move |install| {
        let [seconds, _] = log(install, &words, writers, total)?;
        Ok(vec![rate(total, seconds)])
    })
    .floor(move || {
        let [seconds, _] = copy(&floor_words, writers, total)?;
        Ok(vec![rate(total, seconds)])
    })
}

fn small_writes(total: usize) -> Experiment {
    let figures = vec![
        Figure::more("writes of 100 bytes, 1 writer", "MB/s", Wanted::Nothing),
        Figure::less(
            "writes of 100 bytes: CPU for 100 MB",
            "s",
            Wanted::Floor(1.2),
        ),
    ];
    let words = format!("spout 100 {total}");
    let floor_words = words.clone();
    let per_hundred = (100 * MEGABYTE / total) as f64;
    let both = move |[seconds, cpu]: [f64; 2]| vec![rate(total, seconds), cpu * per_hundred];
    Experiment::new("log-small", figures, move |install| {
        Ok(both(log(install, &words, 1, total)?))
    })
    .floor(move || Ok(both(copy(&floor_words, 1, total)?)))
}

fn strip_ansi(total: usize) -> Experiment {
    let figures = vec![Figure::more(
        "strip_ansi, 1 writer",
        "MB/s",
        Wanted::Value(600.0),
    )];
    // Whole chunks, so that the length of what is left is known.
    let chunk = output::coloured();
    let total = total / chunk.len() * chunk.len();
    let escapes = b"\x1b[32m\x1b[0m".len() * chunk.iter().filter(|byte| **byte == b'\n').count();
    let left = total / chunk.len() * (chunk.len() - escapes);
    let words = format!("colours {total}");
    let floor_words = words.clone();
    Experiment::new("strip-ansi", figures, move |install| {
        let [seconds, _] = log_with(install, &words, 1, left, "strip_ansi=true\n")?;
        Ok(vec![rate(total, seconds)])
    })
    .floor(move || {
        let [seconds, _] = copy(&floor_words, 1, total)?;
        Ok(vec![rate(total, seconds)])
    })
}

fn rate(bytes: usize, seconds: f64) -> f64 {
    bytes as f64 / 1e6 / seconds
}

fn log(install: &Install, words: &str, writers: usize, total: usize) -> Result<[f64; 2], Error> {
    log_with(install, words, writers, total, "")
}

/// Seconds and the daemon's CPU seconds from the request until `total` bytes are in the logs.
fn log_with(
    install: &Install,
    words: &str,
    writers: usize,
    total: usize,
    supervisord: &str,
) -> Result<[f64; 2], Error> {
    let command = workload(words)?;
    // The option belongs to [supervisord], which sections may be repeated for.
    let config = format!(
        "[program:w]\ncommand={command}\nprocess_name=w%(process_num)d\nnumprocs={writers}\n\
         autostart=false\nstartsecs=0\nstdout_logfile=%(here)s/log.%(process_num)d\n\
         stdout_logfile_maxbytes=0\n[supervisord]\n{supervisord}"
    );
    let server = Server::start(install, &config, 256)?;
    let mut connection = server.connect()?;
    connection.call("getState", &json!([]))?;
    let logs: Vec<_> = (0..writers)
        .map(|n| server.path(&format!("log.{n}")))
        .collect();
    let before = meter::cpu(server.pid())?;
    let start = Instant::now();
    connection.call("startProcessGroup", &json!(["w", false]))?;
    meter::wait("whole log", PATIENCE, Duration::from_micros(500), || {
        let sizes = logs.iter().map(|log| size(log));
        (sizes.sum::<usize>() >= total).then_some(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    Ok([seconds, meter::cpu(server.pid())? - before])
}

fn size(path: &Path) -> usize {
    fs::metadata(path).map_or(0, |metadata| metadata.len() as usize)
}

/// Seconds and CPU seconds of bare copying.
fn copy(words: &str, writers: usize, total: usize) -> Result<[f64; 2], Error> {
    let dir = TempDir::with_prefix("callboard-bench-").about("make a directory")?;
    let dir = dir.path().to_string_lossy();
    let (writers, total) = (writers.to_string(), total.to_string());
    let mut arguments = vec!["copy", &dir, &writers, &total];
    arguments.extend(words.split(' '));
    match floor::measure(&arguments)?[..] {
        [seconds, cpu] => Ok([seconds, cpu]),
        ref other => Err(Error::Answer(format!("the copy answered {other:?}"))),
    }
}
