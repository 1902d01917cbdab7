//! The invariants, and what became of them.

mod bytes;
mod ends;
mod events;
mod records;
mod rest;
mod verdict;

use crate::shared::Shared;
use crate::stage::Rest;
pub(crate) use verdict::{Invariant, Verdict};

use verdict::Figures;

/// Brings the daemon to rest, counts everything, ends it.
pub(crate) fn judge(shared: &mut Shared, before: &Rest) -> Verdict {
    let mut figures = Figures::new();
    if shared.stage.is_alive() {
        crate::trouble::settle(shared);
        let after = shared.stage.rest();
        rest::judge(shared, &mut figures, before, &after);
        events::judge_losses(shared, &mut figures);
    }
    rest::sum_up(shared, &mut figures);
    bytes::judge(shared, &mut figures);
    let record = events::judge(shared, &mut figures);
    ends::judge(shared, &mut figures, &record);
    if shared.stage.is_alive() {
        rest::shut_down(shared, &mut figures);
    }
    Verdict::new(figures, shared.complaints())
}
