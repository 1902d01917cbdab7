//! A kernel without processes: its children live as long as chance has it.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

use actix::Addr;
use config::model::SignalNumber;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::time::sleep;

use crate::process::Process;
use crate::process::messages::Ended;
use crate::seeds::Run;
use crate::sys::kernel::Kernel;
use crate::sys::spawn::{LaunchPlan, SpawnError};
use crate::sys::wait::{ExitStatus, Reaped, Used};

/// What a process and those who watch it share.
pub(super) struct Stage {
    run: RefCell<Run>,
    pub(super) process: RefCell<Option<Addr<Process>>>,
    child: Cell<Option<Child>>,
    last_pid: Cell<i32>,
    /// The signals that were sent to children.
    signals: RefCell<Vec<i32>>,
    /// Nothing fails any more.
    is_kind: Cell<bool>,
    /// What is wrong: a panic in an actor would be seen by nobody.
    complaints: RefCell<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Child {
    pid: i32,
    /// It does not mind being asked to stop.
    is_stubborn: bool,
}

impl Stage {
    pub(super) fn new(run: Run) -> Self {
        Self {
            run: RefCell::new(run),
            process: RefCell::default(),
            child: Cell::default(),
            last_pid: Cell::new(0),
            signals: RefCell::default(),
            is_kind: Cell::new(false),
            complaints: RefCell::default(),
        }
    }

    pub(super) fn below(&self, bound: u64) -> u64 {
        self.run.borrow_mut().below(bound)
    }

    pub(super) fn note(&self, what: impl Display) {
        self.run.borrow_mut().note(what);
    }

    /// True once in so many times, until all is well.
    fn mishap(&self, times: u64) -> bool {
        !self.is_kind.get() && self.run.borrow_mut().once_in(times)
    }

    pub(super) fn some_time(&self) -> Duration {
        // Whole seconds meet timers that are due.
        if self.below(3) == 0 {
            return Duration::from_secs(self.below(4)) + Duration::from_millis(self.below(2));
        }
        let most = self.run.borrow_mut().pick(&[1, 100, 1000, 5000, 20_000]);
        Duration::from_millis(self.below(most))
    }

    pub(super) fn pick_signal(&self) -> SignalNumber {
        let signals = [Signal::SIGHUP, Signal::SIGKILL].map(|signal| signal as i32);
        SignalNumber::from_raw(self.run.borrow_mut().pick(&signals))
    }

    pub(super) fn be_kind(&self) {
        self.is_kind.set(true);
    }

    pub(super) fn signals(&self) -> Vec<i32> {
        self.signals.borrow().clone()
    }

    pub(super) fn last_pid(&self) -> i32 {
        self.last_pid.get()
    }

    pub(super) fn child(&self) -> Option<i32> {
        self.child.get().map(|child| child.pid)
    }

    /// Somebody else kills it.
    pub(super) fn end_child(&self) {
        if let Some(pid) = self.child() {
            self.end(pid, ExitStatus::killed(Signal::SIGKILL));
        }
    }

    fn complain(&self, what: String) {
        self.note(&what);
        self.complaints.borrow_mut().push(what);
    }

    pub(super) fn judge(&self) {
        let complaints = self.complaints.borrow();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// The child ends, if it has not ended before, and is reaped at once.
    fn end(&self, pid: i32, status: ExitStatus) {
        if self.child() != Some(pid) {
            return;
        }
        self.note(format_args!("{pid} ends: {status}"));
        self.child.set(None);
        let reaped = Reaped {
            pid: Pid::from_raw(pid),
            status,
            used: Used::default(),
            at: None,
        };
        if let Some(process) = &*self.process.borrow() {
            process.do_send(Ended(reaped));
        }
    }
}

pub(super) struct Fake(pub(super) Rc<Stage>);

impl Fake {
    fn end_later(&self, pid: i32, after: Duration, status: ExitStatus) {
        let stage = Rc::clone(&self.0);
        actix::spawn(async move {
            sleep(after).await;
            stage.end(pid, status);
        });
    }

    /// It ends by itself, perhaps.
    fn let_live(&self, pid: i32) {
        let stage = &self.0;
        if stage.mishap(2) {
            let status = match stage.below(4) {
                0 => ExitStatus::killed(Signal::SIGSEGV),
                code => ExitStatus::exited(code as u8 - 1),
            };
            self.end_later(pid, stage.some_time(), status);
        }
    }
}

impl Kernel for Fake {
    fn spawn(&self, _: &LaunchPlan<'_>) -> Result<Pid, SpawnError> {
        let stage = &self.0;
        if stage.mishap(6) {
            stage.note("no child");
            return Err(SpawnError(Errno::EAGAIN));
        }
        let pid = stage.last_pid.get() + 1;
        stage.note(format_args!("{pid} begins"));
        stage.last_pid.set(pid);
        let child = Child {
            pid,
            is_stubborn: stage.mishap(3),
        };
        if let Some(other) = stage.child.replace(Some(child)) {
            stage.complain(format!("{pid} beside {other:?}"));
        }
        self.let_live(pid);
        Ok(Pid::from_raw(pid))
    }

    fn kill(&self, target: Pid, signal: i32) -> Result<(), Errno> {
        let stage = &self.0;
        let pid = target.as_raw().abs();
        stage.note(format_args!("signal {signal} to {target}"));
        stage.signals.borrow_mut().push(signal);
        if pid != stage.last_pid.get() {
            stage.complain(format!(
                "signal {signal} to {pid}, which was reaped long ago"
            ));
        }
        let Some(child) = stage.child.get() else {
            return Err(Errno::ESRCH);
        };
        if stage.mishap(12) {
            return Err(Errno::EPERM);
        }
        let (is_kill, after) = (
            signal == Signal::SIGKILL as i32,
            Duration::from_millis(stage.below(50)),
        );
        match Signal::try_from(signal) {
            Ok(signal) if is_kill || !child.is_stubborn => {
                self.end_later(pid, after, ExitStatus::killed(signal));
            }
            _ => {}
        }
        Ok(())
    }
}
