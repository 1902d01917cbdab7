//! Long work in short pieces.

use std::time::{Duration, Instant};

/// The longest piece. A call takes several turns to be answered, and waits for a piece before each.
const PIECE: Duration = Duration::from_micros(500);

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
