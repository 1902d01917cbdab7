//! crashmail, every option.

use super::case::{Case, check};

/// A crash, an expected exit, another crash in a group, and what is none of its business.
const EVENTS: &[(&str, &str)] = &[
    (
        "PROCESS_STATE_EXITED",
        "processname:web groupname:web from_state:RUNNING expected:0 pid:4711",
    ),
    (
        "PROCESS_STATE_EXITED",
        "processname:web groupname:web from_state:RUNNING expected:1 pid:4712",
    ),
    (
        "PROCESS_STATE_EXITED",
        "processname:wörker groupname:größe from_state:RUNNING expected:0 pid:5",
    ),
    (
        "PROCESS_STATE_FATAL",
        "processname:web groupname:web from_state:BACKOFF",
    ),
    (
        "PROCESS_STATE_BACKOFF",
        "processname:web groupname:web from_state:STARTING tries:1",
    ),
    ("TICK_60", "when:1795260300"),
    ("SUPERVISOR_STATE_CHANGE_STOPPING", ""),
];

const ONE: &[(&str, &str)] = &[EVENTS[0]];

const fn crashmail(words: &'static [&'static str]) -> Case {
    Case::new("crashmail", words).events(EVENTS)
}

const CASES: &[Case] = &[
    crashmail(&["-m", "ops@example.com", "-s", "{mail}"]),
    crashmail(&["-a", "-m", "ops@example.com", "-s", "{mail}"]),
    crashmail(&["-a", "-p", "ghost", "-m", "ops@example.com", "-s", "{mail}"]),
    crashmail(&[
        "-p",
        "web",
        "-p",
        "größe:wörker",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}",
    ]),
    crashmail(&["-p", "web", "-m", "ops@example.com", "-s", "{mail}"]),
    crashmail(&["-o", "host 1", "-m", "ops@example.com", "-s", "{mail}"]),
    crashmail(&["-o", "", "-m", "ops@example.com", "-s", "{mail}"]),
    crashmail(&["-s", "{mail}"]),
    // One crash: the mail about a second would wait for that about the first.
    crashmail(&["-m", "a@b", "-s", "{mail}; exit 3"]).events(ONE),
    crashmail(&["-m", "a@b", "-s", "{mail}"]).zone("CET-1CEST,M3.5.0,M10.5.0/3"),
    crashmail(&[
        "--any",
        "--optionalheader=größe",
        "--email=a@b",
        "--sendmail_program={mail}",
    ]),
    crashmail(&[
        "--opt",
        "short",
        "--prog=web",
        "--prog=wörker",
        "--em=a@b",
        "--send={mail}",
        "word",
    ]),
    crashmail(&[]).alone(),
];

#[test]
fn crashmail_does_the_same() {
    check(CASES);
}
