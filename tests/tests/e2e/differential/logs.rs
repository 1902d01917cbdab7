//! Logs of children: rotation, targets, stripping, reading at offsets, clearing, reopening.

use callboard_tests::scenario::{Scenario, Session, compare};
use callboard_tests::{Daemon, wait};
use serde_json::json;

/// Prints each line it reads, escapes of `printf` resolved, by a single write.
const TALKER: &str = "while read -r line; do printf \"$line\"; done";

/// Waits until `count` chunks of a process have been announced: its log is written by then, and rotated.
fn settle_output(daemon: &Daemon, process: &str, count: usize) {
    wait::until(&format!("{count} chunks of {process}"), || {
        let events = daemon.events("events");
        let chunks = events
            .iter()
            .filter(|event| event.name().starts_with("PROCESS_LOG") && event.process() == process);
        match chunks.count() {
            seen if seen >= count => Ok(()),
            seen => Err(seen),
        }
    });
}

/// Has every process print every text, one chunk at a time.
fn say_to_all(session: &Session, processes: &[&str], texts: &[&str]) {
    for (round, text) in texts.iter().enumerate() {
        for process in processes {
            let sent = session
                .daemon
                .call("sendProcessStdin", json!([process, format!("{text}\n")]));
            assert_eq!(sent, json!(true));
        }
        for process in processes {
            settle_output(&session.daemon, process, round + 1);
        }
    }
}

/// Notes the files that begin with a name, with their content.
fn note_files(session: &mut Session, prefix: &str) {
    let entries = std::fs::read_dir(session.daemon.dir()).expect("the directory is there");
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(prefix)).collect();
    names.sort();
    for name in names {
        let line = format!("{name}: {:?}", session.daemon.read(&name));
        session.note(&line);
    }
}

/// Programs by the options of their log.
const LOGS: &[(&str, &str)] = &[
    (
        "three",
        "stdout_logfile=%(here)s/f.three\nstdout_logfile_maxbytes=10\nstdout_logfile_backups=3",
    ),
    (
        "one",
        "stdout_logfile=%(here)s/f.one\nstdout_logfile_maxbytes=10\nstdout_logfile_backups=1",
    ),
    (
        "none",
        "stdout_logfile=%(here)s/f.none\nstdout_logfile_maxbytes=10\nstdout_logfile_backups=0",
    ),
    (
        "never",
        "stdout_logfile=%(here)s/f.never\nstdout_logfile_maxbytes=0\nstdout_logfile_backups=3",
    ),
    (
        "exact",
        "stdout_logfile=%(here)s/f.exact\nstdout_logfile_maxbytes=8\nstdout_logfile_backups=9",
    ),
    (
        "old",
        "stdout_logfile=%(here)s/f.old\nstdout_logfile_maxbytes=10\nstdout_logfile_backups=2",
    ),
    ("nowhere", "stdout_logfile=NONE"),
    (
        "auto",
        "stdout_logfile=AUTO\nstdout_logfile_maxbytes=10\nstdout_logfile_backups=2",
    ),
    (
        "merged",
        "redirect_stderr=true\nstderr_logfile=%(here)s/f.merged.err\nstdout_logfile=%(here)s/f.merged",
    ),
];

fn config_of_logs() -> String {
    let programs = LOGS.iter().map(|(name, options)| {
        format!(
            "[program:{name}]\ncommand=sh -c '{}'\nstartsecs=0\nstdout_events_enabled=true\n{options}\n",
            if *name == "merged" { "while read -r line; do printf \"$line\" >&2; done" } else { TALKER }
        )
    });
    programs.collect()
}

const RECORDER: &str = "[eventlistener:recorder]\ncommand=%(ENV_LISTENER)s %(here)s/events\nevents=PROCESS_LOG,PROCESS_COMMUNICATION\nbuffer_size=10000\n";

