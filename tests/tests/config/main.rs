//! What configurations mean, compared with the original; what a running daemon makes of changed ones; and what
//! `supervisord --check` says about wrong ones.
//!
//! `snippets/*.conf` and `values/*.conf` hold the configurations, by subject. Supervisor reads all of them in one
//! Python process (`originals.py`); ours are read by the library, whose result shows every option, and by the real
//! daemon. To add one, write it into a file: there is no expectation to state.

mod agreement;
mod case;
mod check;
mod client;
mod deliberate;
mod difference;
mod model;
mod originals;
mod ours;
mod reload;
mod snippets;
