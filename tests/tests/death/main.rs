//! The daemon dies without a word, and `programs_on_death` says what becomes of its programs.

mod again;
mod descriptors;
mod keep;
mod keeper;
mod kill;
mod listeners;
mod load;
mod support;
mod ways;