fn start_logs(session: &mut Session) {
    let dir = session.daemon.dir();
    for (name, text) in [
        ("f.old", "123456789"),
        ("f.old.2", "second"),
        ("f.old.5", "left alone"),
    ] {
        std::fs::write(dir.join(name), text).expect("the directory is writable");
    }
    session
        .daemon
        .write_config(&format!("{RECORDER}{}", config_of_logs()));
    session.rpc("reloadConfig", json!([]));
    let names: Vec<_> = ["recorder"]
        .into_iter()
        .chain(LOGS.iter().map(|(name, _)| *name))
        .collect();
    for name in &names {
        session.daemon.call("addProcessGroup", json!([name]));
    }
    for name in &names {
        session.daemon.wait_state(name, "RUNNING");
    }
}

const ROTATION: Scenario = Scenario {
    name: "logs: rotation",
    config: "",
    steps: |session| {
        start_logs(session);
        let names: Vec<_> = LOGS.iter().map(|(name, _)| *name).collect();
        let texts = [
            "aaaa",
            "bbbb",
            "cccc\\n",
            "d",
            "0123456789012345678901234567890",
            "",
            "e\\303\\251",
            "ffff",
            "gggg",
        ];
        let texts: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        say_to_all(session, &names, &texts);
        note_files(session, "f.");
        std::fs::remove_file(session.daemon.path("f.three.1")).expect("a backup");
        std::fs::remove_file(session.daemon.path("f.one")).expect("a log");
        for name in &names {
            let sent = session
                .daemon
                .call("sendProcessStdin", json!([name, "hhhhhhhhhhhh\n"]));
            assert_eq!(sent, json!(true));
            settle_output(&session.daemon, name, texts.len() + 1);
        }
        note_files(session, "f.");
        for name in names {
            session.rpc("readProcessStdoutLog", json!([name, 0, 0]));
            session.rpc("tailProcessStdoutLog", json!([name, 0, 5]));
            session.rpc("clearProcessLogs", json!([name]));
        }
        note_files(session, "f.");
        let auto = std::fs::read_dir(session.daemon.path("logs")).expect("there");
        let mut kinds: Vec<_> = auto
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        kinds.sort();
        session.note(&kinds.join("\n"));
        session.events_by_process("events");
        session.shut_down();
    },
};

#[test]
fn rotation_agrees() {
    compare(&ROTATION);
}

/// Offsets and lengths of `readProcessStdoutLog`, and of `tailProcessStdoutLog`, on a log of 12 bytes.
const OFFSETS: &[(i64, i64)] = &[
    (0, 0),
    (0, 4),
    (0, 12),
    (0, 13),
    (0, 100),
    (4, 0),
    (4, 4),
    (11, 5),
    (12, 0),
    (12, 5),
    (13, 0),
    (13, 5),
    (100, 100),
    (-1, 0),
    (-4, 0),
    (-12, 0),
    (-13, 0),
    (-100, 0),
    (-4, 2),
    (-4, -2),
    (0, -1),
    (4, -4),
    (5, 7),
    (2147483647, 0),
    (0, 2147483647),
    (-2147483648, 0),
];

const READING: Scenario = Scenario {
    name: "logs: reading",
    config: "\
[program:a]
command=sh -c 'printf \"0123456789ab\"; printf \"stderr\" >&2; exec sleep 1000'
startsecs=0
stdout_logfile=%(here)s/a.out
stderr_logfile=%(here)s/a.err
[program:silent]
command=sleep 1000
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
[program:idle]
command=sleep 1000
autostart=false
stdout_logfile=%(here)s/idle.out
",
    steps: |session| {
        session.daemon.wait_file("a.out", "0123456789ab");
        session.daemon.wait_file("a.err", "stderr");
        for (offset, length) in OFFSETS {
            session.rpc("readProcessStdoutLog", json!(["a", offset, length]));
            session.rpc("tailProcessStdoutLog", json!(["a", offset, length]));
        }
        for method in [
            "readProcessStderrLog",
            "tailProcessStderrLog",
            "readProcessLog",
            "tailProcessLog",
        ] {
            for name in ["a", "silent", "idle", "nobody", "a:*"] {
                session.rpc(method, json!([name, 0, 3]));
            }
        }
        for (offset, length) in [(0, -1), (-1, 5), (-3, 0), (1 << 30, 5)] {
            let answer = session.daemon.rpc("readLog", json!([offset, length]));
            let answer = answer.map(|text| text.as_str().map(str::len));
            session.note(&format!("readLog {offset} {length}: {answer:?}"));
        }
        session.rpc("clearProcessLogs", json!(["nobody"]));
        session.rpc("clearProcessLogs", json!(["silent"]));
        session.rpc("clearProcessLogs", json!(["a"]));
        note_files(session, "a.");
        session.rpc("clearAllProcessLogs", json!([]));
        std::fs::remove_file(session.daemon.path("a.out")).expect("a log");
        session.rpc("readProcessStdoutLog", json!(["a", 0, 0]));
        session.rpc("tailProcessStdoutLog", json!(["a", 0, 9]));
        session.rpc("clearProcessLogs", json!(["a"]));
        session.daemon.wait_file("supervisord.log", "");
        std::fs::remove_file(session.daemon.path("supervisord.log")).expect("the log");
        session.rpc("readLog", json!([0, 0]));
        session.rpc("clearLog", json!([]));
    },
};

