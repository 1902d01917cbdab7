//! Children that a daemon had just started when it died, before it could note them down.
//!
//! The record says that a launch was under way. If there is a child of it, nobody has the ends of
//! its pipes any more, and it has lived for a moment only: it is killed, and the program is started
//! as if there had been none.

use std::fmt::Display;
use std::fs;
use std::time::Duration;

use crate::logs::activity::ActivityLog;
use crate::sys::{clock, parent, signal};

/// How exactly the start of a process is known, and more: the kernel counts in hundredths of seconds.
const SLACK: Duration = Duration::from_millis(50);

/// A launch that was under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Launch {
    pub(super) group: String,
    pub(super) process: String,
    /// On the monotonic clock.
    pub(super) at: Duration,
}

impl Launch {
    /// Kills what has come of it.
    pub(super) fn undo(&self, log: &ActivityLog) {
        let own = Sight::of("self");
        for pid in parent::siblings() {
            let sight = Sight::of(pid);
            let is_recent = parent::age(pid).is_some_and(|age| self.has_begun(age));
            if is_recent && (sight.is_unborn(&own) || self.is_in(&sight.environment)) {
                // It was there a moment ago, and whoever reaps it is busy waiting for us.
                let _ = signal::kill(pid, libc::SIGKILL);
                log.warn(format_args!(
                    "killed pid {pid}, with which '{}' was being started when the daemon died",
                    self.process
                ));
            }
        }
    }

    /// Whether a process of this age may have been started by it.
    fn has_begun(&self, age: Duration) -> bool {
        age <= clock::monotonic().saturating_sub(self.at) + SLACK
    }

    /// Whether an environment is that of its child.
    fn is_in(&self, environment: &[u8]) -> bool {
        let is_set = |name: &str, value: &str| {
            let entry = [name.as_bytes(), b"=", value.as_bytes()].concat();
            environment.split(|byte| *byte == 0).any(|it| it == entry)
        };
        is_set("SUPERVISOR_PROCESS_NAME", &self.process)
            && is_set("SUPERVISOR_GROUP_NAME", &self.group)
    }
}

/// What the kernel shows of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sight {
    arguments: Vec<u8>,
    environment: Vec<u8>,
}

impl Sight {
    fn of(pid: impl Display) -> Self {
        let read = |what| fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        // In this order: a child that executes its program in between is recognised by one of them.
        Self {
            arguments: read("cmdline"),
            environment: read("environ"),
        }
    }

    /// Whether a child has not executed its program yet: until then it is an image of the daemon before
    /// us, which was started with the arguments that we were started with.
    fn is_unborn(&self, own: &Self) -> bool {
        !own.arguments.is_empty() && self.arguments == own.arguments
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::*;

    fn launch() -> Launch {
        Launch {
            group: "g".to_owned(),
            process: "stray".to_owned(),
            at: clock::monotonic(),
        }
    }

    #[test]
    fn only_its_own_child_is_recognised() {
        let rows = [
            (
                "SUPERVISOR_PROCESS_NAME=stray\0SUPERVISOR_GROUP_NAME=g\0",
                true,
            ),
            (
                "A=b\0SUPERVISOR_GROUP_NAME=g\0SUPERVISOR_PROCESS_NAME=stray",
                true,
            ),
            (
                "SUPERVISOR_PROCESS_NAME=stray\0SUPERVISOR_GROUP_NAME=gg\0",
                false,
            ),
            (
                "SUPERVISOR_PROCESS_NAME=stray2\0SUPERVISOR_GROUP_NAME=g\0",
                false,
            ),
            (
                "XSUPERVISOR_PROCESS_NAME=stray\0SUPERVISOR_GROUP_NAME=g\0",
                false,
            ),
            ("", false),
        ];
        for (environment, is_it) in rows {
            assert_eq!(
                launch().is_in(environment.as_bytes()),
                is_it,
                "{environment}"
            );
        }
    }

    #[test]
    fn an_image_of_the_daemon_is_recognised() {
        let sight = |arguments: &str| Sight {
            arguments: arguments.into(),
            environment: Vec::new(),
        };
        let own = sight("supervisord\0-n\0");
        assert!(sight("supervisord\0-n\0").is_unborn(&own));
        assert!(!sight("supervisord\0").is_unborn(&own));
        assert!(!sight("").is_unborn(&sight("")));
        assert!(Sight::of(std::process::id()).is_unborn(&Sight::of("self")));
    }

    #[test]
    fn older_processes_are_spared() {
        let launch = launch();
        assert!(launch.has_begun(Duration::ZERO));
        assert!(!launch.has_begun(Duration::from_secs(1)));
        let mut child = Command::new("sleep")
            .arg("60")
            .process_group(0)
            .spawn()
            .unwrap();
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        let age = parent::age(pid).unwrap();
        assert!(age < Duration::from_secs(30), "{age:?}");
        let own = parent::age(nix::unistd::getpid()).unwrap();
        assert!(own + SLACK >= age);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(parent::age(pid), None);
    }
}
