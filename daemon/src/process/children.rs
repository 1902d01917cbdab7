//! Who owns which pid. The one place where children are waited for.
//!
//! A pid is entered before the event loop gets a chance to run, so no exit can arrive unowned.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use actix::Recipient;
use nix::unistd::Pid;

use super::messages::Ended;
use crate::logs::activity::ActivityLog;
use crate::sys::wait;

/// The table of live children; clones share it.
#[derive(Clone, Default)]
pub struct Children(Rc<RefCell<HashMap<i32, Recipient<Ended>>>>);

impl Children {
    /// Remembers who is to be told when `pid` ends.
    pub fn adopt(&self, pid: Pid, owner: Recipient<Ended>) {
        self.0.borrow_mut().insert(pid.as_raw(), owner);
    }

    /// Reaps every child that has ended and tells its owner. Orphans that came to us (as PID 1)
    /// are only logged.
    pub fn reap(&self, log: &ActivityLog) {
        for (pid, status) in wait::reap() {
            match self.0.borrow_mut().remove(&pid.as_raw()) {
                Some(owner) => owner.do_send(Ended(status)),
                None => log.info(format_args!("reaped unknown pid {pid} ({status})")),
            }
        }
    }
}
