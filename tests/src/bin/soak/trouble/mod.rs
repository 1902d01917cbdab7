//! What happens to the daemon and its programs, by a schedule that the seed decides.

mod admin;
mod mischief;

use crate::clients::{Part, Role};
use crate::shared::Shared;

/// What runs beside the clients.
pub(crate) fn all(shared: &Shared) -> Vec<Part<'_>> {
    let parts: [(&str, Role); 2] = [
        ("administrator", admin::administer),
        ("mischief", mischief::make),
    ];
    parts
        .map(|(name, run)| {
            let part: Part<'_> = (name.to_owned(), Box::new(move || run(shared)));
            part
        })
        .into()
}

pub(crate) use admin::settle;
