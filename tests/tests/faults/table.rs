//! docs/faults.md names every test of this suite, and tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use callboard_tests::workspace;

/// Names of tests in a directory of sources.
fn tests_in(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            tests_in(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("it is readable");
            let lines: Vec<_> = text.lines().map(str::trim_start).collect();
            let pairs = lines.windows(2).filter(|pair| pair[0] == "#[test]");
            let heads = pairs.filter_map(|pair| pair[1].strip_prefix("fn "));
            names.extend(heads.filter_map(|head| Some(head.split_once('(')?.0.to_owned())));
        }
    }
}

/// Names between backticks that look like those of tests: words joined by underscores, at least three of them.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split('`').skip(1).step_by(2);
    let is_name = |word: &&str| {
        let letters = word
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
        letters && word.matches('_').count() >= 3
    };
    words.filter(is_name).map(str::to_owned).collect()
}

#[test]
fn the_table_of_faults_names_every_test_and_no_other() {
    let root = workspace::root();
    let page = fs::read_to_string(root.join("docs/faults.md")).expect("the page is there");
    let named = named(&page);
    let mut own = BTreeSet::new();
    tests_in(&root.join("tests/tests/faults"), &mut own);
    own.remove("the_table_of_faults_names_every_test_and_no_other");
    let unnamed: Vec<_> = own.difference(&named).collect();
    assert!(unnamed.is_empty(), "not in docs/faults.md: {unnamed:?}");
    let mut all = BTreeSet::new();
    tests_in(&root.join("tests/tests"), &mut all);
    tests_in(&root.join("daemon/src"), &mut all);
    let strangers: Vec<_> = named.difference(&all).collect();
    assert!(strangers.is_empty(), "no such tests: {strangers:?}");
}
