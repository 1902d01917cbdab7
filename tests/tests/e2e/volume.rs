//! Much output: every byte arrives, in order, and nobody else waits for it.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use callboard_tests::{Daemon, wait, workspace};
use serde_json::json;

/// Backups of 20 MB: room for 1.2 GB.
const BACKUPS: usize = 60;

/// Programs that say something now and then.
const QUIET: usize = 100;

/// No quiet program waits longer for its line, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes the loud program writes: 256 MB, or as `CALLBOARD_VOLUME_MB` says, up to 1024.
fn volume() -> u64 {
    let megabytes = env::var("CALLBOARD_VOLUME_MB").ok();
    let megabytes = megabytes.and_then(|text| text.parse().ok()).unwrap_or(256);
    assert!(megabytes <= 1024, "the backups would not hold it");
    megabytes * 1_000_000
}

fn config() -> String {
    let writer = workspace::fixtures().join("writer.py");
    let writer = writer.display();
    let lines = volume() / 100;
    format!(
        "[program:loud]\ncommand=python3 {writer} {lines} %(here)s/loud.md5\nautostart=false\nstartsecs=0\n\
         stdout_logfile=%(here)s/loud.out\nstdout_logfile_maxbytes=20MB\nstdout_logfile_backups={BACKUPS}\n\
         [program:quiet]\ncommand=cat\nprocess_name=%(program_name)s_%(process_num)02d\nnumprocs={QUIET}\nstartsecs=0\n\
         stdout_logfile=%(here)s/quiet_%(process_num)02d.out\n\
         [program:brief]\ncommand=python3 {writer} 20000\nautostart=false\nautorestart=false\nstartsecs=0\n\
         stdout_logfile=%(here)s/brief.out\nstdout_logfile_maxbytes=0\n\
         [supervisord]\nloglevel=info\nminfds=2048\n"
    )
}

/// The log and its backups, the oldest first.
fn parts(daemon: &Daemon, name: &str) -> Vec<PathBuf> {
    let backups = (1..=BACKUPS).rev();
    let backups = backups.map(|n| daemon.path(&format!("{name}.{n}")));
    let all = backups.chain([daemon.path(name)]);
    all.filter(|path| path.exists()).collect()
}

fn size(daemon: &Daemon, name: &str) -> u64 {
    let sizes = parts(daemon, name).into_iter().map(fs::metadata);
    sizes
        .map(|metadata| metadata.map_or(0, |metadata| metadata.len()))
        .sum()
}

/// The MD5 sum of the log and its backups in a row.
fn checksum(daemon: &Daemon, name: &str) -> String {
    let parts = parts(daemon, name);
    let names: Vec<String> = parts
        .iter()
        .map(|part| part.display().to_string())
        .collect();
    let script = format!("cat {} | md5sum", names.join(" "));
    let output = daemon.run("sh".as_ref(), &["-c", &script]);
    assert_eq!(output.code, 0, "{output:?}");
    output.stdout[..32].to_owned()
}

/// Says something to a quiet program and waits until it is in its log; answers how long that took.
fn serve(daemon: &Daemon, round: usize) -> Duration {
    let member = round % QUIET;
    let name = format!("quiet:quiet_{member:02}");
    let start = Instant::now();
    let line = format!("line {round}\n");
    let sent = daemon.call("sendProcessStdin", json!([name, line]));
    assert_eq!(sent, json!(true));
    daemon.wait_file(&format!("quiet_{member:02}.out"), &line);
    start.elapsed()
}

fn assert_numbered(bytes: &[u8], lines: usize) {
    assert_eq!(bytes.len(), lines * 100);
    for (number, line) in bytes.chunks(100).enumerate() {
        let text = std::str::from_utf8(&line[..99]).expect("digits");
        assert_eq!(text.parse(), Ok(number), "line {number} is {text}");
    }
}

#[test]
fn rotation_keeps_every_byte_of_a_loud_program_and_serves_the_quiet() {
    let daemon = Daemon::under_test(&config());
    daemon.wait_state("quiet:quiet_99", "RUNNING");
    assert_eq!(daemon.call("startProcess", json!(["loud"])), json!(true));
    let mut rounds = 0;
    while rounds < QUIET || (!daemon.path("loud.md5").exists() && rounds < 100 * QUIET) {
        let waited = serve(&daemon, rounds);
        assert!(waited < PATIENCE, "line {rounds} took {waited:?}");
        rounds += 1;
    }
    wait::until("all of the output", || match size(&daemon, "loud.out") {
        seen if seen == volume() => Ok(()),
        seen => Err(seen),
    });
    let written = wait::until("the writer's checksum", || match daemon.read("loud.md5") {
        sum if sum.is_empty() => Err(sum),
        sum => Ok(sum),
    });
    assert_eq!(checksum(&daemon, "loud.out"), written);
    assert!(parts(&daemon, "loud.out").len() as u64 >= volume() / 21_000_000);
}

#[test]
fn what_a_program_writes_right_before_its_end_is_kept() {
    let daemon = Daemon::under_test(&config());
    assert_eq!(
        daemon.call("startProcess", json!(["brief", false])),
        json!(true)
    );
    daemon.wait_state("brief", "EXITED");
    let bytes = fs::read(daemon.path("brief.out")).expect("the log");
    assert_numbered(&bytes, 20_000);
}
