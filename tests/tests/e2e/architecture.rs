//! Who may know whom, read off the manifests and the `use` lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use callboard_tests::workspace;

/// Each member and those of our crates it may depend on.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("getopt", &[]),
    ("config", &["protocol", "getopt"]),
    ("client", &["protocol"]),
    ("residence", &[]),
    ("ctl", &["protocol", "client", "config", "getopt"]),
    (
        "listeners/kit",
        // Itself for its own tests, with all its features.
        &["protocol", "client", "getopt", "residence", "listener-kit"],
    ),
    (
        "listeners/memmon",
        &["protocol", "client", "getopt", "listener-kit"],
    ),
    (
        "listeners/httpok",
        &["protocol", "client", "getopt", "listener-kit"],
    ),
    (
        "listeners/crashmail",
        &["protocol", "client", "getopt", "listener-kit"],
    ),
    (
        "listeners/batch",
        &["protocol", "client", "getopt", "listener-kit"],
    ),
    ("listeners/webhook", &["getopt", "listener-kit"]),
    (
        "listeners/listener-test",
        &["protocol", "getopt", "listener-kit"],
    ),
    ("daemon", &["protocol", "config", "getopt", "residence"]),
    ("tests", &["config"]),
    // For the benches of inner loops alone; the tool itself runs processes.
    ("bench", &["protocol", "config"]),
];

const OURS: &[&str] = &[
    "protocol",
    "getopt",
    "config",
    "client",
    "residence",
    "listener-kit",
];

/// The modules that decide and do nothing else.
const PURE: &[&str] = &[
    "daemon/src/process/lifecycle.rs",
    "daemon/src/keeper/wire.rs",
    "daemon/src/pool/dispatch.rs",
    "daemon/src/pool/journal/crc.rs",
    "daemon/src/pool/journal/format.rs",
    "daemon/src/pool/journal/runs.rs",
    "daemon/src/pool/journal/survey.rs",
    "daemon/src/pool/losses.rs",
    "daemon/src/pool/queue.rs",
    "daemon/src/logs/capture.rs",
    "daemon/src/logs/ansi.rs",
    "daemon/src/logs/text.rs",
];

/// What no pure module may mention: actors, runtimes, system calls, files, sockets, clocks.
const IMPURE: &[&str] = &[
    "actix",
    "tokio",
    "crate::sys",
    "super::sys",
    "std::fs",
    "std::net",
    "std::process",
    "libc::",
    "nix::",
    "Instant::now",
    "SystemTime",
];

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The crates of ours that a manifest's `[dependencies]` and `[dev-dependencies]` name.
fn dependencies(member: &str) -> BTreeSet<String> {
    let manifest = read(&workspace::root().join(member).join("Cargo.toml"));
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if inside {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            found.extend(OURS.contains(&name).then(|| name.to_owned()));
        }
    }
    found
}

/// All Rust sources below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of a file up to its unit tests, comments left out.
fn code(path: &Path) -> String {
    let text = read(path);
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    product
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    for (member, allowed) in MAY_KNOW {
        let known = dependencies(member);
        let strangers: Vec<_> = known
            .iter()
            .filter(|name| !allowed.contains(&name.as_str()))
            .collect();
        assert!(
            strangers.is_empty(),
            "{member} must not depend on {strangers:?}"
        );
    }
}

#[test]
fn the_table_lists_every_member() {
    let manifest = read(&workspace::root().join("Cargo.toml"));
    let (_, list) = manifest
        .split_once("members = [")
        .expect("a workspace has members");
    let (list, _) = list.split_once(']').expect("the list ends");
    let members: BTreeSet<&str> = list
        .split(',')
        .map(|item| item.trim().trim_matches('"'))
        .filter(|item| !item.is_empty())
        .collect();
    let listed: BTreeSet<&str> = MAY_KNOW.iter().map(|(member, _)| *member).collect();
    assert_eq!(members, listed);
}

#[test]
fn pure_modules_touch_no_outer_world() {
    for module in PURE {
        let code = code(&workspace::root().join(module));
        for word in IMPURE {
            assert!(!code.contains(word), "{module} mentions {word}");
        }
    }
}

#[test]
fn unsafe_code_stays_in_its_corner() {
    let root = workspace::root();
    for (member, _) in MAY_KNOW {
        for path in sources(&root.join(member).join("src")) {
            let corners = ["daemon/src/sys", "residence/src"];
            let cornered = corners
                .iter()
                .any(|corner| path.starts_with(root.join(corner)));
            let mentions = code(&path)
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "unsafe");
            assert!(
                cornered || !mentions,
                "{} contains unsafe code",
                path.display()
            );
        }
    }
}

#[test]
fn processes_and_pools_stay_apart() {
    let daemon = workspace::root().join("daemon/src");
    for (module, forbidden) in [
        ("process", &["crate::pool"][..]),
        (
            "rpc",
            &["crate::process::", "crate::pool::", "crate::sys"][..],
        ),
        (
            "sys",
            &[
                "crate::process",
                "crate::pool",
                "crate::supervisor",
                "crate::rpc",
                "actix",
            ][..],
        ),
    ] {
        let files = sources(&daemon.join(module));
        assert!(!files.is_empty(), "daemon/src/{module} is gone");
        for path in files {
            let code = code(&path);
            for word in forbidden {
                assert!(!code.contains(word), "{} mentions {word}", path.display());
            }
        }
    }
}
