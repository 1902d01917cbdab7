//! Programs that can be brought into a state and stay there.

use callboard_tests::{Daemon, procfs, wait};
use serde_json::json;

/// What all of it is done to: a program alone and one in a group.
const NAMES: [&str; 2] = ["p", "g:x"];

/// A state and how to get there.
pub(super) struct State {
    pub(super) name: &'static str,
    /// Options of both programs.
    options: &'static str,
    /// From any state a command may have left the process in.
    reach: fn(&Daemon, &str),
}

/// All states but UNKNOWN. Waits for stops are short because SIGTERM is lost on a child of the original that has not
/// become its program yet.
pub(super) const STATES: &[State] = &[
    State {
        name: "STOPPED",
        options: "command=sleep 1000\nstartsecs=0\nstopwaitsecs=1",
        reach: stop,
    },
    State {
        name: "STARTING",
        options: "command=sleep 1000\nstartsecs=1000\nstopwaitsecs=1",
        reach: start,
    },
    State {
        name: "RUNNING",
        options: "command=sleep 1000\nstartsecs=0\nstopwaitsecs=1",
        reach: start,
    },
    State {
        name: "BACKOFF",
        // Its log file will be a directory: every attempt fails on the spot.
        options: "command=sleep 1000\nstartretries=1000\nstdout_logfile=%(here)s/logs/%(program_name)s.out",
        reach: fail,
    },
    State {
        name: "STOPPING",
        options: "command=env --ignore-signal=TERM sleep 1000\nstartsecs=0\nstopwaitsecs=1000",
        reach: linger,
    },
    State {
        name: "EXITED",
        options: "command=sleep 0.4\nstartsecs=0\nautorestart=false",
        reach: start,
    },
    State {
        name: "FATAL",
        options: "command=sh -c 'sleep 0.1; exit 1'\nstartretries=0\nstartsecs=1000",
        reach: start,
    },
];

impl State {
    /// Two programs for the state and one that runs.
    pub(super) fn config(&self) -> String {
        let program = |name| {
            format!(
                "[program:{name}]\nautostart=false\nstderr_logfile=%(here)s/{name}.err\n{}\n",
                self.options
            )
        };
        format!(
            "{}{}[group:g]\nprograms=x\n\
             [program:other]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n",
            program("p"),
            program("x")
        )
    }

    /// Whether a command ends in this state: what makes a process start that stays in STARTING waits for ever.
    pub(super) fn answers(&self, verb: &str, words: &str) -> bool {
        let starts = verb == "restart"
            && words
                .split(' ')
                .any(|word| !matches!(word, "" | "nobody" | "g:nobody" | "zz:*"));
        self.name != "STARTING" || !starts
    }

    /// Brings every process where it belongs.
    pub(super) fn settle(&self, daemon: &Daemon) {
        wait::until(&format!("all to be {}", self.name), || {
            let infos = daemon.call("getAllProcessInfo", json!([]));
            let strays: Vec<_> =
                NAMES
                    .into_iter()
                    .chain(["other"])
                    .filter(|name| {
                        let wanted = if *name == "other" {
                            "RUNNING"
                        } else {
                            self.name
                        };
                        let process = name.rsplit(':').next();
                        !infos.as_array().into_iter().flatten().any(|info| {
                            info["name"].as_str() == process && info["statename"] == wanted
                        })
                    })
                    .collect();
            for name in &strays {
                self.bring(daemon, name);
            }
            if strays.is_empty() {
                Ok(())
            } else {
                Err(infos)
            }
        });
    }

    fn bring(&self, daemon: &Daemon, name: &str) {
        // Commands may have removed it.
        let group = name.split(':').next();
        let _ = daemon.rpc("addProcessGroup", json!([group]));
        match name {
            "other" => start(daemon, name),
            _ => (self.reach)(daemon, name),
        }
    }
}

fn start(daemon: &Daemon, name: &str) {
    // It may be on its way already, or fail, as it shall.
    let _ = daemon.rpc("startProcess", json!([name, false]));
}

fn stop(daemon: &Daemon, name: &str) {
    // It may have stopped already.
    let _ = daemon.rpc("stopProcess", json!([name]));
}

fn fail(daemon: &Daemon, name: &str) {
    let program = name.rsplit(':').next().unwrap_or(name);
    let log = daemon.path("logs").join(format!("{program}.out"));
    std::fs::create_dir_all(log).expect("nothing is there but this directory");
    start(daemon, name);
}

fn linger(daemon: &Daemon, name: &str) {
    start(daemon, name);
    let pid = daemon.process_pid(name);
    wait::until("SIGTERM to be ignored", || match procfs::row(pid) {
        Some(row) if row.name == "sleep" => Ok(()),
        other => Err(other),
    });
    let _ = daemon.rpc("stopProcess", json!([name, false]));
}
