//! Telling followers that a log has changed, so that they need not poll it.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use tokio::sync::watch;

/// The change signal of one log, shared by whoever writes it and whoever follows it, and the count
/// of what was written.
///
/// It may outlive the open file: a process that is restarted goes on with the same signal.
/// It costs next to nothing, in time and memory, until somebody follows.
#[derive(Debug, Clone, Default)]
pub struct Changes(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    signal: OnceCell<watch::Sender<()>>,
    written: Cell<u64>,
}

/// A follower's end: `changed().await` returns once per batch of changes since the last look.
pub type Follower = watch::Receiver<()>;

impl Changes {
    /// Starts to follow: the first `changed()` waits for the first change from now on.
    pub fn subscribe(&self) -> Follower {
        let signal = self.0.signal.get_or_init(|| watch::Sender::new(()));
        signal.subscribe()
    }

    /// Wakes the followers.
    pub fn announce(&self) {
        if let Some(signal) = self.0.signal.get().filter(|signal| !signal.is_closed()) {
            signal.send_replace(());
        }
    }

    /// Counts so many bytes for the log and wakes the followers.
    pub(super) fn wrote(&self, bytes: usize) {
        let written = &self.0.written;
        written.set(written.get().wrapping_add(bytes as u64));
        self.announce();
    }

    /// Goes on counting from there.
    pub fn resume(&self, written: u64) {
        self.0.written.set(written);
    }

    /// Bytes given to the log so far, whatever became of them.
    pub fn written(&self) -> u64 {
        self.0.written.get()
    }
}
