//! The soak for some seconds, so that the command itself is right when somebody needs it.

use std::process::{Command, Stdio};

use callboard_tests::{Flavour, workspace};

#[test]
fn a_short_soak_finds_nothing() {
    if Flavour::under_test() == Flavour::Original {
        // It asks for what the original does not have: upgrades, durable pools.
        return;
    }
    let mut bin = workspace::binary("supervisord");
    bin.pop();
    let output = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(["--seconds", "15", "--seed", "4", "--programs", "40"])
        .arg("--bin")
        .arg(bin)
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    for seen in [" upgrades, pause ", " 2 reloads ", " told again "] {
        assert!(text.contains(seen), "{text}");
    }
}
