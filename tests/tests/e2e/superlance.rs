//! The listeners at work, ours and the originals, under our daemon and the original.

use callboard_tests::{Daemon, Flavour, wait};

/// A stand-in for sendmail that appends the message to a file.
const SENDMAIL: &str = "sh -c \"cat >> $MAILBOX; echo >> $MAILBOX\"";

fn start(daemon: Flavour, listener: Flavour, name: &str, options: &str, sections: &str) -> Daemon {
    let command = listener.command(name).display().to_string();
    Daemon::start(
        daemon,
        &format!(
            "[eventlistener:watch]\ncommand={command} {options}\nstartsecs=0\nbuffer_size=100\n\
             environment=MAILBOX=\"%(here)s/mailbox\"\nstderr_logfile=%(here)s/watch.err\n{sections}"
        ),
    )
}

/// All pairings that involve the implementation under test.
fn pairings() -> [(Flavour, Flavour); 3] {
    let tested = Flavour::under_test();
    [
        (tested, tested),
        (tested, Flavour::Original),
        (Flavour::Original, tested),
    ]
}

#[test]
fn crashmail_reports_an_unexpected_exit() {
    for (daemon, listener) in pairings() {
        let daemon = start(
            daemon,
            listener,
            "crashmail",
            &format!("-o host -m ops@example.com -s '{SENDMAIL}'"),
            "events=PROCESS_STATE\n[program:crash]\ncommand=sh -c 'exit 4'\nstartsecs=0\nautorestart=false\n",
        );
        daemon.wait_file(
            "mailbox",
            "To: ops@example.com\nSubject: host: crash crashed at ",
        );
        daemon.wait_file(
            "mailbox",
            "\n\nProcess crash in group crash exited unexpectedly (pid ",
        );
        daemon.wait_file("mailbox", ") from state RUNNING\n");
        daemon.wait_file("watch.err", "unexpected exit, mailing\n");
        daemon.wait_state("watch", "RUNNING");
    }
}

/// Holds 40 MB, twice what it may.
const LEAK: &str = "[program:leak]\ncommand=\"%(ENV_PYTHON)s\" -c \"import time; held = bytearray(40000000); time.sleep(1000)\"\nstartsecs=0\n";

#[test]
fn memmon_restarts_what_grew_too_large() {
    for (daemon, listener) in pairings() {
        let options = format!("-p leak=20MB -m ops@example.com -s '{SENDMAIL}'");
        let daemon = start(
            daemon,
            listener,
            "memmon",
            &options,
            &format!("events=TICK_5\n{LEAK}"),
        );
        daemon.wait_state("leak", "RUNNING");
        let first = daemon.process_pid("leak");
        daemon.wait_file("watch.err", "Restarting leak:leak\n");
        daemon.wait_file("mailbox", "process leak:leak restarted\n\n");
        wait::until("a new process", || match daemon.process_pid("leak") {
            pid if pid != first && pid != 0 => Ok(()),
            pid => Err(pid),
        });
        daemon.wait_file("watch.err", "Checking programs leak=20971520\n");
    }
}

#[test]
fn httpok_restarts_what_does_not_answer() {
    for (daemon, listener) in pairings() {
        let options = format!(
            "-p web -t 1 -m ops@example.com -s '{SENDMAIL}' http://127.0.0.1:%(ENV_TEST_PORT)s/"
        );
        let hang = "events=TICK_5\n[program:web]\nstartsecs=0\n\
                    command=\"%(ENV_PYTHON)s\" \"%(ENV_FIXTURES)s/hang.py\" %(ENV_TEST_PORT)s\n";
        let daemon = start(daemon, listener, "httpok", &options, hang);
        daemon.wait_state("web", "RUNNING");
        let first = daemon.process_pid("web");
        daemon.wait_file("watch.err", "Restarting selected processes ['web']\nweb is in RUNNING state, restarting\nweb restarted\n");
        daemon.wait_file(
            "mailbox",
            &format!(
                "Subject: httpok: http://127.0.0.1:{}/: bad status returned\n",
                daemon.port()
            ),
        );
        assert_ne!(daemon.process_pid("web"), first);
    }
}
