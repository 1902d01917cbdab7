//! Starting, idling, crashing, stopping.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit};
use tempfile::TempDir;

use super::{Experiment, Figure, Wanted, workload};
use crate::error::{About, Error};
use crate::floor;
use crate::leftovers;
use crate::meter;
use crate::rpc::Connection;
use crate::server::{Install, Server};
use crate::workload::read_numbers;

/// Sleepers in one section, `p:p_00000` and so on.
pub(crate) fn numprocs(count: usize, options: &str) -> String {
    format!(
        "[program:p]\ncommand=/bin/sleep 1000\nprocess_name=%(program_name)s_%(process_num)05d\n\
         numprocs={count}\nstartsecs=0\n{options}"
    )
}

/// The last of those.
pub(crate) fn last_of(count: usize) -> String {
    format!("p:p_{:05}", count - 1)
}

/// Sleepers in a section each, `s00000` and so on.
pub(super) fn sections(first: usize, count: usize, options: &str) -> String {
    let section =
        |number| format!("[program:s{number:05}]\ncommand=/bin/sleep 1000\nstartsecs=0\n{options}");
    (first..first + count).map(section).collect()
}

/// Options of programs whose output nobody keeps.
pub(crate) const NO_LOGS: &str = "stdout_logfile=NONE\nstderr_logfile=NONE\n";

/// Descriptors that so many programs take, with room to spare, as far as the machine allows.
pub(crate) fn descriptors(programs: usize) -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(_, hard)| hard);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    limit.min(programs * 6 + 256)
}

/// Starts, waits until all run, and answers the seconds since the start of the process.
pub(crate) fn start(
    install: &Install,
    config: &str,
    last: &str,
    count: usize,
) -> Result<(Server, Connection, f64), Error> {
    let server = Server::start(install, config, descriptors(count))?;
    let (connection, running) = server.wait_running(last, count)?;
    let seconds = (running - server.started()).as_secs_f64();
    Ok((server, connection, seconds))
}

/// What a daemon with nothing to do costs: CPU milliseconds per minute and wakeups per second.
pub(crate) fn idle(server: &Server, time: Duration) -> Result<[f64; 2], Error> {
    // What the start left behind is over by then: answers to closed connections, and giving back memory after five seconds.
    sleep(Duration::from_secs(6));
    let before = (meter::cpu(server.pid())?, meter::sleeps(server.pid())?);
    let start = Instant::now();
    sleep(time);
    let seconds = start.elapsed().as_secs_f64();
    let cpu = meter::cpu(server.pid())? - before.0;
    let sleeps = meter::sleeps(server.pid())? - before.1;
    Ok([cpu * 1000.0 / seconds * 60.0, sleeps / seconds])
}

pub(super) fn experiments(quick: bool) -> Vec<Experiment> {
    use Wanted::{Floor, Nothing, Value};
    let seconds = if quick { 3 } else { 20 };
    vec![
        life(1, [Value(20.0), Value(15.0), Value(4.0)]),
        life(100, [Value(60.0), Nothing, Nothing]),
        life(1000, [Floor(1.3), Value(300.0), Value(9.0)]),
        without_logs(),
        separate_sections(),
        idle_thousand(seconds),
        crash(seconds.min(10)),
        lines(seconds),
    ]
}

fn life(count: usize, [started, stopped, memory]: [Wanted; 3]) -> Experiment {
    let figures = vec![
        Figure::less(format!("start of {count} until RUNNING"), "ms", started),
        Figure::less(format!("shutdown of {count}"), "ms", stopped),
        Figure::less(format!("memory of the daemon with {count}"), "MB", memory),
    ];
    let run = move |install: &Install| {
        let (server, _, seconds) = start(install, &numprocs(count, ""), &last_of(count), count)?;
        // What the start needed is given back by then.
        sleep(Duration::from_secs(2));
        let memory = meter::megabytes(server.pid(), "VmRSS")?;
        Ok(vec![seconds * 1000.0, server.stop()? * 1000.0, memory])
    };
    Experiment::new(format!("start-{count}"), figures, run).floor(move || logging_floor(count))
}

fn spawn_floor(count: usize) -> Result<Vec<f64>, Error> {
    in_milliseconds(floor::measure(&["spawn", &count.to_string()])?)
}

/// The same with two log files each.
fn logging_floor(count: usize) -> Result<Vec<f64>, Error> {
    let mut dir = TempDir::with_prefix("callboard-bench-").about("make a directory")?;
    let logs = dir.path().to_string_lossy().into_owned();
    let seconds = floor::measure(&["spawn", &count.to_string(), &logs])?;
    leftovers::keep_crowded(&mut dir);
    in_milliseconds(seconds)
}

