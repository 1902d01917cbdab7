//! Telling every connection that the servers close, or rest while the daemon is replaced, and knowing when the last has
//! gone.

use std::cell::RefCell;
use std::future::pending;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use tokio::sync::watch;

use super::resting::{Resting, UnderWay};

/// The end that tells.
#[derive(Debug)]
pub(super) struct Closer {
    phase: watch::Sender<Phase>,
    /// Connections that rest.
    resting: Rc<RefCell<Vec<Resting>>>,
}

/// What is told to one server; held by its listener and connections as long as they are there.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    phase: watch::Receiver<Phase>,
    server: Rc<Server>,
}

#[derive(Debug)]
struct Server {
    section: String,
    /// Another program could go on with its connections.
    can_rest: bool,
    /// Where they are left.
    resting: Rc<RefCell<Vec<Resting>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    Resting,
    Closing,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// Leave the connection to another program.
    Rest,
    /// Come to an end.
    Close,
}

impl Default for Closer {
    fn default() -> Self {
        Self {
            phase: watch::Sender::new(Phase::Serving),
            resting: Rc::default(),
        }
    }
}

impl Closer {
    /// For the server of this section.
    pub(super) fn watch(&self, section: &str, can_rest: bool) -> Closing {
        Closing {
            phase: self.phase.subscribe(),
            server: Rc::new(Server {
                section: section.to_owned(),
                can_rest,
                resting: Rc::clone(&self.resting),
            }),
        }
    }

    /// Has every connection come to rest, or end if it cannot.
    pub(super) fn rest(&self) {
        self.phase.send_replace(Phase::Resting);
    }

    /// Has every connection come to its end.
    pub(super) fn close(&self) {
        self.phase.send_replace(Phase::Closing);
    }

    /// Waits until everybody has gone.
    pub(super) async fn gone(&self) {
        self.phase.closed().await;
    }

    /// The connections that rest. Who comes later is too late.
    pub(super) fn into_resting(self) -> Vec<Resting> {
        self.resting.take()
    }
}

impl Closing {
    /// Returns when there is something to be done, at once if there is already.
    pub(super) async fn called(&mut self) -> Call {
        let called = self.phase.wait_for(|phase| *phase != Phase::Serving).await;
        match called.as_deref() {
            Ok(Phase::Resting) if self.server.can_rest => Call::Rest,
            // An error means that the other end was dropped: closing as well.
            Ok(_) | Err(_) => Call::Close,
        }
    }

    /// Returns when it is time to come to an end.
    pub(super) async fn closed(&mut self) {
        if self.called().await == Call::Rest {
            pending().await
        }
    }

    /// Leaves a connection to another program, if there is still time; otherwise it is closed.
    pub(super) fn leave(&self, socket: OwnedFd, under_way: UnderWay) {
        if self.phase.has_changed().is_ok() {
            let Server {
                section, resting, ..
            } = &*self.server;
            resting.borrow_mut().push(Resting {
                section: section.clone(),
                socket,
                under_way,
            });
        }
    }
}