#[test]
fn reading_at_offsets_agrees() {
    compare(&READING);
}

/// Input of the stripper, one chunk each.
const ANSI: &[&str] = &[
    "\\033[31mred\\033[0m",
    "a\\033[2Jb\\033[Kc\\033[1;2Hd",
    "\\033]0;title\\007after",
    "cut\\033",
    "[31mhere",
    "cut\\033[3",
    "1mthere",
    "\\033[?25lhid\\033[?25hshown",
    "\\033[38;5;200mcolour\\033[48;2;1;2;3mtrue",
    "\\033(Bx\\033=y",
    "\\033[5Gone\\033[6Xtwo\\033[7@m",
    "\\033[s\\033[u\\033[1A\\033[1B\\033[1C\\033[1D\\033[1f\\033[6n\\033[cR",
    "plain",
];

const STRIPPING: Scenario = Scenario {
    name: "logs: stripping",
    config: "\
[supervisord]
strip_ansi=true
[program:a]
command=sh -c 'while read -r line; do printf \"$line|\"; done'
startsecs=0
stdout_logfile=%(here)s/a.out
stdout_events_enabled=true
[eventlistener:recorder]
command=%(ENV_LISTENER)s %(here)s/events
events=PROCESS_LOG
buffer_size=1000
",
    steps: |session| {
        session.daemon.wait_state("a", "RUNNING");
        session.daemon.wait_state("recorder", "RUNNING");
        say_to_all(session, &["a"], ANSI);
        note_files(session, "a.");
        session.events_by_process("events");
    },
};

#[test]
fn stripping_agrees() {
    compare(&STRIPPING);
}

/// Output right before the end: 60,000 bytes fit into the pipe at once.
const ENDINGS: Scenario = Scenario {
    name: "logs: last words",
    config: "\
[program:brief]
command=sh -c 'printf first; printf last >&2; printf end'
startsecs=0
autorestart=false
stdout_logfile=%(here)s/f.brief
redirect_stderr=true
[program:much]
command=sh -c 'head -c 60000 /dev/zero | tr \"\\000\" x; exit 3'
startsecs=0
autorestart=false
stdout_logfile=%(here)s/much.out
[program:killed]
command=sh -c 'printf before; printf err >&2; kill -KILL $$'
startsecs=0
autorestart=false
stdout_logfile=%(here)s/f.killed
stderr_logfile=%(here)s/f.killed.err
[program:unopened]
command=sleep 1000
startretries=0
autostart=false
stdout_logfile=%(here)s/logs
",
    steps: |session| {
        for name in ["brief", "much", "killed"] {
            session.daemon.wait_state(name, "EXITED");
        }
        note_files(session, "f.");
        let much = session.daemon.read("much.out");
        session.note(&format!(
            "{} bytes of {:?}",
            much.len(),
            much.chars().next()
        ));
        session.rpc("startProcess", json!(["unopened"]));
        session.daemon.wait_state("unopened", "FATAL");
        session.rpc("getProcessInfo", json!(["unopened"]));
    },
};

#[test]
fn last_words_agree() {
    compare(&ENDINGS);
}
