//! Tests that change or observe a whole process run in one of their own.

use std::process::Command;

const MARK: &str = "CALLBOARD_TEST_IN_OWN_PROCESS";

/// Runs `body` in a fresh process that runs nothing but the test `name` (its full path).
///
/// The calling test function is entered twice: first here, to start the process and to check its
/// end, and then inside it, where `body` runs.
pub(crate) fn in_own_process(name: &str, body: impl FnOnce()) {
    if std::env::var_os(MARK).is_some() {
        return body();
    }
    let executable = std::env::current_exe().unwrap();
    let output = Command::new(executable)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{}\n{said}\n{complained}",
        output.status
    );
}
