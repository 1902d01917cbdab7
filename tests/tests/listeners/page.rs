//! docs/listeners.md shows the examples as they are.

use std::collections::BTreeSet;
use std::fs;

use callboard_tests::workspace;

use crate::examples::directory;

/// The files the page shows, each with what it shows of it: a comment names the file, the code block after it is its content.
fn shown() -> Vec<(String, String)> {
    let page = fs::read_to_string(workspace::root().join("docs/listeners.md")).expect("a page");
    let mut shown = Vec::new();
    for part in page.split("<!-- examples/listeners/").skip(1) {
        let (name, rest) = part.split_once(" -->\n").expect("a comment ends");
        let (_, rest) = rest.split_once('\n').expect("a code block begins");
        let (code, _) = rest.split_once("```\n").expect("a code block ends");
        shown.push((name.to_owned(), code.to_owned()));
    }
    shown
}

#[test]
fn code_on_the_page_is_the_code_that_is_tested() {
    for (name, code) in shown() {
        let file = fs::read_to_string(directory().join(&name)).expect(&name);
        assert_eq!(code, file, "{name}");
    }
}

#[test]
fn every_example_is_on_the_page() {
    let names: BTreeSet<String> = shown().into_iter().map(|(name, _)| name).collect();
    let mut files = BTreeSet::new();
    for language in fs::read_dir(directory()).expect("examples").flatten() {
        for file in fs::read_dir(language.path())
            .expect("a directory")
            .flatten()
        {
            let path = file.path();
            let name = path.strip_prefix(directory()).expect("it is inside");
            files.insert(name.display().to_string());
        }
    }
    assert_eq!(names, files);
}

#[test]
fn the_page_lists_every_check_and_every_option() {
    let page = fs::read_to_string(workspace::root().join("docs/listeners.md")).expect("a page");
    let checker = workspace::binary("supervisor-listener-test");
    let output = std::process::Command::new(checker)
        .arg("--list")
        .output()
        .expect("it runs");
    let list = String::from_utf8(output.stdout).expect("text");
    assert!(
        page.contains(&format!("```\n{list}```\n")),
        "the page lacks\n{list}"
    );
    for program in ["supervisor-listener-test", "webhook"] {
        let output = std::process::Command::new(workspace::binary(program))
            .arg("--help")
            .output()
            .expect("it runs");
        assert!(output.status.success());
        let usage = String::from_utf8(output.stdout).expect("text");
        let usage = usage.trim_end();
        assert!(
            page.contains(&format!("```\n{usage}\n```\n")),
            "the page lacks\n{usage}"
        );
    }
}
