//! supervisor_checks: listeners that look at programs by the clock and restart those that fail.

use std::collections::BTreeMap;

use callboard_tests::{Daemon, Flavour, wait};

use crate::install;
use crate::transcript::both;

/// The command for this check alone refuses its own options.
const XMLRPC_GOOD: &str = r#"supervisor_complex_check -c '{"xmlrpc":{"sock_path":"%(here)s/s.sock","method":"supervisor.getState","num_retries":0}}'"#;
const XMLRPC_BAD: &str = r#"supervisor_complex_check -c '{"xmlrpc":{"sock_path":"%(here)s/s.sock","method":"supervisor.wat","num_retries":0}}'"#;
const COMPLEX_BAD: &str =
    r#"supervisor_complex_check -c '{"tcp":{"port":{port}},"memory":{"max_rss":1}}'"#;

/// Name of a program, what checks it and whether it passes. `{port}` is the daemon's, `{dead}` nobody's.
const CHECKS: &[(&str, &str, bool)] = &[
    (
        "http_good",
        "supervisor_http_check -p {port} -u /index.html -U ann -P secret -r 0",
        true,
    ),
    (
        "http_bad",
        "supervisor_http_check -p {port} -u /nothing -U ann -P secret -r 0",
        false,
    ),
    ("tcp_good", "supervisor_tcp_check -p {port} -r 0", true),
    ("tcp_bad", "supervisor_tcp_check -p {dead} -r 0", false),
    ("memory_good", "supervisor_memory_check -m 1000000", true),
    ("memory_bad", "supervisor_memory_check -m 1 -c", false),
    ("cpu_good", "supervisor_cpu_check -p 1000 -i 0", true),
    ("cpu_bad", "supervisor_cpu_check -p -1 -i 0", false),
    ("xmlrpc_good", XMLRPC_GOOD, true),
    ("xmlrpc_bad", XMLRPC_BAD, false),
    ("complex_bad", COMPLEX_BAD, false),
];

fn config(port: u16, dead: u16) -> String {
    let mut config =
        format!("[inet_http_server]\nport=127.0.0.1:{port}\nusername=ann\npassword=secret\n");
    for (name, check, _) in CHECKS {
        let check = check
            .replace("{port}", &port.to_string())
            .replace("{dead}", &dead.to_string());
        let program = install::python(check.split(' ').next().unwrap_or_default());
        let arguments = check.split_once(' ').map_or("", |(_, arguments)| arguments);
        config.push_str(&format!(
            "[program:{name}]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n\
             [eventlistener:check_{name}]\ncommand={} -n {name} -g {name} {arguments}\nevents=TICK_5\n\
             stderr_logfile=%(here)s/{name}.err\n",
            program.display()
        ));
    }
    config
}

/// Which programs their checks restarted, once every check came to an end.
fn restarted(flavour: Flavour) -> BTreeMap<&'static str, bool> {
    let mut daemon = Daemon::prepare(flavour, "");
    daemon.write_config(&config(daemon.port(), callboard_tests::free_port()));
    daemon.launch(&[]);
    daemon.wait_until_up();
    let names = CHECKS.iter().map(|(name, ..)| *name);
    let before: BTreeMap<_, _> = names.map(|name| (name, daemon.process_pid(name))).collect();
    for (name, _, good) in CHECKS {
        let end = match good {
            true => format!("check succeeded for process {name}"),
            false => format!("Starting process {name}"),
        };
        daemon.wait_file(&format!("{name}.err"), &end);
        wait::until(&format!("{name} to run"), || {
            match daemon.process_pid(name) {
                0 => Err(daemon.info(name)),
                _ => Ok(()),
            }
        });
    }
    let changed = |(name, pid)| (name, daemon.process_pid(name) != pid);
    before.into_iter().map(changed).collect()
}

#[test]
fn checks_restart_what_fails_and_nothing_else() {
    let expected: BTreeMap<_, _> = CHECKS
        .iter()
        .map(|(name, _, good)| (*name, !good))
        .collect();
    for outcome in both(restarted) {
        assert_eq!(outcome, expected);
    }
}
