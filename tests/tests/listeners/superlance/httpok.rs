//! httpok, every option.

use super::case::{Case, WORLD, check};
use super::supervisor::{BROKEN, Process, RUNNING, SHUTTING_DOWN, STOPPED, STUCK, process};

const fn httpok(words: &'static [&'static str]) -> Case {
    Case::new("httpok", words)
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
    ("TICK_60", "when:1795260360"),
    ("TICK_3600", "when:1795262400"),
];

const CASES: &[Case] = &[
    // The URL and the answer
    httpok(&["-p", "web", "{url}/ok"]),
    httpok(&["-p", "web", "{url}"]),
    httpok(&["-p", "web", "{url}/ok?a=1&b=%20"]),
    httpok(&["-p", "web", "{url}/503"]),
    httpok(&["-p", "web", "{url}/404"]),
    httpok(&["-p", "web", "{url}/redirect"]),
    httpok(&[
        "-p",
        "web",
        "-m",
        "a@b",
        "-s",
        "{mail}",
        "http://127.0.0.1:1/refused",
    ]),
    httpok(&["-p", "web", "-m", "a@b", "-s", "{mail}", "{url}/closed"]),
    httpok(&["-p", "web", "-m", "a@b", "-s", "{mail}", "{url}/garbage"]),
    httpok(&["-p", "web", "ftp://127.0.0.1/"]),
    // -p
    httpok(&["-p", "a", "-p", "web", "{url}/503"]),
    httpok(&[
        "-p",
        "workers:a",
        "-p",
        "workers:b",
        "-p",
        "ghost",
        "-p",
        "it's",
        "{url}/503",
    ]),
    httpok(&[
        "-p",
        "größe:wörker",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}",
        "{url}/503",
    ]),
    httpok(&["{url}/503"]),
    httpok(&["-p", "watch", "{url}/503"]).world(MYSELF),
    // -a
    httpok(&["-a", "{url}/503"]),
    httpok(&["-a", "-p", "ghost", "-p", "web", "{url}/503"]),
    httpok(&["-a", "{url}/503"]).world(MYSELF),
    httpok(&["-a", "{url}/503"]).world(DEAD),
    // -t
    httpok(&[
        "-p",
        "web",
        "-t",
        "1",
        "-m",
        "a@b",
        "-s",
        "{mail}",
        "{url}/hang",
    ]),
    // -c
    httpok(&["-p", "web", "-c", "503", "{url}/503"]),
    httpok(&["-p", "web", "-c", "404", "-c", "200", "{url}/ok"]),
    httpok(&[
        "-p", "web", "-c", "404", "-m", "a@b", "-s", "{mail}", "{url}/ok",
    ]),
    // -b
    httpok(&["-p", "web", "-b", "world", "{url}/ok"]),
    httpok(&[
        "-p", "web", "-b", "worlds", "-m", "a@b", "-s", "{mail}", "{url}/ok",
    ]),
    httpok(&["-p", "web", "-b", "", "{url}/ok"]),
    // -m, -s, -n
    httpok(&[
        "-p",
        "web",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}",
        "-n",
        "host 1",
        "{url}/503",
    ]),
    httpok(&["-a", "-m", "ops@example.com", "-s", "{mail}", "{url}/404"]),
    httpok(&[
        "-p",
        "web",
        "-m",
        "ops@example.com",
        "-s",
        "{mail}; exit 3",
        "{url}/503",
    ]),
    // -g, -d
    httpok(&[
        "-p",
        "web",
        "-d",
        "{dir}",
        "-g",
        "echo",
        "-m",
        "a@b",
        "-s",
        "{mail}",
        "{url}/503",
    ]),
    httpok(&["-p", "web", "-d", "/cores/", "-g", "echo -o", "{url}/503"]),
    httpok(&["-p", "web", "-d", "", "-g", "echo", "{url}/503"]),
    httpok(&["-p", "web", "-g", "echo", "{url}/503"]),
    httpok(&["-p", "web", "-d", "{dir}", "-g", "", "{url}/503"]),
    // -e, -E
    httpok(&["-p", "web", "-e", "{url}/503"]).world(DEAD),
    httpok(&["-p", "web", "-E", "{url}/503"]).world(DEAD),
    httpok(&["-p", "web", "-E", "{url}/503"]),
    httpok(&["-p", "workers:a", "-E", "{url}/503"]),
    httpok(&["-a", "-E", "{url}/503"]),
    httpok(&["-p", "web", "-E", "-e", "{url}/503"]).world(DEAD),
    // Long forms and abbreviations
    httpok(&[
        "--program=web",
        "--timeout=2",
        "--code=201",
        "--sendmail_program={mail}",
        "--email=ops@example.com",
        "--gcore=echo",
        "--coredir=/cores",
        "--eager",
        "--name=long",
        "{url}/ok",
    ]),
    httpok(&[
        "--any",
        "--prog",
        "web",
        "--cod=201",
        "--na=short",
        "--em=a@b",
        "--sendm",
        "{mail}",
        "{url}/ok",
    ]),
    // Refusals
    httpok(&["-a", "-m", "a@b", "-s", "{mail}", "{url}/503"]).world(&[STUCK, BROKEN]),
    httpok(&["-a", "-m", "a@b", "-s", "{mail}", "{url}/503"]).world(&[SHUTTING_DOWN]),
    httpok(&["-a", "-E", "{url}/503"]).world(&[SHUTTING_DOWN]),
    // Events
    httpok(&["-p", "b", "{url}/503"]).world(WORLD).events(TICKS),
    httpok(&["-p", "web", "{url}/503"]).events(&[]),
    httpok(&["-p", "web", "{url}/503"]).alone(),
];

#[test]
fn httpok_does_the_same() {
    check(CASES);
}
