//! `supervisord --check`: everything that is wrong in one run, for people and for programs.

use callboard_tests::{CtlOutput, Daemon, Flavour};
use serde_json::{Value, json};

const WRONG: &str = "\
[program:a]
comand=x
autostart=perhaps
startsecs=soon
[eventlistener:l]
command=y
events=TICK_7
[porgram:b]
command=z
[group:g]
programs=c
";

/// The number of lines in the fixture's own sections, which precede those of [`WRONG`].
fn own_lines(daemon: &Daemon) -> usize {
    daemon.read("supervisord.conf").lines().count() - WRONG.lines().count()
}

/// Runs `supervisord --check` on sections after the fixture's own.
fn check(config: &str, words: &[&str]) -> (Daemon, CtlOutput) {
    let daemon = Daemon::prepare(Flavour::Ours, config);
    let program = Flavour::Ours.command("supervisord");
    let output = daemon.run(
        &program,
        &[&["--check", "-c", "supervisord.conf"], words].concat(),
    );
    (daemon, output)
}

#[test]
fn a_good_file_is_usable() {
    let (daemon, output) = check("[program:a]\ncommand=x\n", &[]);
    let want = "supervisord.conf: 0 errors, 0 warnings\n";
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str(), output.code),
        (want, "", 0)
    );
    for name in ["s.sock", "supervisord.pid", "supervisord.log"] {
        assert!(
            !daemon.path(name).exists(),
            "{name}: nothing is to be started"
        );
    }
}

#[test]
fn all_errors_are_told_with_their_places() {
    let (daemon, output) = check(WRONG, &[]);
    assert_eq!(output.code, 2, "{output:?}");
    let places = [
        (
            1,
            "error: [program:a] command: program section program:a does not specify a command",
        ),
        (
            2,
            "warning: [program:a] comand: unknown option comand of [program:a] is ignored, did you mean command?",
        ),
        (
            3,
            "error: [program:a] autostart: not a valid boolean value: 'perhaps'",
        ),
        (
            4,
            "error: [program:a] startsecs: invalid literal for int() with base 10: 'soon'",
        ),
        (
            7,
            "error: [eventlistener:l] events: Unknown event type TICK_7 in [eventlistener:l] events",
        ),
        (
            8,
            "warning: [porgram:b] unknown section [porgram:b] is ignored, did you mean [program:b]?",
        ),
        (
            11,
            "error: [group:g] programs: [group:g] names unknown program or fcgi-program c",
        ),
    ];
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(lines.len(), places.len() + 1, "{lines:#?}");
    for ((line, message), shown) in places.iter().zip(&lines) {
        let start = format!("supervisord.conf:{}: {message}", own_lines(&daemon) + line);
        assert!(shown.starts_with(&start), "{shown}\nis not\n{start}");
    }
    assert_eq!(
        lines.last(),
        Some(&"supervisord.conf: 5 errors, 2 warnings")
    );
}

#[test]
fn warnings_alone_do_not_matter() {
    let (_daemon, output) = check("[program:a]\ncommand=x\nautostrat=false\n", &[]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(
        output.stdout.contains("did you mean autostart?"),
        "{output:?}"
    );
}

#[test]
fn the_json_form_has_every_field() {
    let (daemon, output) = check(WRONG, &["--json"]);
    assert_eq!(output.code, 2, "{output:?}");
    let report: Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    assert_eq!(
        (&report["file"], &report["errors"], &report["warnings"]),
        (&json!("supervisord.conf"), &json!(5), &json!(2))
    );
    let found = report["diagnostics"].as_array().expect("a list");
    assert_eq!(found.len(), 7);
    let place = |line: usize| json!(own_lines(&daemon) + line);
    assert_eq!(
        found[1],
        json!({
            "severity": "warning",
            "file": "supervisord.conf",
            "line": place(2),
            "section": "program:a",
            "option": "comand",
            "message": "unknown option comand of [program:a] is ignored, did you mean command?",
            "accepted": null,
            "suggestion": "command",
        })
    );
    let error = &found[2];
    assert_eq!(
        (&error["severity"], &error["line"]),
        (&json!("error"), &place(3))
    );
    assert_eq!(
        (&error["section"], &error["option"]),
        (&json!("program:a"), &json!("autostart"))
    );
    assert!(
        error["accepted"]
            .as_str()
            .is_some_and(|accepted| accepted.contains("yes")),
        "{error}"
    );
    assert_eq!(error["suggestion"], Value::Null);
}

#[test]
fn errors_of_included_files_name_those() {
    let daemon = Daemon::prepare(Flavour::Ours, "[include]\nfiles=conf.d/*.conf\n");
    std::fs::create_dir(daemon.path("conf.d")).expect("the directory is writable");
    for (name, text) in [
        ("a", "[program:a]\ncommand=x\numask=9\n"),
        ("b", "[program:b]\ncommand=x\nuser=\n\nword\n"),
    ] {
        let path = daemon.path("conf.d").join(format!("{name}.conf"));
        std::fs::write(path, text).expect("the directory is writable");
    }
    let program = Flavour::Ours.command("supervisord");
    let output = daemon.run(&program, &["--check", "-c", "supervisord.conf"]);
    assert_eq!(output.code, 2, "{output:?}");
    for place in [
        "conf.d/a.conf:3: error: ",
        "conf.d/b.conf:3: error: ",
        "conf.d/b.conf:5: error: ",
    ] {
        assert!(output.stdout.contains(place), "{place}: {}", output.stdout);
    }
}

#[test]
fn a_missing_file_is_an_error_like_others() {
    let daemon = Daemon::prepare(Flavour::Ours, "");
    let program = Flavour::Ours.command("supervisord");
    let output = daemon.run(&program, &["--check", "-c", "nowhere.conf"]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(
        output
            .stdout
            .contains("could not find config file nowhere.conf"),
        "{output:?}"
    );
}

#[test]
fn the_form_alone_is_no_question() {
    let daemon = Daemon::prepare(Flavour::Ours, "");
    let program = Flavour::Ours.command("supervisord");
    let output = daemon.run(&program, &["--json", "-c", "supervisord.conf"]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(
        output.stderr.contains("--json requires --check"),
        "{output:?}"
    );
}
