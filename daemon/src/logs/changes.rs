//! Telling followers that a log has changed, so that they need not poll it.

use std::rc::Rc;

use tokio::sync::watch;

/// The change signal of one log, shared by whoever writes it and whoever follows it.
///
/// It may outlive the open file: a process that is restarted goes on with the same signal.
/// Announcing a change costs one atomic load while nobody follows.
#[derive(Debug, Clone)]
pub struct Changes(Rc<watch::Sender<()>>);

/// A follower's end: `changed().await` returns once per batch of changes since the last look.
pub type Follower = watch::Receiver<()>;

impl Changes {
    /// Starts to follow: the first `changed()` waits for the first change from now on.
    pub fn subscribe(&self) -> Follower {
        self.0.subscribe()
    }

    /// Wakes the followers.
    pub fn announce(&self) {
        if self.0.receiver_count() > 0 {
            self.0.send_replace(());
        }
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self(Rc::new(watch::Sender::new(())))
    }
}
