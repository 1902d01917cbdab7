//! Clients of all kinds.

mod callers;
mod connection;
mod followers;
mod talkers;

use crate::shared::Shared;

/// A thread and its name.
pub(crate) type Part<'a> = (String, Box<dyn FnOnce() + Send + 'a>);

/// What a thread does.
pub(crate) type Role = fn(&Shared);

/// What runs beside the trouble.
pub(crate) fn all(shared: &Shared) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (number, address) in shared.stage.addresses().into_iter().enumerate() {
        for keeps in [true, false] {
            let address = address.clone();
            let name = format!("caller {number} {keeps}");
            let random = shared.random(&name);
            parts.push((
                name,
                Box::new(move || callers::call(shared, address, keeps, random)),
            ));
        }
        let name = format!("follower {number}");
        let random = shared.random(&name);
        parts.push((
            name,
            Box::new(move || followers::follow(shared, &address, random)),
        ));
    }
    let single: [(&str, Role); 5] = [
        ("lazy follower", followers::follow_lazily),
        ("supervisorctl tail", followers::tail),
        ("supervisorctl status", callers::ask_status),
        ("writer to standard input", talkers::write_input),
        ("sender of remote events", talkers::send_remote),
    ];
    for (name, run) in single {
        parts.push((name.to_owned(), Box::new(move || run(shared))));
    }
    parts
}
