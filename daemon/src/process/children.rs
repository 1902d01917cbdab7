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
use crate::sys::wait::{self, Reaped};

/// The table of live children; clones share it.
#[derive(Clone, Default)]
pub struct Children(Rc<RefCell<HashMap<i32, Recipient<Ended>>>>);

/// Children that have ended and whose owners have to be told.
#[must_use]
pub struct Dead(Vec<(Recipient<Ended>, Reaped)>);

impl Dead {
    /// Tells the owners, a few at a time: each may start a new child at once, and clients are
    /// served in between.
    pub async fn tell(self) {
        for (count, (owner, child)) in self.0.into_iter().enumerate() {
            owner.do_send(Ended(child));
            breathe(count).await;
        }
    }
}

/// Lets everybody else have a turn, after every few of something that may start processes.
pub async fn breathe(count: usize) {
    const AT_ONCE: usize = 8;
    if count % AT_ONCE == AT_ONCE - 1 {
        tokio::task::yield_now().await;
    }
}

impl Children {
    /// Remembers who is to be told when `pid` ends.
    pub fn adopt(&self, pid: Pid, owner: Recipient<Ended>) {
        self.0.borrow_mut().insert(pid.as_raw(), owner);
    }

    /// Reaps every child that has ended. Orphans that came to us (as PID 1) are only logged.
    ///
    /// The owners are looked up here and now: by the time they are told, the kernel may have given
    /// a pid to somebody else.
    pub fn reap(&self, log: &ActivityLog) -> Dead {
        let owner_of = |child: Reaped| {
            let Reaped { pid, status, .. } = child;
            let owner = self.0.borrow_mut().remove(&pid.as_raw());
            if owner.is_none() {
                log.info(format_args!("reaped unknown pid {pid} ({status})"));
            }
            Some((owner?, child))
        };
        Dead(wait::reap().filter_map(owner_of).collect())
    }
}
