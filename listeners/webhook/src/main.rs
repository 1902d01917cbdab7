//! webhook: an event listener that posts events to a URL.

fn main() {}
