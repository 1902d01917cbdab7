//! Changed files under a running daemon: what counts as a change, and what a broken file does.
//!
//! What counts is asked of both: where the original does not notice a change, ours must.

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Stands in all sections of programs, so that every option of the rows is set already or at its default.
const COMMON: &str = "\
command=x
autostart=false
process_name=%(program_name)s-%(process_num)d
stdout_logfile=%(here)s/out.log
stderr_logfile=%(here)s/err.log
environment=A=\"1\",B=\"2\"
";

/// The sections that are changed, option by option.
fn sections() -> String {
    format!(
        "[program:p]\n{COMMON}\
         [eventlistener:l]\n{COMMON}events=TICK_5,TICK_60\nbuffer_size=5\n\
         [fcgi-program:f]\n{COMMON}socket=unix://%(here)s/f.sock\n\
         [program:m]\n{COMMON}[program:n]\n{COMMON}[group:g]\nprograms=m,n\n"
    )
}

/// Changes that both notice: the group, a section and its new option.
const CHANGES: &[(&str, &str, &str)] = &[
    ("p", "program:p", "command=y"),
    ("p", "program:p", "process_name=q%(process_num)d"),
    ("p", "program:p", "numprocs=2"),
    ("p", "program:p", "numprocs=0"),
    ("p", "program:p", "numprocs_start=1"),
    ("p", "program:p", "priority=5"),
    ("p", "program:p", "autostart=true"),
    ("p", "program:p", "autorestart=true"),
    ("p", "program:p", "autorestart=false"),
    ("p", "program:p", "startsecs=2"),
    ("p", "program:p", "startretries=4"),
    ("p", "program:p", "exitcodes=0,1"),
    ("p", "program:p", "exitcodes="),
    ("p", "program:p", "stopsignal=INT"),
    ("p", "program:p", "stopwaitsecs=11"),
    ("p", "program:p", "stopasgroup=true"),
    ("p", "program:p", "killasgroup=true"),
    ("p", "program:p", "user=daemon"),
    ("p", "program:p", "umask=027"),
    ("p", "program:p", "directory=/tmp"),
    ("p", "program:p", "redirect_stderr=true"),
    ("p", "program:p", "stdout_logfile=%(here)s/other.log"),
    ("p", "program:p", "stdout_logfile=NONE"),
    ("p", "program:p", "stderr_logfile=%(here)s/other.log"),
    ("p", "program:p", "stdout_logfile_maxbytes=1MB"),
    ("p", "program:p", "stderr_logfile_maxbytes=1MB"),
    ("p", "program:p", "stdout_logfile_backups=1"),
    ("p", "program:p", "stderr_logfile_backups=1"),
    ("p", "program:p", "stdout_capture_maxbytes=1MB"),
    ("p", "program:p", "stderr_capture_maxbytes=1MB"),
    ("p", "program:p", "stdout_events_enabled=true"),
    ("p", "program:p", "stderr_events_enabled=true"),
    ("p", "program:p", "stdout_syslog=true"),
    ("p", "program:p", "stderr_syslog=true"),
    ("p", "program:p", "environment=A=\"1\",B=\"3\""),
    ("p", "program:p", "environment=A=\"1\""),
    ("p", "program:p", "environment="),
    ("p", "program:p", "serverurl=http://localhost:1"),
    ("l", "eventlistener:l", "command=y"),
    ("l", "eventlistener:l", "priority=7"),
    ("l", "eventlistener:l", "events=TICK_5"),
    ("l", "eventlistener:l", "events=TICK_5,TICK_60,TICK_3600"),
    ("l", "eventlistener:l", "buffer_size=6"),
    ("f", "fcgi-program:f", "command=y"),
    ("f", "fcgi-program:f", "socket=unix://%(here)s/g.sock"),
    ("g", "program:m", "command=y"),
    ("g", "group:g", "programs=m"),
    ("g", "group:g", "programs=n,m"),
    ("g", "group:g", "priority=5"),
];

/// Changes that the original does not notice, and ours does.
const MISSED: &[(&str, &str, &str)] = &[
    ("p", "program:p", "stdout_logfile=AUTO"),
    ("p", "program:p", "stderr_logfile=AUTO"),
    ("f", "fcgi-program:f", "socket_owner=root:daemon"),
    ("f", "fcgi-program:f", "socket_mode=0770"),
    ("f", "fcgi-program:f", "socket_backlog=7"),
];

