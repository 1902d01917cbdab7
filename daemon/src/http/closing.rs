//! Telling every connection that the servers close, and knowing when the last has gone.

use tokio::sync::watch;

/// The end that tells.
#[derive(Debug)]
pub(super) struct Closer(watch::Sender<bool>);

/// The end that is told; held by every listener and connection as long as it is there.
#[derive(Debug, Clone)]
pub(super) struct Closing(watch::Receiver<bool>);

impl Default for Closer {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Closer {
    pub(super) fn watch(&self) -> Closing {
        Closing(self.0.subscribe())
    }

    /// Tells everybody; what is returned waits until everybody has gone.
    pub(super) fn begin(self) -> impl Future<Output = ()> {
        self.0.send_replace(true);
        async move { self.0.closed().await }
    }

    /// Tells everybody and waits until everybody has gone.
    pub(super) async fn close(self) {
        self.begin().await;
    }
}

impl Closing {
    /// Returns when the servers close, at once if they do so already.
    pub(super) async fn begun(&mut self) {
        // An error means that the other end was dropped: closing as well.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}
