//! docs/threats.md tells the truth about the tests there are.

use std::fs;

use callboard_tests::workspace;

/// docs/threats.md names a test for each measure: `web/roles::name`, `daemon/http/listen::name`, `fuzz/http`.
#[test]
fn the_tests_that_the_threat_model_names_are_there() {
    let root = workspace::root();
    let page = fs::read_to_string(root.join("docs/threats.md")).expect("it is there");
    let mut count = 0;
    for word in page.split('`').skip(1).step_by(2) {
        if let Some(target) = word.strip_prefix("fuzz/") {
            let path = root.join(format!("fuzz/fuzz_targets/{target}.rs"));
            assert!(path.exists(), "{word}");
            count += 1;
        }
        let Some((file, name)) = word.split_once("::") else {
            continue;
        };
        let path = match file.split_once('/') {
            Some((member @ ("daemon" | "ctl"), file)) => format!("{member}/src/{file}.rs"),
            _ => format!("tests/tests/{file}.rs"),
        };
        let text = fs::read_to_string(root.join(&path)).unwrap_or_default();
        let is_there = name == "x" || text.contains(&format!("fn {name}()"));
        assert!(is_there, "{word}: not in {path}");
        count += 1;
    }
    assert!(count > 60, "{count} tests are named");
}
