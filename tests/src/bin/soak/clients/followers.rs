//! Who reads logs as they grow.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use callboard_tests::http::Address;
use callboard_tests::random::Random;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::judge::Invariant;
use crate::shared::{Shared, count};
use crate::stream::{self, HEADER};

/// The lines of a log, put together from pieces.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    begun: bool,
    /// Run and number of the latest line.
    latest: Option<(u64, u64)>,
    sound: u64,
}

impl Lines {
    /// Takes a piece; answers what is wrong with its lines. The first one may be a part of one.
    fn take(&mut self, piece: &[u8]) -> Option<String> {
        self.rest.extend_from_slice(piece);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let is_first = !std::mem::replace(&mut self.begun, true);
            if is_first || line.starts_with("==> ") {
                continue;
            }
            if !stream::is_sound(&line) {
                return Some(format!("{line:?} after {:?}", self.latest));
            }
            if let Some(gap) = self.step(&line) {
                return Some(gap);
            }
            self.sound += 1;
        }
        None
    }

    /// Whether a line is the one after the latest.
    fn step(&mut self, line: &str) -> Option<String> {
        if line.contains(HEADER) {
            self.latest = None;
            return None;
        }
        let mut fields = line.split(' ').skip(2).map(str::parse);
        let (Some(Ok(run)), Some(Ok(number))) = (fields.next(), fields.next()) else {
            return Some(format!("no numbers in {line:?}"));
        };
        match self.latest.replace((run, number)) {
            Some(latest) if latest != (run, number - 1) => {
                Some(format!("{line:?} follows {latest:?}"))
            }
            _ => None,
        }
    }
}

/// Follows one log after the other, each for some seconds.
pub(super) fn follow(shared: &Shared, address: &Address, mut random: Random) {
    let names: Vec<String> = ["steady", "loose", "crash", "storm", "sender"]
        .into_iter()
        .flat_map(|kind| shared.stage.plan().processes(kind))
        .collect();
    while !shared.is_over() {
        let name = random.pick(&names).clone();
        let time = Duration::from_millis(3000 + random.below(20_000));
        let (reload, upgrade) = (shared.reload.mark(), shared.upgrade.mark());
        if let Err(reason) = follow_one(shared, address, &name, time) {
            if shared.reload.was_since(reload) || shared.upgrade.was_since(upgrade) {
                count(&shared.counts.interrupted);
            } else {
                shared.complain(Invariant::Streams, format!("{name}: {reason}"));
            }
        }
        count(&shared.counts.streams);
        shared.pause(&mut random, 50, 500);
    }
}

fn follow_one(
    shared: &Shared,
    address: &Address,
    name: &str,
    time: Duration,
) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut connection = address
        .connect_for(Duration::from_millis(500))
        .map_err(text)?;
    let request = format!("GET /logtail/{name}/stdout HTTP/1.0\r\n\r\n");
    connection.write_all(request.as_bytes()).map_err(text)?;
    let start = Instant::now();
    let mut lines = Lines::default();
    let mut seen = 0;
    let mut head = Vec::new();
    let mut has_head = false;
    let mut piece = vec![0; 65_536];
    while start.elapsed() < time && !shared.is_over() {
        let count = match connection.read(&mut piece) {
            Ok(0) => return Err("the stream has ended".to_owned()),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(error) => return Err(error.to_string()),
        };
        let mut data = &piece[..count];
        if !has_head {
            head.extend_from_slice(data);
            let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            if name.starts_with("loose:") && head.starts_with(b"HTTP/1.0 404") {
                // Somebody has just moved it away, and the daemon has not been told to begin another.
                return Ok(());
            }
            if !head.starts_with(b"HTTP/1.1 200") && !head.starts_with(b"HTTP/1.0 200") {
                return Err(String::from_utf8_lossy(&head).into_owned());
            }
            has_head = true;
            data = &head[end + 4..];
        }
        if let Some(wrong) = lines.take(data) {
            shared.complain(Invariant::Streams, format!("{name}: {wrong}"));
            return Ok(());
        }
        let followed = &shared.counts.followed;
        followed.fetch_add(lines.sound - seen, Ordering::Relaxed);
        seen = lines.sound;
    }
    Ok(())
}

/// Opens streams of storms and does not read them.
pub(super) fn follow_lazily(shared: &Shared) {
    let mut random = shared.random("lazy");
    let names = shared.stage.plan().processes("storm");
    while !shared.is_over() {
        let address = random.pick(&shared.stage.addresses()).clone();
        let request = format!(
            "GET /logtail/{}/stdout HTTP/1.1\r\n\r\n",
            random.pick(&names)
        );
        let connection = address.connect_for(Duration::from_secs(1));
        if let Ok(mut connection) = connection {
            // It may be closed at once by an upgrade.
            let _ = connection.write_all(request.as_bytes());
            shared.pause(&mut random, 3000, 15_000);
        }
        shared.pause(&mut random, 50, 500);
    }
}

/// Runs `supervisorctl tail -f` for some seconds, again and again.
pub(super) fn tail(shared: &Shared) {
    let mut random = shared.random("tail");
    let names = shared.stage.plan().processes("steady");
    let daemon = &shared.stage.daemon;
    let path = daemon.path("tail.out");
    while !shared.is_over() {
        let name = random.pick(&names).clone();
        let out = File::create(&path).expect("the directory is writable");
        let config = daemon.config_path();
        let mut command = daemon.fixture_command(&daemon.path("supervisorctl"));
        command.arg("-c").arg(config).args(["tail", "-f", &name]);
        command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("supervisorctl starts");
        shared.pause(&mut random, 2000, 8000);
        // It ends by itself with its stream.
        let _ = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT);
        let _ = child.wait();
        judge_tail(shared, &name, &fs::read(&path).unwrap_or_default());
        count(&shared.counts.commands);
    }
}

/// Everything but the notes of supervisorctl itself must be lines of the log.
fn judge_tail(shared: &Shared, name: &str, output: &[u8]) {
    let text = String::from_utf8_lossy(output);
    let mut lines = Lines::default();
    let log = text.lines().filter(|line| !line.starts_with("==> "));
    for line in log.take(text.lines().count().saturating_sub(1)) {
        // It says so when its stream ends, and ends the line of a Ctrl-C.
        if line.is_empty()
            || line.contains("http")
            || line.contains("unix:")
            || line.contains("rror")
        {
            continue;
        }
        if let Some(wrong) = lines.take(format!("{line}\n").as_bytes()) {
            shared.complain(Invariant::Streams, format!("tail -f {name}: {wrong}"));
            return;
        }
    }
    shared
        .counts
        .followed
        .fetch_add(lines.sound, Ordering::Relaxed);
}
