//! The inner loops, one by one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use config::cli::CommandLine;
use config::model::{AutoRestart, Environment};
use daemon::logs::{ansi, capture::OutputScanner};
use daemon::process::lifecycle::{End, Input, Machine, Policy};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use protocol::listener::{EventHeader, ListenerDecoder};
use protocol::xmlrpc::{Value, parse_call, parse_response, write_call, write_response};

fn main() {
    divan::main();
}

/// A whole life: start, launched, up, crash, start again, stop.
#[divan::bench]
fn lifecycle_step(bencher: Bencher<'_, '_>) {
    let policy = Policy {
        startsecs: Duration::from_secs(1),
        startretries: 3,
        stopwaitsecs: Duration::from_secs(10),
        autorestart: AutoRestart::Always,
        exitcodes: &[0],
    };
    let ended = Input::Ended(End {
        status: 1,
        killed: false,
    });
    let life = [
        Input::Start,
        Input::Launched(42),
        Input::TimerFired,
        ended,
        Input::Launched(43),
        Input::TimerFired,
        Input::Stop,
        ended,
    ];
    let start = Instant::now();
    bencher
        .counter(ItemsCount::new(life.len()))
        .bench_local(|| {
            let mut machine = Machine::default();
            let mut now = start;
            for input in life {
                now += Duration::from_secs(2);
                machine = black_box(machine.step(input, &policy, now)).0;
            }
            machine
        });
}

#[divan::bench]
fn event_header_write() -> String {
    let header = EventHeader {
        server: "supervisor",
        serial: black_box(123_456),
        pool: "listener",
        poolserial: 123_456,
        eventname: "PROCESS_COMMUNICATION_STDOUT",
        len: 54,
    };
    header.to_string()
}

#[divan::bench]
fn event_header_parse() -> usize {
    let line = "ver:3.0 server:supervisor serial:123456 pool:listener poolserial:123456 \
                eventname:PROCESS_COMMUNICATION_STDOUT len:54";
    EventHeader::parse(black_box(line)).map_or(0, |header| header.len)
}

/// What a listener says for each event, in two pieces as it comes.
#[divan::bench]
fn listener_decoder(bencher: Bencher<'_, '_>) {
    let mut decoder = ListenerDecoder::default();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        decoder.feed(b"READY\n");
        let ready = decoder.next_input().is_some();
        decoder.dispatched();
        decoder.feed(b"RESULT 2\nOK");
        ready && decoder.next_input().is_some()
    });
}

/// What `getAllProcessInfo` answers about so many processes.
fn infos(count: i32) -> Value {
    let text = |text: &str| Value::from(text.to_owned());
    let info = |number: i32| {
        Value::record([
            ("name", text(&format!("worker_{number:04}"))),
            ("group", text("worker")),
            ("start", Value::from(1_700_000_000)),
            ("stop", Value::from(0)),
            ("now", Value::from(1_700_001_000)),
            ("state", Value::from(20)),
            ("statename", text("RUNNING")),
            ("spawnerr", text("")),
            ("exitstatus", Value::from(0)),
            ("logfile", text("/var/log/worker.log")),
            ("stdout_logfile", text("/var/log/worker.log")),
            ("stderr_logfile", text("")),
            ("pid", Value::from(10_000 + number)),
            ("description", text("pid 10000, uptime 0:16:40")),
        ])
    };
    Value::Array((0..count).map(info).collect())
}

#[divan::bench(args = [1, 1000])]
fn xmlrpc_write(bencher: Bencher<'_, '_>, processes: i32) {
    let value = infos(processes);
    let mut out = Vec::new();
    write_response(&value, &mut out);
    let size = BytesCount::new(out.len());
    bencher.counter(size).bench_local(|| {
        out.clear();
        write_response(black_box(&value), &mut out);
    });
}

#[divan::bench(args = [1, 1000])]
fn xmlrpc_parse(bencher: Bencher<'_, '_>, processes: i32) {
    let mut body = Vec::new();
    write_response(&infos(processes), &mut body);
    let size = BytesCount::new(body.len());
    bencher
        .counter(size)
        .bench_local(|| parse_response(black_box(&body)));
}

#[divan::bench]
fn xmlrpc_parse_call(bencher: Bencher<'_, '_>) {
    let mut body = Vec::new();
    write_call("supervisor.getState", &[], &mut body);
    bencher.bench_local(|| parse_call(black_box(&body)));
}

/// So many sections of a usual kind in one file.
#[divan::bench(args = [10, 1000])]
fn config_load(bencher: Bencher<'_, '_>, sections: usize) {
    let dir = tempfile::tempdir();
    let Ok(dir) = dir else { return };
    let section = |number| {
        format!(
            "[program:worker_{number:05}]\ncommand=/srv/bin/worker --queue %(program_name)s\n\
             directory=/srv\nenvironment=SHARD=\"{number}\",HOME=\"/srv\"\nautorestart=true\n\
             startsecs=5\nstdout_logfile=%(here)s/%(program_name)s.log\nredirect_stderr=true\n"
        )
    };
    let text: String = (0..sections).map(section).collect();
    let path = dir.path().join("supervisord.conf");
    let written = std::fs::write(&path, format!("[supervisord]\n{text}"));
    assert!(written.is_ok(), "{written:?}");
    let command = CommandLine {
        argv0: "supervisord".to_owned(),
        start_dir: PathBuf::from("/"),
        config_file: Some(path.display().to_string()),
        overrides: Default::default(),
    };
    let environment = Environment::new();
    assert!(config::load(&command, &environment).is_ok());
    let count = ItemsCount::new(sections);
    bencher
        .counter(count)
        .bench_local(|| config::load(&command, &environment));
}

/// 128 KiB of lines: without escape sequences, with a few, with many.
#[divan::bench(args = ["plain", "some", "many"])]
fn strip_ansi(bencher: Bencher<'_, '_>, kind: &str) {
    let line = match kind {
        "plain" => {
            "   Compiling some-crate v1.2.3 and the rest of a line that has no colour at all\n"
        }
        "some" => {
            "\x1b[32m   Compiling\x1b[0m some-crate v1.2.3 and the rest of a line that has none\n"
        }
        _ => "\x1b[1m\x1b[32ma\x1b[0m\x1b[33mb\x1b[0m\x1b[34mc\x1b[0m\n",
    };
    let chunk = line.repeat(131_072 / line.len());
    let size = BytesCount::new(chunk.len());
    bencher
        .counter(size)
        .bench_local(|| ansi::strip(black_box(chunk.as_bytes())).len());
}

/// 128 KiB through the scanner: capture off, on without a tag, and on with a message in every hundred bytes.
#[divan::bench(args = ["off", "quiet", "busy"])]
fn capture_scanner(bencher: Bencher<'_, '_>, kind: &str) {
    let line = match kind {
        "busy" => {
            "<!--XSUPERVISOR:BEGIN-->a message of some sixty bytes, as programs send them<!--XSUPERVISOR:END-->"
        }
        _ => {
            "All work and no play makes a dull log, and so it goes on for exactly one hundred bytes, newline too\n"
        }
    };
    let chunk = line.repeat(131_072 / line.len());
    let maximum = if kind == "off" { 0 } else { 1_000_000 };
    let mut scanner = OutputScanner::new(maximum, false);
    let size = BytesCount::new(chunk.len());
    bencher.counter(size).bench_local(|| {
        let mut pieces = 0;
        scanner.feed(black_box(chunk.as_bytes()), |piece| {
            black_box(piece);
            pieces += 1;
        });
        pieces
    });
}
