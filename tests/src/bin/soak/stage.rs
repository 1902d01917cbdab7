//! The daemon under soak, in a directory with copies of the programs: what is built meanwhile does not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use callboard_tests::http::Address;
use callboard_tests::{CtlOutput, Daemon, Fault, Flavour, procfs, workspace};
use serde_json::{Value, json};

use crate::ledger;
use crate::options::Options;
use crate::plan::Plan;
use crate::workload::RECORDS;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a daemon holds that has nothing to do.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    /// Open descriptors by what they are: `pipe`, `socket`, a path.
    pub(crate) descriptors: BTreeMap<String, usize>,
    /// Resident memory, KiB.
    pub(crate) resident: u64,
}

/// A running daemon.
pub(crate) struct Stage {
    pub(crate) daemon: Daemon,
    /// The newest configuration.
    plan: Mutex<Plan>,
}

impl Stage {
    /// Starts it with the first version of the plan.
    pub(crate) fn start(options: &Options) -> Self {
        let plan = Plan::new(options.programs);
        let mut daemon = Daemon::prepare(Flavour::Ours, &plan.render());
        for name in [ledger::DIRECTORY, RECORDS, "out"] {
            fs::create_dir(daemon.path(name)).expect("the directory is writable");
        }
        install(&daemon, options.bin.as_deref());
        let directory = daemon.dir().to_path_buf();
        daemon.find_programs_in(&directory);
        daemon.launch_program(&daemon.path("supervisord"), &[]);
        daemon.wait_until_up();
        let stage = Self {
            daemon,
            plan: Mutex::new(plan),
        };
        stage.wait_running();
        stage
    }

    /// The newest configuration.
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the configuration.
    pub(crate) fn write(&self, plan: &Plan) {
        self.daemon.write_config(&plan.render());
    }

    /// Where the daemon can be reached: its Unix socket, its port.
    pub(crate) fn addresses(&self) -> [Address; 2] {
        [self.daemon.address(), Address::Port(self.daemon.port())]
    }

    /// Calls a method of `supervisor` on a connection of its own.
    pub(crate) fn call(&self, method: &str, params: &Value) -> io::Result<Result<Value, Fault>> {
        let method = match method.contains('.') {
            true => method.to_owned(),
            false => format!("supervisor.{method}"),
        };
        self.daemon.try_call(&method, params)
    }

    /// Runs supervisorctl.
    pub(crate) fn ctl(&self, words: &[&str]) -> CtlOutput {
        let mut arguments = vec![
            "-c".to_owned(),
            self.daemon.config_path().display().to_string(),
        ];
        arguments.extend(words.iter().map(|word| (*word).to_owned()));
        self.daemon
            .run(&self.daemon.path("supervisorctl"), &arguments)
    }

    /// The states of all processes by name.
    pub(crate) fn states(&self) -> BTreeMap<String, String> {
        let answer = self.call("getAllProcessInfo", &json!([]));
        let infos = answer.ok().and_then(Result::ok).unwrap_or_default();
        let infos = infos.as_array().into_iter().flatten();
        let text = |info: &Value, key: &str| info[key].as_str().unwrap_or_default().to_owned();
        infos
            .map(|info| {
                let name = format!("{}:{}", text(info, "group"), text(info, "name"));
                (name, text(info, "statename"))
            })
            .collect()
    }

    /// Waits until everything that starts by itself has done so. Programs are started one after another while clients are
    /// served: one that is stopped before its turn is started all the same, as with Supervisor.
    pub(crate) fn wait_running(&self) {
        let wanted = self.plan().groups();
        self.wait_for("all programs to be started", || {
            let states = self.states();
            let group = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
            let groups: BTreeSet<String> = states.keys().map(|name| group(name)).collect();
            let waits = |name: &str| {
                let short = ["crash", "brief", "failing", "sender", "parent"];
                !short.iter().any(|kind| name.starts_with(kind))
            };
            let mut waiting = states.iter().filter(|(name, _)| waits(name));
            groups.is_superset(&wanted) && waiting.all(|(_, state)| state == "RUNNING")
        });
    }

