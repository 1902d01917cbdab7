//! Everything there is an event for, one thing after the other, so that the numbers of the events are always the same.

use std::collections::BTreeMap;
use std::time::Duration;

use callboard_tests::clock::{self, Clock};
use callboard_tests::{Daemon, Event, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::json;

/// Writes what it is told: lines of a descriptor and the bytes in hexadecimal.
const TALKER: &str = "\
import os, sys
for line in iter(sys.stdin.readline, ''):
    os.write(int(line[0]), bytes.fromhex(line[1:]))
";

/// A process whose name is odd, in a group whose name is.
const ODD: &str = "größe:p<&>'\"(é)=%_7";

/// `immune` is stopped by the signal that cannot be sent. `late` keeps the shutdown waiting, so that the listener, which goes
/// last, is told of it.
const CONFIG: &str = r#"
[eventlistener:all]
command=%(ENV_LISTENER)s %(here)s/all
events=PROCESS_STATE,PROCESS_LOG,PROCESS_COMMUNICATION,REMOTE_COMMUNICATION,SUPERVISOR_STATE_CHANGE,PROCESS_GROUP
buffer_size=1000
startsecs=0
[program:steady]
command=sleep 1000
autostart=false
startsecs=0
[program:expected]
command=sh -c 'exit 3'
autostart=false
startsecs=0
autorestart=false
exitcodes=0,3
[program:unexpected]
command=sh -c 'exit 3'
autostart=false
startsecs=0
autorestart=false
[program:killed]
command=sh -c 'kill -9 $$'
autostart=false
startsecs=0
autorestart=false
[program:fatal]
command=sh -c 'exit 1'
autostart=false
startsecs=10
startretries=1
[program:retried]
command=sh -c 'exit 1'
autostart=false
startsecs=10
[program:slow]
command=sleep 1000
autostart=false
startsecs=1000
[program:immune]
command=sleep 1000
autostart=false
startsecs=0
stopsignal=USR2
[program:odd]
process_name=p<&>'"(é)=%%_%(process_num)d
command=sleep 1000
numprocs=1
numprocs_start=7
autostart=false
startsecs=0
[group:größe]
programs=odd
[program:talker]
command="%(ENV_PYTHON)s" "%(here)s/talker.py"
autostart=false
startsecs=0
stdout_events_enabled=true
stderr_events_enabled=true
[program:plain]
command="%(ENV_PYTHON)s" "%(here)s/talker.py"
autostart=false
startsecs=0
stdout_events_enabled=true
redirect_stderr=true
[program:sender]
process_name=one
command="%(ENV_PYTHON)s" "%(here)s/talker.py"
autostart=false
startsecs=0
stdout_capture_maxbytes=1MB
stderr_capture_maxbytes=1MB
[group:senders]
programs=sender
[program:late]
command=sh -c 'trap "sleep 1; exit" TERM; touch %(here)s/armed; while :; do sleep 0.05; done'
autostart=false
startsecs=0
"#;

/// What programs write: text, characters of two to four bytes, what looks like a header, nothing visible, and what is no UTF-8.
const OUTPUT: &[&[u8]] = &[
    b"one line\n",
    b"no line feed",
    b"two\nlines\n",
    "é € 𝄞 e\u{301}\n".as_bytes(),
    b"pid:1 ver:3.0 len:5\r\n\t\0\x1b[31mred\x1b[0m\x7f",
    b"x\xff\xfe",
    b"'quoted' \"\xff\\\n",
];

/// Types and data of messages.
const MESSAGES: &[(&str, &str)] = &[
    ("plain", "data"),
    ("", ""),
    ("typ\u{e9}", "d\u{e9}ta\nzwei\n"),
    ("wide", "\u{1d11e}\u{1d11e}"),
    ("a b:c", "ver:3.0 len:3\n\nx"),
    ("two\nlines", "<&>]]>\"'\\"),
    ("hidden", "\t\u{7f}\u{85}\u{2028}\u{feff}e\u{301}"),
];

/// A daemon, and how many events of each type were waited for.
struct Session {
    daemon: Daemon,
    seen: BTreeMap<&'static str, usize>,
}

/// The events of everything but time, up to the one about the shutdown.
pub(crate) fn record(flavour: Flavour) -> Vec<Event> {
    let mut daemon = Daemon::prepare(flavour, CONFIG);
    std::fs::write(daemon.path("talker.py"), TALKER).expect("the directory is writable");
    daemon.add_environment(clock::refusing_signal(Signal::SIGUSR2 as i32));
    daemon.launch(&[]);
    daemon.wait_until_up();
    let mut session = Session {
        daemon,
        seen: BTreeMap::new(),
    };
    session.expect(&["PROCESS_STATE_STARTING", "PROCESS_STATE_RUNNING"]);
    session.states();
    session.failures();
    session.output();
    session.communication();
    session.messages();
    session.groups();
    session.shutdown()
}

impl Session {
    /// Waits for one more event of each type.
    fn expect(&mut self, names: &[&'static str]) {
        for name in names {
            let count = self.seen.entry(name).or_default();
            *count += 1;
            wait::until(&format!("{name} number {count}"), || {
                let events = self.daemon.events("all");
                let found = events.iter().filter(|event| event.name() == *name).count();
                if found >= *count { Ok(()) } else { Err(events) }
            });
        }
    }

    fn start(&mut self, name: &str) {
        // A program that ends at once may do so before the answer, which is a failure then.
        let _ = self.daemon.rpc("startProcess", json!([name, false]));
        self.expect(&["PROCESS_STATE_STARTING"]);
    }

    fn start_running(&mut self, name: &str) {
        self.start(name);
        self.expect(&["PROCESS_STATE_RUNNING"]);
    }

    fn stop(&mut self, name: &str) {
        self.daemon.call("stopProcess", json!([name]));
        self.expect(&["PROCESS_STATE_STOPPING", "PROCESS_STATE_STOPPED"]);
    }

    /// Ordinary lives, from every state there is a way from.
    fn states(&mut self) {
        for name in ["steady", ODD] {
            self.start_running(name);
            self.stop(name);
        }
        self.start("slow");
        self.stop("slow");
        for name in ["expected", "expected", "unexpected", "killed"] {
            self.start_running(name);
            self.expect(&["PROCESS_STATE_EXITED"]);
        }
    }

    /// Starts that fail for good, a stop between two attempts, and a signal that cannot be sent.
    fn failures(&mut self) {
        let attempts = [
            "PROCESS_STATE_BACKOFF",
            "PROCESS_STATE_STARTING",
            "PROCESS_STATE_BACKOFF",
        ];
        for _ in 0..2 {
            self.start("fatal");
            self.expect(&attempts);
            self.expect(&["PROCESS_STATE_FATAL"]);
        }
        // After the second attempt there are two seconds to stop it in.
        self.start("retried");
        self.expect(&attempts);
        self.daemon.call("stopProcess", json!(["retried"]));
        self.expect(&["PROCESS_STATE_STOPPED"]);
        self.start_running("immune");
        // Whether the call is a failure is another test's business.
        let _ = self.daemon.rpc("stopProcess", json!(["immune", false]));
        self.expect(&["PROCESS_STATE_STOPPING", "PROCESS_STATE_UNKNOWN"]);
    }

    /// Has a talker write bytes to a descriptor.
    fn say(&self, name: &str, descriptor: u8, bytes: &[u8]) {
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let line = format!("{descriptor}{hexadecimal}\n");
        self.daemon.call("sendProcessStdin", json!([name, line]));
    }

    fn output(&mut self) {
        self.start_running("talker");
        for bytes in OUTPUT {
            self.say("talker", 1, bytes);
            self.expect(&["PROCESS_LOG_STDOUT"]);
            self.say("talker", 2, bytes);
            self.expect(&["PROCESS_LOG_STDERR"]);
        }
        self.stop("talker");
        self.start_running("plain");
        self.say("plain", 2, b"an error\n");
        self.expect(&["PROCESS_LOG_STDOUT"]);
        self.stop("plain");
    }

    fn communication(&mut self) {
        self.start_running("senders:one");
        // The original holds back what may be a token: something has to follow.
        let wrapped = |data: &[u8]| {
            let parts: [&[u8]; 4] = [
                b"<!--XSUPERVISOR:BEGIN-->",
                data,
                b"<!--XSUPERVISOR:END-->",
                b"and enough text after the last token\n",
            ];
            parts.concat()
        };
        for data in OUTPUT.iter().copied().chain([b"".as_slice()]) {
            self.say("senders:one", 1, &wrapped(data));
            self.expect(&["PROCESS_COMMUNICATION_STDOUT"]);
            self.say("senders:one", 2, &wrapped(data));
            self.expect(&["PROCESS_COMMUNICATION_STDERR"]);
        }
        let two = [wrapped(b"first"), wrapped(b"second")].concat();
        self.say("senders:one", 1, &two);
        self.expect(&["PROCESS_COMMUNICATION_STDOUT"; 2]);
        self.stop("senders:one");
    }

    fn messages(&mut self) {
        for (kind, data) in MESSAGES {
            self.daemon.call("sendRemoteCommEvent", json!([kind, data]));
            self.expect(&["REMOTE_COMMUNICATION"]);
        }
    }

    fn groups(&mut self) {
        self.expect(&["PROCESS_GROUP_ADDED"; 14]);
        for name in ["steady", "größe"] {
            self.daemon.call("removeProcessGroup", json!([name]));
            self.expect(&["PROCESS_GROUP_REMOVED"]);
            self.daemon.call("addProcessGroup", json!([name]));
            self.expect(&["PROCESS_GROUP_ADDED"]);
        }
    }

    fn shutdown(mut self) -> Vec<Event> {
        self.start_running("late");
        wait::until_true("the trap", || (self.daemon.path("armed").exists(), ()));
        self.daemon.call("shutdown", json!([]));
        self.expect(&["SUPERVISOR_STATE_CHANGE_STOPPING"]);
        let mut events = self.daemon.events("all");
        let last = events
            .iter()
            .position(|event| event.name() == "SUPERVISOR_STATE_CHANGE_STOPPING");
        events.truncate(last.map_or(0, |index| index + 1));
        events
    }
}

/// An hour begins here, in seconds.
const HOUR: u64 = 1_999_998_000;

/// The events of time: an hour, five seconds later, and a clock set back.
pub(crate) fn record_ticks(flavour: Flavour) -> Vec<Event> {
    let config = "[eventlistener:ticks]\ncommand=%(ENV_LISTENER)s %(here)s/ticks\nevents=TICK\nbuffer_size=100\nstartsecs=0\n";
    let mut daemon = Daemon::prepare(flavour, config);
    let seconds = Duration::from_secs;
    let clock = Clock::in_dir(daemon.dir(), seconds(HOUR) - Duration::from_millis(100));
    daemon.add_environment(clock.environment());
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_log("ticks: ACKNOWLEDGED -> READY");
    // The daemon has looked at the clock when it served a request after its start.
    let mut want = 0;
    for (time, ticks) in [(HOUR, 3), (HOUR + 7, 1), (HOUR - 3600, 3)] {
        clock.set(seconds(time));
        want += ticks;
        wait::until(&format!("{want} ticks"), || match daemon.events("ticks") {
            events if events.len() >= want => Ok(()),
            events => Err(events),
        });
    }
    daemon.events("ticks")
}
