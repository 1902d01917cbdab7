//! Events, whole: every type byte for byte against recordings of the original, and pools among listeners that misbehave.

mod chaos;
mod golden;
mod record;
mod stream;
