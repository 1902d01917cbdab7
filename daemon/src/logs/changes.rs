//! Telling followers that a log has changed, so that they need not poll it.

use std::cell::OnceCell;
use std::rc::Rc;

use tokio::sync::watch;

/// The change signal of one log, shared by whoever writes it and whoever follows it.
///
/// It may outlive the open file: a process that is restarted goes on with the same signal.
/// It costs next to nothing, in time and memory, until somebody follows.
#[derive(Debug, Clone, Default)]
pub struct Changes(Rc<OnceCell<watch::Sender<()>>>);

/// A follower's end: `changed().await` returns once per batch of changes since the last look.
pub type Follower = watch::Receiver<()>;

impl Changes {
    /// Starts to follow: the first `changed()` waits for the first change from now on.
    pub fn subscribe(&self) -> Follower {
        self.0.get_or_init(|| watch::Sender::new(())).subscribe()
    }

    /// Wakes the followers.
    pub fn announce(&self) {
        if let Some(signal) = self.0.get().filter(|signal| !signal.is_closed()) {
            signal.send_replace(());
        }
    }
}