/// Options that mean what was there already.
const SAME: &[(&str, &str)] = &[
    ("program:p", "command = x   ; a comment"),
    ("program:p", "COMMAND: x"),
    ("program:p", "numprocs=1"),
    ("program:p", "priority=0999"),
    ("program:p", "autostart=NO"),
    ("program:p", "autorestart=Unexpected"),
    ("program:p", "startsecs=+1"),
    ("program:p", "exitcodes=00"),
    ("program:p", "stopsignal=15"),
    ("program:p", "stopsignal=sigterm"),
    ("program:p", "killasgroup=off"),
    ("program:p", "stdout_logfile_maxbytes=51200 kb"),
    ("program:p", "environment=B=2, A='1',"),
    ("program:p", "serverurl=auto"),
    ("program:p", "nonsense=1"),
    ("fcgi-program:f", "socket=unix://%(here)s/x/../f.sock"),
    ("group:g", "programs= m ,n"),
    ("supervisord", "loglevel=trace"),
    ("supervisord", "minfds=100"),
    ("unix_http_server", "chmod=0777"),
];

/// A daemon and its configuration, which every question changes anew.
struct Changing {
    daemon: Daemon,
}

impl Changing {
    fn start(flavour: Flavour) -> Self {
        let daemon = Daemon::start(flavour, &sections());
        Self { daemon }
    }

    /// Names of groups that are changed when a section gets a last option.
    fn changed(&self, section: &str, option: &str) -> Value {
        self.reread(&format!("{}[{section}]\n{option}\n", sections()))
    }

    /// What a configuration changes; it removes nothing.
    fn reread(&self, config: &str) -> Value {
        self.daemon.write_config(config);
        let answer = self.daemon.call("reloadConfig", json!([]));
        let [_added, changed, removed] = [0, 1, 2].map(|at| answer[0][at].clone());
        assert_eq!(removed, json!([]), "{config}");
        changed
    }
}

#[test]
fn every_option_that_matters_is_a_change_in_both() {
    for flavour in [Flavour::Original, Flavour::under_test()] {
        let changing = Changing::start(flavour);
        for &(group, section, option) in CHANGES {
            let changed = changing.changed(section, option);
            assert_eq!(changed, json!([group]), "{flavour:?}: [{section}] {option}");
        }
    }
}

#[test]
fn what_the_original_misses_is_a_change_in_ours() {
    let (original, ours) = (
        Changing::start(Flavour::Original),
        Changing::start(Flavour::Ours),
    );
    for &(group, section, option) in MISSED {
        let (missed, seen) = (
            original.changed(section, option),
            ours.changed(section, option),
        );
        assert_eq!(
            (missed, seen),
            (json!([]), json!([group])),
            "[{section}] {option}"
        );
    }
}

#[test]
fn what_means_the_same_is_no_change() {
    for flavour in [Flavour::Original, Flavour::under_test()] {
        let changing = Changing::start(flavour);
        for &(section, option) in SAME {
            let changed = changing.changed(section, option);
            assert_eq!(changed, json!([]), "{flavour:?}: [{section}] {option}");
        }
    }
}

/// The original compares them in the order of its hashes, which is another one in every run.
#[test]
fn the_order_of_events_is_no_change() {
    let changing = Changing::start(Flavour::Ours);
    for option in ["events=tick_60, TICK_5", "events=TICK_60,TICK_5,TICK_60"] {
        let changed = changing.changed("eventlistener:l", option);
        assert_eq!(changed, json!([]), "{option}");
    }
}

#[test]
fn spacing_comments_order_and_files_are_no_change() {
    let changing = Changing::start(Flavour::under_test());
    let text = sections();
    let included = changing.daemon.path("rest.conf");
    std::fs::write(&included, &text).expect("the directory is writable");
    let forms = [
        text.replace('\n', "\r\n"),
        text.replace('\n', "\n\n# a comment\n\n"),
        text.replace('=', "  =  "),
        text.replace("environment=", "environment=\n    "),
        text.replace("[program:p]", "[program:p] ; the first"),
        reversed(&text),
        "[include]\nfiles=rest.conf\n".to_owned(),
    ];
    for form in forms {
        assert_eq!(changing.reread(&form), json!([]), "{form}");
    }
}

