//! crashmailbatch, fatalmailbatch and crashsms, every option.

use super::case::{Case, check};

const CRASH: (&str, &str) = (
    "PROCESS_STATE_EXITED",
    "processname:web groupname:web from_state:RUNNING expected:0 pid:4711",
);
const FATAL: (&str, &str) = (
    "PROCESS_STATE_FATAL",
    "processname:an_api_with_a_long_name groupname:web from_state:BACKOFF",
);
const EXIT: (&str, &str) = (
    "PROCESS_STATE_EXITED",
    "processname:web groupname:web from_state:RUNNING expected:1 pid:4712",
);
const TICK_5: (&str, &str) = ("TICK_5", "when:1795260300");
const TICK_60: (&str, &str) = ("TICK_60", "when:1795260300");

/// Nothing to tell, one line, none, and several at once.
const EVENTS: &[(&str, &str)] = &[
    TICK_60, CRASH, FATAL, EXIT, TICK_5, TICK_60, TICK_60, CRASH, FATAL, CRASH, FATAL, TICK_60,
];

/// A tick of five seconds after each.
const SHORT: &[(&str, &str)] = &[CRASH, FATAL, TICK_60, TICK_5, CRASH, FATAL, TICK_5];

/// The same cases for all three.
fn cases(tool: &'static str) -> Vec<Case> {
    let case = |words| Case::new(tool, words).events(EVENTS);
    vec![
        case(&["-t", "a@x.org", "-f", "me@z.org", "-H", "{smtp}"]),
        case(&[
            "-t",
            "a@x.org, b@y.org",
            "-f",
            "Me <me@z.org>",
            "-H",
            "{smtp}",
        ]),
        case(&[
            "-t",
            "a@x.org",
            "-f",
            "me@z.org",
            "-H",
            "{smtp}",
            "-s",
            "Trouble here",
        ]),
        case(&["-t", "a@x.org", "-f", "me@z.org", "-H", "{smtp}", "-i", "2"]),
        case(&[
            "-t", "a@x.org", "-f", "me@z.org", "-H", "{smtp}", "-i", "0.5",
        ]),
        case(&[
            "-t", "a@x.org", "-f", "me@z.org", "-H", "{smtp}", "-e", "TICK_5", "-i", "0.05",
        ])
        .events(SHORT),
        case(&[
            "-t", "a@x.org", "-f", "me@z.org", "-H", "{smtp}", "-u", "me", "-p", "secret",
        ]),
        case(&[
            "-t", "a@x.org", "-f", "me@z.org", "-H", "{smtp}", "-u", "me",
        ]),
        case(&["-t", "a@x.org", "-f", "me@z.org", "-H", "{smtp}", "--tls"]),
        case(&[
            "-t", "a@x.org", "-f", "me@z.org", "-H", "{smtp}", "--tls", "-u", "me", "-p", "secret",
        ])
        .events(&[CRASH, FATAL, TICK_60]),
        case(&["-t", "a@x.org", "-f", "me@z.org", "-H", "127.0.0.1:1"])
            .events(&[CRASH, FATAL, TICK_60]),
        case(&[
            "--toEmail=a@x.org",
            "--fromEmail=me@z.org",
            "--smtpHost={smtp}",
            "--subject=Long",
            "--interval=1",
            "--tickEvent=TICK_60",
            "--userName=me",
            "--password=secret",
        ]),
        case(&[
            "--to",
            "a@x.org",
            "--from=me@z.org",
            "--smtp={smtp}",
            "--sub",
            "Short",
            "word",
        ]),
        case(&["-t", "a@x.org", "-f", "me@z.org"]).alone(),
        case(&["-t", "a@x.org", "-f", "me@z.org", "-e", "TOCK_5"]),
    ]
}

#[test]
fn crashmailbatch_does_the_same() {
    check(&cases("crashmailbatch"));
}

#[test]
fn fatalmailbatch_does_the_same() {
    check(&cases("fatalmailbatch"));
}

#[test]
fn crashsms_does_the_same() {
    check(&cases("crashsms"));
}
