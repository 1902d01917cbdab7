//! Much output: every byte arrives, in order, and nobody else waits for it.

use std::fs;
use std::path::PathBuf;

use callboard_tests::{Daemon, wait, workspace};
use serde_json::json;

/// Lines of 100 bytes that the loud program writes: 200 MB.
const LINES: usize = 2_000_000;

fn config() -> String {
    let writer = workspace::fixtures().join("writer.py");
    let writer = writer.display();
    format!(
        "[program:loud]\ncommand=python3 {writer} {LINES} stay\nautostart=false\nstartsecs=0\n\
         stdout_logfile=%(here)s/loud.out\nstdout_logfile_maxbytes=20MB\nstdout_logfile_backups=20\n\
         [program:quiet]\ncommand=cat\nprocess_name=%(program_name)s_%(process_num)02d\nnumprocs=100\nstartsecs=0\n\
         stdout_logfile=%(here)s/quiet_%(process_num)02d.out\n\
         [program:brief]\ncommand=python3 {writer} 20000\nautostart=false\nautorestart=false\nstartsecs=0\n\
         stdout_logfile=%(here)s/brief.out\nstdout_logfile_maxbytes=0\n\
         [supervisord]\nminfds=2048\n"
    )
}

/// The log and its backups, the oldest first.
fn parts(daemon: &Daemon, name: &str) -> Vec<PathBuf> {
    let backups = (1..=20).rev().map(|n| daemon.path(&format!("{name}.{n}")));
    let all = backups.chain([daemon.path(name)]);
    all.filter(|path| path.exists()).collect()
}

fn size(daemon: &Daemon, name: &str) -> u64 {
    let sizes = parts(daemon, name).into_iter().map(fs::metadata);
    sizes
        .map(|metadata| metadata.map_or(0, |metadata| metadata.len()))
        .sum()
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
    for member in 0..100 {
        let name = format!("quiet:quiet_{member:02}");
        let sent = daemon.call("sendProcessStdin", json!([name, format!("{member}\n")]));
        assert_eq!(sent, json!(true));
    }
    for member in 0..100 {
        daemon.wait_file(&format!("quiet_{member:02}.out"), &format!("{member}\n"));
    }
    wait::until("all of the output", || match size(&daemon, "loud.out") {
        seen if seen == (LINES * 100) as u64 => Ok(()),
        seen => Err(seen),
    });
    let read = |path: &PathBuf| fs::read(path).expect("a part of the log");
    let bytes: Vec<u8> = parts(&daemon, "loud.out").iter().flat_map(read).collect();
    assert_numbered(&bytes, LINES);
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
