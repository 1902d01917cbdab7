//! What clients write to programs.

use callboard_tests::{Daemon, Flavour};
use serde_json::json;

use crate::rpc::daemon;

#[test]
fn standard_input_reaches_the_program() {
    let daemon = daemon();
    assert_eq!(
        daemon.call("sendProcessStdin", json!(["run", "h\u{e9}llo\nyou\n"])),
        json!(true)
    );
    daemon.wait_file("run.out", "got h\u{e9}llo\ngot you\n");
}

#[test]
fn a_large_input_is_queued_not_refused() {
    if Flavour::under_test() == Flavour::Original {
        return; // It answers HTTP 500 although it queues the data.
    }
    let daemon = Daemon::under_test(
        "[program:a]\ncommand=sh -c 'read go; wc -c > %(here)s/count & sleep 0.1; wait'\nstartsecs=0\n\
        [program:count]\ncommand=sh -c 'while [ ! -e %(here)s/go ]; do sleep 0.02; done; head -c 600000 | wc -c > %(here)s/count'\nstartsecs=0\nautorestart=false\n",
    );
    daemon.wait_state("count", "RUNNING");
    for _ in 0..3 {
        assert_eq!(
            daemon.call("sendProcessStdin", json!(["count", "x".repeat(200_000)])),
            json!(true)
        );
    }
    std::fs::write(daemon.path("go"), "").expect("the directory is writable");
    daemon.wait_file("count", "600000\n");
}

#[test]
fn a_program_that_never_reads_gets_no_more_than_a_bound() {
    // The original queues without end.
    if Flavour::under_test() == Flavour::Original {
        return;
    }
    let daemon = Daemon::under_test("[program:deaf]\ncommand=sleep 1000\nstartsecs=0\n");
    daemon.wait_state("deaf", "RUNNING");
    let text = "x".repeat(9 * 1024 * 1024);
    let params = json!(["deaf", text]);
    assert_eq!(daemon.call("sendProcessStdin", params.clone()), json!(true));
    assert_eq!(daemon.fault("sendProcessStdin", params).code, 20);
    let little = json!(["deaf", "x"]);
    assert_eq!(daemon.call("sendProcessStdin", little), json!(true));
}
