//! Capture mode: tokens cut anywhere, repeated, nested, unfinished, and more data than the limit.

use callboard_tests::scenario::{Scenario, Session, compare};
use callboard_tests::wait;
use serde_json::json;

const BEGIN: &str = "<!--XSUPERVISOR:BEGIN-->";
const END: &str = "<!--XSUPERVISOR:END-->";

/// Longer than a token: what the original holds back comes out.
const FILLER: &str = "..............................";

const CONFIG: &str = "\
[program:a]
command=cat
startsecs=0
stdout_logfile=%(here)s/a.out
stdout_capture_maxbytes=1MB
stdout_events_enabled=true
[program:small]
command=cat
startsecs=0
stdout_logfile=%(here)s/small.out
stdout_capture_maxbytes=10
stdout_events_enabled=true
[program:err]
command=sh -c 'exec cat >&2'
startsecs=0
stderr_logfile=%(here)s/err.out
stderr_capture_maxbytes=1MB
stderr_events_enabled=true
[eventlistener:recorder]
command=%(ENV_LISTENER)s %(here)s/events
events=PROCESS_COMMUNICATION
buffer_size=10000
[eventlistener:chunks]
command=%(ENV_LISTENER)s %(here)s/chunks
events=PROCESS_LOG
buffer_size=10000
";

/// Sends chunks, each read by itself.
fn say(session: &Session, process: &str, chunks: &[&str]) {
    for chunk in chunks {
        let announced = |session: &Session| {
            let events = session.daemon.events("chunks");
            events
                .iter()
                .filter(|event| event.process() == process)
                .count()
        };
        let before = announced(session);
        let sent = session
            .daemon
            .call("sendProcessStdin", json!([process, chunk]));
        assert_eq!(sent, json!(true));
        wait::until_true("the chunk to be read", || (announced(session) > before, ()));
    }
}

fn settle(session: &Session) {
    for name in ["a", "small", "err", "recorder", "chunks"] {
        session.daemon.wait_state(name, "RUNNING");
    }
}

/// Waits for the communication that says this.
fn arrived(session: &Session, last: &str) {
    let daemon = &session.daemon;
    daemon.wait_event("events", last, |event| event.payload.ends_with(last));
}

/// Waits for the communication that says this, and notes logs and communications.
fn finish(session: &mut Session, process: &str, last: &str) {
    arrived(session, last);
    let log = if process == "err" {
        "err.out".to_owned()
    } else {
        format!("{process}.out")
    };
    session.daemon.wait_file(&log, FILLER);
    let content = session.daemon.read(&log);
    session.note(&format!("{log}: {content:?}"));
    session.events_by_process("events");
}

const CUTS: Scenario = Scenario {
    name: "capture: tokens cut anywhere",
    config: CONFIG,
    steps: |session| {
        settle(session);
        for cut in 1..BEGIN.len() {
            let (head, tail) = BEGIN.split_at(cut);
            let (end_head, end_tail) = END.split_at(cut.min(END.len() - 1));
            let first = format!("out {cut}{FILLER}{head}");
            let second = format!("{tail}in {cut}{FILLER}{end_head}");
            let third = format!("{end_tail}{FILLER}");
            say(session, "a", &[&first, &second, &third]);
        }
        say(session, "a", &[&format!("{BEGIN}last{END}{FILLER}")]);
        finish(session, "a", "last");
    },
};

#[test]
fn tokens_cut_anywhere_agree() {
    compare(&CUTS);
}

const FORMS: Scenario = Scenario {
    name: "capture: forms",
    config: CONFIG,
    steps: |session| {
        settle(session);
        let chunks = [
            format!("a{BEGIN}1{END}b{BEGIN}2{END}c"),
            format!("{END}stray end{FILLER}"),
            format!("{BEGIN}{END}empty before{FILLER}"),
            format!("{BEGIN}outer{BEGIN}inner{END}after{END}{FILLER}"),
            format!("<!--XSUPERVISOR:BEGIN--no{FILLER}"),
            format!("<<!--XSUPERVISOR:BEGIN-->doubled{END}>{FILLER}"),
            format!("{BEGIN}line\nline \u{e9}{END}{FILLER}"),
            format!("{BEGIN}last{END}{FILLER}"),
        ];
        let chunks: Vec<_> = chunks.iter().map(String::as_str).collect();
        say(session, "a", &chunks);
        say(
            session,
            "err",
            &[&format!("e{BEGIN}from stderr{END}{FILLER}")],
        );
        // What either says is among the events of both.
        for last in ["last", "from stderr"] {
            arrived(session, last);
        }
        finish(session, "a", "last");
        finish(session, "err", "from stderr");
    },
};

#[test]
fn forms_agree() {
    compare(&FORMS);
}
