//! `supervisord --check` and `echo_supervisord_conf` as programs.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

fn check(directory: &Path, text: &str, more: &[&str]) -> Output {
    std::fs::write(directory.join("c"), text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_supervisord"))
        .args(["-c", "c", "--check"])
        .args(more)
        .current_dir(directory)
        .output()
        .unwrap()
}

#[test]
fn the_exit_code_says_whether_it_can_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let rows = [
        ("[supervisord]\n", 0, "c: 0 errors, 0 warnings\n"),
        (
            "[supervisord]\nfoo=1\n",
            0,
            "c:2: warning: [supervisord] foo: unknown option foo of [supervisord] is ignored\n\
             c: 0 errors, 1 warning\n",
        ),
        (
            "[supervisord]\numask=9\nminfds=x\n",
            2,
            "c:2: error: [supervisord] umask: 9 can not be converted to an octal type (accepted: an octal number)\n\
             c:3: error: [supervisord] minfds: invalid literal for int() with base 10: 'x' (accepted: a decimal \
             number, perhaps with a sign)\n\
             c: 2 errors, 0 warnings\n",
        ),
    ];
    for (text, code, report) in rows {
        let output = check(directory.path(), text, &[]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), report);
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stderr.is_empty());
    }
    let names: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is created");
}

#[test]
fn json_is_one_object() {
    let directory = tempfile::tempdir().unwrap();
    let output = check(directory.path(), "[supervisord]\numask=9\n", &["--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("{\n  \"file\": \"c\",\n  \"errors\": 1,"),
        "{text}"
    );
    assert!(text.ends_with("}\n"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_sample_has_nothing_to_complain_of() {
    let sample = Command::new(env!("CARGO_BIN_EXE_echo_supervisord_conf"))
        .arg("ignored")
        .output()
        .unwrap();
    assert!(sample.status.success());
    let directory = tempfile::tempdir().unwrap();
    let text = String::from_utf8(sample.stdout).unwrap();
    let text = text.replace("/tmp/", &format!("{}/", directory.path().display()));
    let output = check(directory.path(), &text, &[]);
    assert_eq!(output.stdout, b"c: 0 errors, 0 warnings\n");
    assert_eq!(output.status.code(), Some(0));
}
