//! memmon, every option.

use super::case::{Case, TICK, WORLD, check};
use super::supervisor::{BROKEN, Process, RUNNING, SHUTTING_DOWN, STOPPED, STUCK, process};

/// Mail to somebody, by a command that keeps it, from a memmon with a name. The name comes last: where it is in effect.
const fn memmon(words: &'static [&'static str]) -> Case {
    Case::new("memmon", words)
}

const MYSELF: &[Process] = &[
    process("web", "web", RUNNING),
    process("watch", "watch", RUNNING),
];
const DEAD: &[Process] = &[
    process("web", "web", STOPPED),
    process("workers", "b", STOPPED),
];

const TICKS: &[(&str, &str)] = &[
    ("TICK_5", "when:1795260300"),
    (
        "PROCESS_STATE_RUNNING",
        "processname:web groupname:web from_state:STARTING pid:1",
    ),
    ("SUPERVISOR_STATE_CHANGE_RUNNING", ""),
    ("REMOTE_COMMUNICATION", "type:grö\nße"),
    ("TICK_60", "when:1795260360"),
    ("TICK_3600", "when:1795262400"),
];

const CASES: &[Case] = &[
    // -p
    memmon(&["-p", "web=1"]),
    memmon(&["-p", "web=1GB"]),
    memmon(&["-p", "web:web=1GB"]),
    memmon(&["-p", "web:web=1"]),
    memmon(&["-p", "a=1", "-p", "web=1"]),
    memmon(&["-p", "b=1"]),
    memmon(&[
        "-p",
        "b=1GB",
        "-p",
        "web=2MB",
        "-p",
        "a=3KB",
        "-p",
        "wörker=4",
    ]),
    memmon(&["-p", "web=1GB", "-p", "web=1"]),
    memmon(&["-p", "web= 1 kb"]),
    memmon(&["-p", "ghost=1"]),
    // -g
    memmon(&["-g", "workers=1"]),
    memmon(&["-g", "workers=1MB", "-g", "web=1GB"]),
    memmon(&[
        "-g",
        "größe=1",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}",
        "-n",
        "größe",
    ]),
    memmon(&["-g", "ghosts=1"]),
    // -a
    memmon(&["-a", "1"]),
    memmon(&["-a", "1GB"]),
    memmon(&["-a", "1"]).world(MYSELF),
    memmon(&["-a", "1"]).world(DEAD),
    memmon(&["-a", "1"]).world(&[]),
    // -p, -g and -a together
    memmon(&["-p", "web=1GB", "-g", "workers=2GB", "-a", "3GB"]),
    memmon(&["-p", "web=1", "-a", "1"]),
    memmon(&["-g", "web=1", "-a", "1"]),
    // -c
    memmon(&["-c", "-p", "web=1GB"]),
    memmon(&["-c", "-a", "1KB"]),
    // -m, -s, -n
    memmon(&[
        "-p",
        "web=1",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}",
        "-n",
        "host 1",
    ]),
    memmon(&[
        "-n",
        "host 1",
        "-p",
        "web=1",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}",
    ]),
    memmon(&["-p", "web=1", "-m", "ops@example.com", "-s", "{mail}"]),
    memmon(&["-a", "1", "-m", "ops@example.com", "-s", "{mail}"]),
    memmon(&["-p", "web=1", "-m", "", "-s", "{mail}"]),
    memmon(&[
        "-p",
        "web=1",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}; exit 3",
        "-n",
        "N",
    ]),
    memmon(&[
        "-p",
        "web=1",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}; echo sent",
        "-n",
        "N",
    ]),
    memmon(&["-a", "1", "-m", "a@b, c@d", "-s", "{mail}", "-n", "N"])
        .zone("CET-1CEST,M3.5.0,M10.5.0/3"),
    // -u: everything has been up for 100 s.
    memmon(&["-a", "1", "-u", "99", "-m", "a@b", "-s", "{mail}"]),
    memmon(&["-a", "1", "-u", "100", "-m", "a@b", "-s", "{mail}"]),
    memmon(&["-a", "1", "-u", "1m", "-m", "a@b", "-s", "{mail}"]),
    memmon(&["-a", "1", "-u", "1h", "-m", "a@b", "-s", "{mail}"]),
    memmon(&["-a", "1", "-u", "1d", "-m", "a@b", "-s", "{mail}"]),
    memmon(&["-a", "1", "-u", "99s", "-m", "a@b", "-s", "{mail}"]),
    // Long forms, abbreviations, words without a meaning.
    memmon(&[
        "--cumulative",
        "--program=web=1GB",
        "--group=workers=1",
        "--any=2GB",
        "--sendmail_program={mail}",
        "--email=ops@example.com",
        "--uptime=1d",
        "--name=long",
    ]),
    memmon(&[
        "--cum", "--prog", "a=1", "--em", "a@b", "--send", "{mail}", "--up=1m", "--na", "short",
    ]),
    memmon(&["-a1", "-ma@b", "-s{mail}", "word", "-x"]),
    // Refusals.
    memmon(&["-p", "stuck=1"]).world(&[STUCK]),
    memmon(&["-p", "broken=1"]).world(&[BROKEN]),
    memmon(&["-a", "1", "-m", "a@b", "-s", "{mail}"]).world(&[STUCK]),
    memmon(&["-a", "1", "-u", "1", "-m", "a@b", "-s", "{mail}", "-n", "N"]).world(&[BROKEN]),
    memmon(&["-a", "1"]).world(&[SHUTTING_DOWN]),
    // Events.
    memmon(&["-g", "workers=1GB"]).events(TICKS),
    memmon(&["-p", "web=1"]).events(&[]),
    memmon(&["-u", "1"]).world(WORLD).events(TICK),
    memmon(&["-a", "1"]).alone(),
];

#[test]
fn memmon_does_the_same() {
    check(CASES);
}