/// The sections in the opposite order.
fn reversed(text: &str) -> String {
    let mut reversed = String::new();
    for section in text.trim_start_matches('[').split("\n[") {
        reversed = format!("[{}\n{reversed}", section.trim_end());
    }
    reversed
}

#[test]
fn the_environment_of_all_changes_every_group() {
    for flavour in [Flavour::Original, Flavour::under_test()] {
        let changing = Changing::start(flavour);
        let changed = changing.changed("supervisord", "environment=ALL=\"1\"");
        assert_eq!(changed, json!(["l", "f", "g", "p"]), "{flavour:?}");
    }
}

const RUNNING: &str =
    "[program:a]\ncommand=sleep 1000\nstartsecs=0\n[program:b]\ncommand=sleep 1000\nstartsecs=0\n";

/// Broken files, and what the log must say about each.
const BROKEN: &[(&str, &str)] = &[
    ("nonsense\n", "Source contains parsing errors"),
    (
        "[program:a]\ncommand=sleep 1000\nstartsecs=soon\n",
        "invalid literal for int() with base 10: 'soon' in section 'program:a'",
    ),
    (
        "[program:a]\n",
        "program section program:a does not specify a command",
    ),
    (
        "[program:a]\ncommand=%(nothing)s\n",
        "contains names ('nothing') which cannot be expanded",
    ),
    (
        "[include]\nfiles=broken.conf\n",
        "File contains no section headers.",
    ),
];

/// A daemon with two programs, both running, and a broken file to include.
fn running() -> (Daemon, [i32; 2]) {
    let daemon = Daemon::under_test(RUNNING);
    ["a", "b"]
        .iter()
        .for_each(|name| daemon.wait_state(name, "RUNNING"));
    std::fs::write(daemon.path("broken.conf"), "a=b\n").expect("the directory is writable");
    let pids = ["a", "b"].map(|name| daemon.process_pid(name));
    (daemon, pids)
}

fn refusals(daemon: &Daemon) -> usize {
    daemon
        .log()
        .matches("not restarting, the configuration is invalid")
        .count()
}

/// The original exits here, and takes everything with it.
#[test]
fn a_hangup_with_a_broken_file_changes_nothing() {
    let (mut daemon, pids) = running();
    for (round, (broken, complaint)) in BROKEN.iter().enumerate() {
        daemon.write_config(broken);
        daemon.signal(Signal::SIGHUP);
        wait::until_true("the refusal", || {
            (refusals(&daemon) == round + 1, daemon.log())
        });
        assert!(
            daemon.log().contains(complaint),
            "{complaint}: {}",
            daemon.log()
        );
        assert_eq!(
            ["a", "b"].map(|name| daemon.process_pid(name)),
            pids,
            "{broken}"
        );
    }
    daemon.write_config(RUNNING);
    daemon.signal(Signal::SIGHUP);
    wait::until("new processes", || {
        // Between two rounds there is no socket.
        match daemon.try_call("supervisor.getProcessInfo", &json!(["a"])) {
            Ok(Ok(info)) if info["statename"] == "RUNNING" && info["pid"] != json!(pids[0]) => {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    });
    daemon.shut_down();
}

#[test]
fn a_reload_with_a_broken_file_is_refused() {
    let (mut daemon, pids) = running();
    for (broken, complaint) in BROKEN {
        daemon.write_config(broken);
        let fault = daemon.fault("restart", json!([]));
        assert_eq!(fault.code, 92, "{fault:?}");
        assert!(fault.text.contains(complaint), "{fault:?}");
        assert_eq!(
            ["a", "b"].map(|name| daemon.process_pid(name)),
            pids,
            "{broken}"
        );
    }
    assert_eq!(refusals(&daemon), BROKEN.len());
    // supervisorctl reads the same file, but not its programs.
    daemon.write_config("[program:a]\n");
    for word in ["reload", "reread", "update"] {
        let output = daemon.ctl(&[word]);
        assert_ne!(output.code, 0, "{word}: {output:?}");
        assert!(
            output.stdout.contains("does not specify a command"),
            "{word}: {output:?}"
        );
    }
    assert_eq!(["a", "b"].map(|name| daemon.process_pid(name)), pids);
    daemon.shut_down();
}