fn in_milliseconds(seconds: Vec<f64>) -> Result<Vec<f64>, Error> {
    Ok(seconds.into_iter().map(|it| it * 1000.0).collect())
}

fn without_logs() -> Experiment {
    let label = "start of 1000 until RUNNING, no log files";
    let figures = vec![Figure::less(label, "ms", Wanted::Floor(1.3))];
    Experiment::new("start-nologs", figures, |install| {
        let config = numprocs(1000, NO_LOGS);
        let (server, _, seconds) = start(install, &config, &last_of(1000), 1000)?;
        server.stop()?;
        Ok(vec![seconds * 1000.0])
    })
    .floor(|| spawn_floor(1000))
}

fn separate_sections() -> Experiment {
    let label = "start of 1000 separate sections";
    let figures = vec![Figure::less(label, "ms", Wanted::Floor(1.5))];
    Experiment::new("start-sections", figures, |install| {
        let config = sections(0, 1000, "");
        let (server, _, seconds) = start(install, &config, "s00999", 1000)?;
        server.stop()?;
        Ok(vec![seconds * 1000.0])
    })
    .floor(|| logging_floor(1000))
}

fn idle_thousand(seconds: u64) -> Experiment {
    let figures = vec![
        Figure::less("idle with 1000: CPU per minute", "ms", Wanted::Value(5.0)),
        Figure::less("idle with 1000: wakeups", "/s", Wanted::Value(0.1)),
    ];
    Experiment::new("idle", figures, move |install| {
        let (server, connection, _) = start(install, &numprocs(1000, ""), &last_of(1000), 1000)?;
        drop(connection);
        Ok(idle(&server, Duration::from_secs(seconds))?.to_vec())
    })
    .at_most(3)
}

fn crash(seconds: u64) -> Experiment {
    let figures = vec![
        Figure::less(
            "crash until the next one runs, p50",
            "ms",
            Wanted::Value(2.0),
        ),
        Figure::less(
            "crash until the next one runs, p99",
            "ms",
            Wanted::Value(10.0),
        ),
    ];
    let floor = move || -> Result<Vec<f64>, Error> {
        let dir = TempDir::new().about("make a directory")?;
        let record = dir.path().join("record");
        floor::measure(&["respawn", &record.to_string_lossy(), &seconds.to_string()])?;
        Ok(gaps_of(&[read_numbers(&record)]))
    };
    Experiment::new("crash", figures, move |install| {
        let command = workload("life %(here)s/record.%(process_num)d 150")?;
        let config = format!(
            "[program:p]\ncommand={command}\nprocess_name=%(program_name)s_%(process_num)d\n\
             numprocs=4\nstartsecs=0\nautorestart=true\n"
        );
        let server = Server::start(install, &config, 256)?;
        sleep(Duration::from_secs(seconds));
        let records = (0..4).map(|n| read_numbers(&server.path(&format!("record.{n}"))));
        Ok(gaps_of(&records.collect::<Vec<_>>()))
    })
    .floor(floor)
    .at_most(3)
}

/// Median and 99th percentile of the milliseconds between an end and the next beginning.
fn gaps_of(records: &[Vec<u64>]) -> Vec<f64> {
    let gaps = records.iter().flat_map(|record| {
        let ends = record.iter().skip(1).step_by(2);
        let begins = record.iter().skip(2).step_by(2);
        ends.zip(begins)
            .map(|(end, begin)| (begin - end) as f64 / 1e6)
    });
    let gaps: Vec<f64> = gaps.collect();
    vec![meter::quantile(&gaps, 0.5), meter::quantile(&gaps, 0.99)]
}

fn lines(seconds: u64) -> Experiment {
    let label = "1000 programs, a line a second each: CPU per minute";
    let figures = vec![Figure::less(label, "s", Wanted::Value(2.0))];
    let floor = move || {
        let dir = TempDir::new().about("make a directory")?;
        floor::measure(&[
            "ticks",
            &dir.path().to_string_lossy(),
            "1000",
            &seconds.to_string(),
        ])
    };
    Experiment::new("lines", figures, move |install| {
        let command = workload("tick")?;
        let config = numprocs(1000, "").replace("/bin/sleep 1000", &command);
        let (server, connection, _) = start(install, &config, &last_of(1000), 1000)?;
        drop(connection);
        let [cpu, _] = idle(&server, Duration::from_secs(seconds))?;
        Ok(vec![cpu / 1000.0])
    })
    .floor(floor)
    .at_most(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_lie_between_an_end_and_the_next_beginning() {
        let record = vec![0, 10_000_000, 12_000_000, 20_000_000, 23_000_000];
        assert_eq!(gaps_of(&[record]), [2.0, 3.0]);
    }
}
