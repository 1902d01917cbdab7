//! Long work in short pieces.

use std::time::{Duration, Instant};

/// The longest piece: what others wait for is hardly longer.
const PIECE: Duration = Duration::from_millis(2);

/// Lets others have a turn again and again.
#[derive(Debug)]
pub struct Pace(Instant);

impl Default for Pace {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Pace {
    /// Lets others have a turn if this one has lasted long enough. Call it after every small step.
    pub async fn breathe(&mut self) {
        if self.0.elapsed() >= PIECE {
            tokio::task::yield_now().await;
            self.0 = Instant::now();
        }
    }
}
