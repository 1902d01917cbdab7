//! Whatever words a program is called with, they are taken apart without a panic; what was understood, written down in full,
//! is understood the same. And so are names of processes.
//!
//! Every line is a word.
#![no_main]

use getopt::{Parsed, Spec, getopt};
use protocol::namespec::Namespec;

const SPEC: Spec<'_> = Spec {
    short: "hnc:m:é:",
    long: &[
        "help",
        "nodaemon",
        "nocleanup",
        "configuration=",
        "minfds=",
        "min",
    ],
};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let words: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Ok(parsed) = getopt(&words, SPEC) {
        let again = getopt(&in_full(&parsed), SPEC);
        assert_eq!(again, Ok(parsed));
    }
    let _ = config::cli::parse_at(&words, "/".into());
    for word in &words {
        let written = Namespec::parse(word).to_string();
        assert_eq!(Namespec::parse(&written).to_string(), written);
    }
});

fn in_full(parsed: &Parsed) -> Vec<String> {
    let mut words = Vec::new();
    for (name, value) in &parsed.options {
        let letter = name.trim_start_matches('-').chars().next().unwrap_or('-');
        let takes_value = match name.strip_prefix("--") {
            Some(long) => SPEC.long.contains(&&*format!("{long}=")),
            None => SPEC.short.contains(&format!("{letter}:")),
        };
        match (name.starts_with("--"), takes_value) {
            (true, true) => words.push(format!("{name}={value}")),
            (false, true) => words.extend([name.clone(), value.clone()]),
            (_, false) => words.push(name.clone()),
        }
    }
    words.push("--".to_owned());
    words.extend(parsed.rest.iter().cloned());
    words
}
