//! Who owns which pid. The one place where children are waited for.
//!
//! A pid is entered before the event loop gets a chance to run, so no exit can arrive unowned.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use actix::Recipient;
use nix::unistd::Pid;

use super::messages::Ended;
use crate::keeper::Keeper;
use crate::logs::activity::ActivityLog;
use crate::sys::readiness::end_of;
use crate::sys::wait::{self, Glance, Reaped};

/// The table of live children; clones share it.
#[derive(Clone, Default)]
pub struct Children {
    owners: Rc<RefCell<HashMap<i32, Recipient<Ended>>>>,
    /// Is told what only we know of now.
    keeper: Keeper,
}

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

    /// Tells the owners without letting anybody else have a turn.
    pub fn tell_at_once(self) {
        for (owner, child) in self.0 {
            owner.do_send(Ended(child));
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
    /// An empty table. The keeper is told of every child that is reaped.
    pub fn new(keeper: Keeper) -> Self {
        Self {
            keeper,
            ..Self::default()
        }
    }

    /// Remembers who is to be told when `pid` ends.
    pub fn adopt(&self, pid: Pid, owner: Recipient<Ended>) {
        self.owners.borrow_mut().insert(pid.as_raw(), owner);
    }

    /// Reaps every child that has ended. Orphans that came to us (as PID 1) are only logged.
    ///
    /// The owners are looked up here and now: by the time they are told, the kernel may have given
    /// a pid to somebody else.
    pub fn reap(&self, log: &ActivityLog) -> Dead {
        let owner_of = |child: Reaped| {
            let Reaped { pid, status, .. } = child;
            let owner = self.owners.borrow_mut().remove(&pid.as_raw());
            if owner.is_none() {
                log.info(format_args!("reaped unknown pid {pid} ({status})"));
            }
            Some((owner?, child))
        };
        let ended: Vec<Reaped> = match self.keeper.keeps() {
            true => std::iter::from_fn(|| self.note_and_collect()).collect(),
            false => wait::reap().collect(),
        };
        Dead(ended.into_iter().filter_map(owner_of).collect())
    }

    /// The keeper knows how a child has ended before nobody else can find out any more.
    fn note_and_collect(&self) -> Option<Reaped> {
        let child = wait::next_ended()?;
        if self.owners.borrow().contains_key(&child.pid.as_raw()) {
            self.keeper.note_reaped(&child);
        }
        wait::collect(child.pid)
    }

    /// Has everybody told whose child is nobody's any more, when it ends. How it ends, nobody learns.
    pub fn watch_strangers(&self) {
        let owners = self.owners.borrow();
        let pids = owners.keys().map(|pid| Pid::from_raw(*pid));
        let strangers = pids.filter(|pid| wait::glance(*pid) == Glance::Stranger);
        for pid in strangers.collect::<Vec<_>>() {
            let end = end_of(pid);
            let children = self.clone();
            actix::spawn(async move {
                if let Ok(end) = end {
                    // Whatever comes of it, there is nothing more to wait for.
                    let _ = end.readable().await;
                }
                children.ended(Reaped::lost(pid)).tell_at_once();
            });
        }
    }

    /// A child of a daemon before this one has ended: somebody else has it.
    pub fn ended(&self, child: Reaped) -> Dead {
        let owner = self.owners.borrow_mut().remove(&child.pid.as_raw());
        Dead(owner.map(|owner| (owner, child)).into_iter().collect())
    }
}
