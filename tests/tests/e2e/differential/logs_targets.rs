//! Where logs go besides files: syslog, `/dev/stdout` and `/dev/stderr`; and logrotate, which moves files away.

use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};
use std::thread;

use callboard_tests::wait;

use super::bench::{Bench, Row, compare};

/// Starts with a syslog of its own and notes what came there, message by message.
fn with_syslog(bench: &mut Bench, last: &str) {
    let socket = UnixDatagram::bind(bench.daemon.path("log")).expect("the directory is writable");
    let messages = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&messages);
    let receiver = thread::spawn(move || receive(&socket, &received));
    bench.sh("with_mounts \"$fake_dev_log\" supervisord -c supervisord.conf");
    bench.daemon.wait_until_up();
    wait::until(&format!("{last:?} in syslog"), || {
        let seen = messages.lock().expect("the receiver lives").clone();
        match seen.iter().any(|message: &String| message.contains(last)) {
            true => Ok(()),
            false => Err(seen),
        }
    });
    bench.daemon.call("shutdown", serde_json::json!([]));
    bench.gone();
    let closing =
        UnixDatagram::unbound().and_then(|socket| socket.send_to(b"", bench.daemon.path("log")));
    closing.expect("the receiver lives");
    receiver.join().expect("the receiver ends");
    let mut messages = messages.lock().expect("the receiver has ended").clone();
    // What comes from different pipes comes in any order.
    messages.sort();
    messages.retain(|message| {
        !message.contains(" DEBG ")
            && !message.contains("INFO waiting for ")
            && !message.contains(" is set again in line ")
    });
    for message in messages {
        bench.note(&format!("  syslog| {message:?}"));
    }
    bench.sh("ls | grep -v -e real-dev -e ^log");
    for name in ["a.out", "a.err"] {
        bench.file(name);
    }
}

/// Keeps what comes until an empty message does: a queue that is full holds up who logs.
fn receive(socket: &UnixDatagram, messages: &Mutex<Vec<String>>) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = socket.recv(&mut buffer) {
        let message = without_time(&String::from_utf8_lossy(&buffer[..length]));
        messages
            .lock()
            .expect("nobody panics with it")
            .push(message);
    }
}

/// `<30>Nov 21 11:19:25 supervisord: 2026-11-21 11:19:25,374 INFO x` without its times.
fn without_time(message: &str) -> String {
    let (priority, rest) = message.split_once('>').unwrap_or(("", message));
    let rest = rest.get("Nov 21 11:19:25 ".len()..).unwrap_or(rest);
    let words: Vec<_> = rest.split(' ').filter(|word| !is_time(word)).collect();
    format!("{priority}> {}", words.join(" "))
}

fn is_time(word: &str) -> bool {
    word.len() >= 10
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-:,".contains(&byte))
}

const SYSLOG_ROWS: &[Row] = &[
    Row {
        name: "the activity log and a child's streams",
        config: "[supervisord]\nlogfile=syslog\n[program:a]\n\
                 command=sh -c 'printf \"one\\\\ntwo\\\\n\"; printf \"oops\\\\n\" >&2; exec sleep 1000'\nstartsecs=0\n\
                 stdout_logfile=syslog\nstderr_logfile=syslog\n",
        steps: |bench| with_syslog(bench, "a oops"),
    },
    Row {
        name: "beside a file",
        config: "[program:a]\ncommand=sh -c 'printf \"one\\\\n\\\\ntwo\"; printf \"oops\\\\n\" >&2; sleep 1; printf end; exec sleep 1000'\n\
                 startsecs=0\nstdout_logfile=%(here)s/a.out\nstdout_syslog=true\nstderr_logfile=%(here)s/a.err\n",
        steps: |bench| with_syslog(bench, "a end"),
    },
    Row {
        name: "both streams in one",
        config: "[program:a]\ncommand=sh -c 'printf \"one\\\\ntwo\\\\n\"; sleep 1; printf \"oops\\\\n\" >&2; exec sleep 1000'\n\
                 startsecs=0\nredirect_stderr=true\nstdout_syslog=true\nstdout_logfile=NONE\n",
        steps: |bench| with_syslog(bench, "a oops"),
    },
];

#[test]
fn syslog_agrees() {
    compare("logs: syslog", SYSLOG_ROWS);
}

