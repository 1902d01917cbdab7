//! Coming to rest: what is under way is counted, and what begins by itself waits.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Shared by all who begin something by themselves or on a client's behalf.
#[derive(Debug, Clone)]
pub struct Gate(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    closed: watch::Sender<bool>,
    /// How many things are under way.
    passes: watch::Sender<usize>,
    /// Those who wait for something are to give up.
    interrupted: watch::Sender<bool>,
}

/// Something is under way as long as this exists.
#[derive(Debug)]
pub struct Pass(Gate);

impl Default for Gate {
    fn default() -> Self {
        Self(Rc::new(Inner {
            closed: watch::Sender::new(false),
            passes: watch::Sender::new(0),
            interrupted: watch::Sender::new(false),
        }))
    }
}

impl Gate {
    /// Something begins that must come to its end before the daemon may be replaced.
    pub fn pass(&self) -> Pass {
        self.0.passes.send_modify(|count| *count += 1);
        Pass(self.clone())
    }

    /// Whether nothing may begin by itself: no timer, no reading, no signal.
    pub fn is_closed(&self) -> bool {
        *self.0.closed.borrow()
    }

    /// Returns when it is open, at once if it is.
    pub async fn open(&self) {
        // The sender lives as long as the gate.
        let _ = self.0.closed.subscribe().wait_for(|closed| !closed).await;
    }

    /// Returns when those who wait for something are to give up, at once if that is so already.
    pub async fn interrupted(&self) {
        let mut interrupted = self.0.interrupted.subscribe();
        let _ = interrupted.wait_for(|interrupted| *interrupted).await;
    }

    /// Waits until nothing is under way any more, so long at most; whether that came to be.
    pub(crate) async fn idle(&self, patience: Duration) -> bool {
        let mut passes = self.0.passes.subscribe();
        let idle = passes.wait_for(|count| *count == 0);
        timeout(patience, idle).await.is_ok()
    }

    /// Has those give up who wait for something, until the gate opens again.
    pub(crate) fn interrupt(&self) {
        self.0.interrupted.send_replace(true);
    }

    /// Lets nothing begin by itself, if nothing is under way; whether that is so.
    pub(super) fn close_if_idle(&self) -> bool {
        let is_idle = *self.0.passes.borrow() == 0;
        if is_idle {
            self.close(true);
        }
        is_idle
    }

    /// Lets nothing begin by itself, or everything again.
    pub(crate) fn close(&self, closed: bool) {
        self.0.closed.send_replace(closed);
        if !closed {
            self.0.interrupted.send_replace(false);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.0.passes.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix::test]
    async fn rest_comes_when_the_last_pass_has_gone() {
        let gate = Gate::default();
        assert!(gate.idle(Duration::ZERO).await);
        let (one, other) = (gate.pass(), gate.pass());
        drop(one);
        assert!(!gate.idle(Duration::from_millis(1)).await);
        drop(other);
        assert!(gate.idle(Duration::ZERO).await);
    }

    #[actix::test]
    async fn an_interruption_lasts_until_the_gate_opens() {
        let gate = Gate::default();
        gate.interrupt();
        gate.interrupted().await;
        gate.interrupted().await;
        gate.close(true);
        gate.close(false);
        let interrupted = timeout(Duration::from_millis(1), gate.interrupted()).await;
        assert!(interrupted.is_err());
    }

    #[actix::test]
    async fn whoever_waits_goes_on_when_the_gate_opens() {
        let gate = Gate::default();
        gate.open().await;
        gate.close(true);
        assert!(gate.is_closed());
        let waiting = gate.clone();
        let waiter = actix::spawn(async move { waiting.open().await });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        gate.close(false);
        waiter.await.unwrap();
    }
}
