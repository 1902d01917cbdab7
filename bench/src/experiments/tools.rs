//! What clients and listeners do with a daemon.

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::lives::{descriptors, last_of, numprocs, sections, start};
use super::{Experiment, Figure, Wanted};
use crate::error::{About, Error};
use crate::floor;
use crate::meter;
use crate::server::{Install, Server};

pub(super) fn experiments(quick: bool) -> Vec<Experiment> {
    let repeats = if quick { 2 } else { 7 };
    vec![status(repeats), memmon(repeats), reread(repeats)]
}

fn status(repeats: usize) -> Experiment {
    let figures = vec![
        Figure::less("supervisorctl status of 100", "ms", Wanted::Value(4.0)),
        Figure::less(
            "supervisorctl status of 100: memory",
            "MB",
            Wanted::Value(5.0),
        ),
    ];
    Experiment::new("status", figures, move |install| {
        let (server, _, _) = start(install, &numprocs(100, ""), &last_of(100), 100)?;
        let (mut times, mut memory) = (Vec::new(), 0.0);
        for _ in 0..repeats {
            let [seconds, kilobytes] = timed(install, &server, "status")?;
            times.push(seconds * 1000.0);
            memory = kilobytes * 1024.0 / 1e6;
        }
        Ok(vec![meter::median(&times), memory])
    })
    .floor(|| timed_figures(&["/bin/true"]).map(|[seconds, _]| vec![seconds * 1000.0]))
}

/// Seconds and kibibytes of a supervisorctl command.
fn timed(install: &Install, server: &Server, verb: &str) -> Result<[f64; 2], Error> {
    let program = install.command("supervisorctl").get_program().to_owned();
    let config = server.path("supervisord.conf");
    timed_figures(&[
        &program.to_string_lossy(),
        "-c",
        &config.to_string_lossy(),
        verb,
    ])
}

fn timed_figures(command: &[&str]) -> Result<[f64; 2], Error> {
    let mut arguments = vec!["timed"];
    arguments.extend(command);
    match floor::figures(&mut floor::own("workload", &arguments)?)?[..] {
        [seconds, kilobytes] => Ok([seconds, kilobytes]),
        ref other => Err(Error::Answer(format!("{command:?} gave {other:?}"))),
    }
}

fn memmon(repeats: usize) -> Experiment {
    let figures = vec![
        Figure::less("memmon, a tick over 200 programs", "ms", Wanted::Value(5.0)),
        Figure::less("memmon: memory", "MB", Wanted::Value(3.0)),
    ];
    Experiment::new("memmon", figures, move |install| {
        let (server, _, _) = start(install, &numprocs(200, ""), &last_of(200), 200)?;
        let mut listener = Memmon::start(install, &server)?;
        let times: Result<Vec<f64>, Error> = (0..repeats).map(|_| listener.tick()).collect();
        let memory = meter::megabytes(listener.0.id(), "VmHWM")?;
        Ok(vec![meter::median(&times?), memory])
    })
    .at_most(3)
}

/// A memmon that we are the supervisor of.
struct Memmon(Child);

impl Memmon {
    fn start(install: &Install, server: &Server) -> Result<Self, Error> {
        let mut command = install.command("memmon");
        command
            .args(["-a", "200MB"])
            .env("SUPERVISOR_SERVER_URL", server.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut memmon = Self(command.spawn().about("start memmon")?);
        memmon.expect("READY\n")?;
        Ok(memmon)
    }

    /// Sends a tick; answers the milliseconds until the listener is ready again.
    fn tick(&mut self) -> Result<f64, Error> {
        let payload = "when:1700000000";
        let event = format!(
            "ver:3.0 server:supervisor serial:1 pool:memmon poolserial:1 eventname:TICK_60 len:{}\n{payload}",
            payload.len()
        );
        let start = Instant::now();
        let stdin = self.0.stdin.as_mut();
        let stdin = stdin.ok_or_else(|| Error::Answer("no pipe".to_owned()))?;
        stdin.write_all(event.as_bytes()).about("send a tick")?;
        self.expect("RESULT 2\nOKREADY\n")?;
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    }

    fn expect(&mut self, text: &str) -> Result<(), Error> {
        let mut answer = vec![0; text.len()];
        let stdout = self.0.stdout.as_mut();
        let stdout = stdout.ok_or_else(|| Error::Answer("no pipe".to_owned()))?;
        stdout.read_exact(&mut answer).about("read an answer")?;
        if answer == text.as_bytes() {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(&answer);
        Err(Error::Answer(format!("memmon answered {answer:?}")))
    }
}

impl Drop for Memmon {
    fn drop(&mut self) {
        // It would end with its input; there is no need to wait for that.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn reread(repeats: usize) -> Experiment {
    let figures = vec![
        Figure::less("reread of 1000 sections", "ms", Wanted::Value(15.0)),
        Figure::less(
            "update that adds 100, until RUNNING",
            "ms",
            Wanted::Value(60.0),
        ),
    ];
    Experiment::new("reread", figures, move |install| {
        let old = sections(0, 1000, "autostart=false\n");
        let server = Server::start(install, &old, descriptors(1100))?;
        let mut connection = server.connect()?;
        let mut times = Vec::new();
        for _ in 0..repeats {
            let start = Instant::now();
            connection.call("reloadConfig", &json!([]))?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        let added = update(
            install,
            &server,
            &(old + &sections(1000, 100, "")),
            "s01099",
            100,
        )?;
        Ok(vec![meter::median(&times), added.as_secs_f64() * 1000.0])
    })
}

/// How long `supervisorctl update` to a configuration takes until `running` programs run.
pub(crate) fn update(
    install: &Install,
    server: &Server,
    config: &str,
    last: &str,
    running: usize,
) -> Result<Duration, Error> {
    server.rewrite(config, descriptors(running.max(1100)))?;
    let start = Instant::now();
    timed(install, server, "update")?;
    let (_, when) = server.wait_running(last, running)?;
    Ok(when - start)
}
