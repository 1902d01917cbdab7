//! Prints the reference page of the configuration file, `docs/configuration.md`.
#![allow(clippy::print_stdout, reason = "an example prints")]

fn main() {
    print!("{}", config::reference());
}