    /// Stops whatever does something and tells what the daemon holds then.
    pub(crate) fn rest(&self) -> Rest {
        for group in self.plan().restless() {
            let _ = self.call("stopProcessGroup", &json!([group]));
        }
        let restless = self.plan().restless();
        self.wait_for("everything to be stopped", || {
            let of_restless = |name: &str| restless.iter().any(|group| name.starts_with(group));
            let states = self.states();
            let mut states = states.iter().filter(|(name, _)| of_restless(name));
            states.all(|(_, state)| ["STOPPED", "EXITED", "FATAL"].contains(&state.as_str()))
        });
        self.wait_drained();
        let mut last = self.descriptors();
        let mut same = 0;
        self.wait_for("descriptors to stay the same", || {
            let now = self.descriptors();
            same = if now == last { same + 1 } else { 0 };
            last = now;
            same > 20
        });
        Rest {
            descriptors: last,
            resident: self.resident(),
        }
    }

    /// Starts what was stopped.
    pub(crate) fn go_on(&self) {
        for group in self.plan().restless() {
            if group != "failing" {
                let _ = self.call("startProcessGroup", &json!([group, false]));
            }
        }
    }

    /// Waits until no event waits in a pool.
    pub(crate) fn wait_drained(&self) -> bool {
        self.wait_for("all events to be delivered", || {
            let pools = self.pools();
            !pools.is_empty()
                && pools.iter().all(|pool| {
                    let number = |key: &str| pool[key].as_i64().unwrap_or(1);
                    number("buffered") + number("resting") + number("in_flight") == 0
                })
        })
    }

    /// What `callboard.getAllEventPoolInfo` tells.
    pub(crate) fn pools(&self) -> Vec<Value> {
        let answer = self.call("callboard.getAllEventPoolInfo", &json!([]));
        let pools = answer.ok().and_then(Result::ok).unwrap_or_default();
        pools.as_array().cloned().unwrap_or_default()
    }

    /// Waits for a condition; `false`: in vain.
    pub(crate) fn wait_for(&self, what: &str, mut condition: impl FnMut() -> bool) -> bool {
        let start = Instant::now();
        while !condition() {
            if start.elapsed() > PATIENCE {
                eprintln!("gave up waiting for {what}");
                return false;
            }
            sleep(Duration::from_millis(50));
        }
        true
    }

    /// Whether the process that was started is still there.
    pub(crate) fn is_alive(&self) -> bool {
        procfs::is_alive(self.daemon.pid())
    }

    /// Open descriptors by what they are. Of a pool's files as many are open as it happens to read.
    pub(crate) fn descriptors(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        let entries = fs::read_dir(format!("/proc/{}/fd", self.daemon.pid()));
        for entry in entries.into_iter().flatten().flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            let target = target.display().to_string();
            let kind = match target.split_once(':') {
                Some((kind, _)) => kind.to_owned(),
                None if target.contains("/durable.events.") => continue,
                // AUTO logs have names that chance has chosen.
                None => target
                    .split("-stdout---")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            };
            let kind = kind
                .split("-stderr---")
                .next()
                .unwrap_or_default()
                .to_owned();
            *kinds.entry(kind).or_default() += 1;
        }
        kinds
    }

    /// Resident memory, KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.daemon.pid()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let digits = line.and_then(|text| text.split_whitespace().next());
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// Leaves the directory where it is; answers where.
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.daemon.keep();
        self.daemon.dir().to_path_buf()
    }
}

/// Copies the daemon, its control program and this program into the directory.
fn install(daemon: &Daemon, bin: Option<&Path>) {
    for name in ["supervisord", "supervisorctl"] {
        let from = match bin {
            Some(bin) => bin.join(name),
            None => workspace::binary(name),
        };
        fs::copy(&from, daemon.path(name)).unwrap_or_else(|error| panic!("{from:?}: {error}"));
    }
    let me = std::env::current_exe().expect("a process knows its executable");
    fs::copy(me, daemon.path("soak")).expect("there is room");
}