/// Everything to the daemon's own streams, without rotation as the original needs it.
const TO_STREAMS: &str = "\
[supervisord]
logfile=/dev/stdout
logfile_maxbytes=0
loglevel=info
[program:a]
command=sh -c 'echo one; echo oops >&2; exec sleep 1000'
startsecs=0
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stderr_logfile=/dev/stderr
stderr_logfile_maxbytes=0
";

/// Runs in the foreground by a script until both words have come, and notes what came.
fn streams(bench: &mut Bench, script: &str) {
    bench.sh(script);
    bench.daemon.wait_until_up();
    for word in ["one", "oops", "spawned: 'a'"] {
        wait::until(&format!("{word} on a stream"), || {
            let seen = bench.daemon.read("stdout") + &bench.daemon.read("stderr");
            if seen.contains(word) {
                Ok(())
            } else {
                Err(seen)
            }
        });
    }
    bench.daemon.call("shutdown", serde_json::json!([]));
    bench.gone();
    for name in ["stdout", "stderr"] {
        let text = bench.daemon.read(name);
        bench.note(&format!("{name}:"));
        let mut lines: Vec<_> = text.lines().map(without_stamp).collect();
        // The command `script` says when it begins and ends, to the second.
        lines.retain(|line| {
            !line.contains(" is set again in line ")
                && !line.starts_with("INFO waiting for")
                && !line.starts_with("Script ")
        });
        lines.sort();
        bench.note(&lines.join("\n"));
    }
}

/// A line of the activity log without its time.
fn without_stamp(line: &str) -> String {
    let words: Vec<_> = line
        .trim_end()
        .split(' ')
        .filter(|word| !is_time(word))
        .collect();
    words.join(" ")
}

const STREAM_ROWS: &[Row] = &[
    Row {
        name: "files",
        config: TO_STREAMS,
        steps: |bench| {
            streams(
                bench,
                "supervisord -ns -c supervisord.conf >>stdout 2>>stderr &",
            )
        },
    },
    Row {
        name: "pipes",
        config: TO_STREAMS,
        steps: |bench| {
            streams(
                bench,
                "{ { supervisord -ns -c supervisord.conf | cat >>stdout; } 2>&1 >/dev/null | cat >>stderr; } >/dev/null 2>&1 &",
            );
        },
    },
    Row {
        name: "a terminal",
        config: TO_STREAMS,
        steps: |bench| {
            streams(
                bench,
                "script --quiet --flush --command 'supervisord -ns -c supervisord.conf' stdout </dev/null >/dev/null 2>&1 &",
            );
        },
    },
    Row {
        name: "printed twice in the foreground",
        config: TO_STREAMS,
        steps: |bench| {
            streams(
                bench,
                "supervisord -n -c supervisord.conf >>stdout 2>>stderr &",
            )
        },
    },
];

#[test]
fn the_daemons_own_streams_agree() {
    compare("logs: streams", STREAM_ROWS);
}

const LOGROTATE_ROWS: &[Row] = &[Row {
    name: "logrotate",
    config: "[program:a]\ncommand=cat\nstartsecs=0\nstdout_logfile=%(here)s/a.out\nstderr_logfile=NONE\n\
             [program:idle]\ncommand=cat\nautostart=false\nstdout_logfile=%(here)s/idle.out\n",
    steps: |bench| {
        bench.quietly(
            "cat >rotate.conf <<EOF
\"$PWD/supervisord.log\" \"$PWD/a.out\" {
    rotate 3
    sharedscripts
    postrotate
        kill -USR2 \\$(cat $PWD/supervisord.pid)
    endscript
}
EOF",
        );
        bench.start("supervisord -c supervisord.conf");
        bench.daemon.wait_state("a", "RUNNING");
        for round in ["one\n", "two\n", "three\n"] {
            let sent = bench
                .daemon
                .call("sendProcessStdin", serde_json::json!(["a", round]));
            assert_eq!(sent, serde_json::json!(true));
            bench.daemon.wait_file("a.out", round);
            bench.sh("PATH=$PATH:/usr/sbin logrotate --force --state \"$PWD/state\" rotate.conf");
            for name in ["supervisord.log", "a.out"] {
                wait::until_true("a new log", || (bench.daemon.path(name).exists(), ()));
            }
        }
        bench.stop();
        bench.sh("ls; cat a.out a.out.1 a.out.2 a.out.3");
        for name in ["supervisord.log.2", "supervisord.log.1"] {
            bench.log_of(name);
        }
        bench.log();
    },
}];

#[test]
fn logrotate_agrees() {
    compare("logs: logrotate", LOGROTATE_ROWS);
}
