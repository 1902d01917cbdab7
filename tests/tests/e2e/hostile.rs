//! What a hostile program, listener, client or neighbour on the machine tries. docs/security.md says which test holds
//! which measure.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown, lchown, symlink,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use callboard_tests::http::Address;
use callboard_tests::{Daemon, Flavour, originals, procfs, wait, workspace};
use nix::unistd::Uid;
use serde_json::json;

/// The user that owns nothing.
const NOBODY: u32 = 65534;

/// What the daemon may use beyond what it used before, whatever is thrown at it, KiB.
const MEMORY: u64 = 24 * 1024;

fn start(config: &str) -> Daemon {
    Daemon::start(Flavour::Ours, config)
}

/// The most memory the daemon has had, KiB.
fn peak(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it lives");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = peak.and_then(|text| text.split_whitespace().next());
    digits.expect("a size").parse().expect("a number")
}

fn assert_modest(daemon: &Daemon, before: u64) {
    let after = peak(daemon);
    assert!(after < before + MEMORY, "{before} KiB, then {after} KiB");
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    metadata.permissions().mode() & 0o7777
}

/// A directory like `/tmp` in which somebody else has laid links to a file of root's.
struct Trap {
    directory: tempfile::TempDir,
}

impl Trap {
    const SECRET: &str = "nobody's business\n";

    fn lay(names: &[&str]) -> Self {
        let trap = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        let mode = fs::Permissions::from_mode(0o1777);
        fs::set_permissions(trap.directory.path(), mode).expect("it is ours");
        fs::write(trap.path("secret"), Self::SECRET).expect("it is writable");
        for name in names {
            symlink("secret", trap.path(name)).expect("it is writable");
            lchown(trap.path(name), Some(NOBODY), Some(NOBODY)).expect("we are root");
        }
        trap
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn assert_unsprung(&self) {
        let text = fs::read_to_string(self.path("secret")).expect("it is there");
        assert_eq!(text, Self::SECRET);
        assert_eq!(
            fs::metadata(self.path("secret"))
                .expect("it is there")
                .uid(),
            0
        );
    }
}

#[test]
fn links_that_others_have_laid_lead_root_nowhere() {
    if !Uid::effective().is_root() {
        // Nobody else can lay them in another's name.
        return;
    }
    let trap = Trap::lay(&["log", "pid", "later", "socket"]);
    let here = trap.directory.path().display();
    let daemon = start(&format!(
        "[supervisord]\npidfile={here}/pid\n\
         [unix_http_server:second]\nfile={here}/socket\n\
         [program:a]\ncommand=sh -c 'echo spoilt; exec sleep 1000'\nstdout_logfile={here}/log\nautorestart=false\nstartretries=0\n\
         [program:b]\ncommand=sh -c 'echo once; read line; echo spoilt; exec sleep 1000'\nstartsecs=0\n\
         stdout_logfile={here}/moved\nstdout_logfile_maxbytes=0\n",
    ));
    daemon.wait_state("a", "FATAL");
    let text = daemon.info("a")["spawnerr"].to_string();
    assert!(text.contains("EACCES"), "{text}");
    // Nor when a log is opened again, or read.
    wait::until_true("the first line", || {
        let text = fs::read_to_string(trap.path("moved")).unwrap_or_default();
        (text == "once\n", text)
    });
    fs::rename(trap.path("later"), trap.path("moved")).expect("root may");
    daemon.signal(nix::sys::signal::Signal::SIGUSR2);
    daemon.wait_log("EACCES");
    daemon.call("sendProcessStdin", json!(["b", "go\n"]));
    let tail = daemon.rpc("tailProcessStdoutLog", json!(["b", 0, 100]));
    assert!(!format!("{tail:?}").contains("business"), "{tail:?}");
    trap.assert_unsprung();
    let socket = fs::symlink_metadata(trap.path("socket")).expect("it is there");
    assert!(
        socket.file_type().is_socket(),
        "made in the place of the link"
    );
}

#[test]
fn a_program_gets_three_pipes_and_nothing_else() {
    let mut daemon = Daemon::prepare(
        Flavour::Ours,
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n\
         [program:early]\ncommand=sleep 1000\nstartsecs=0\n\
         [program:late]\ncommand=sleep 1000\nstartsecs=0\nautostart=false\n\
         [eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_STATE\nstartsecs=0\n\
         buffer_file=%(here)s/events\n",
    );
    // It is started with a descriptor that nobody has asked for.
    let script = "exec 7</etc/passwd; exec supervisord \"$@\"";
    let program = daemon.path("leaky");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("it is writable");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    daemon.launch_program(&program, &[]);
    daemon.wait_until_up();
    let mut connections = Vec::new();
    for address in [daemon.address(), Address::Port(daemon.port())] {
        let mut connection = address.connect().expect("it listens");
        let request = b"GET /mainlogtail HTTP/1.1\r\nHost: localhost\r\n\r\n";
        connection.write_all(request).expect("it reads");
        connection.read_exact(&mut [0; 12]).expect("it answers");
        connections.push(connection);
    }
    daemon.call("startProcess", json!(["late"]));
    for name in ["early", "late", "l"] {
        daemon.wait_state(name, "RUNNING");
        wait::until(&format!("three pipes and nothing else in {name}"), || {
            let pid = daemon.process_pid(name);
            let open = descriptors(pid);
            let are_pipes = open.values().all(|target| target.starts_with("pipe:"));
            match open.keys().copied().eq(0..3) && are_pipes {
                true => Ok(()),
                // Until it is executed it is the daemon still.
                false => Err((open, procfs::row(pid))),
            }
        });
    }
}

fn descriptors(pid: i32) -> BTreeMap<i32, String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives");
    let entries = entries.flatten().filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?.display().to_string();
        Some((entry.file_name().to_str()?.parse().ok()?, target))
    });
    entries.collect()
}

#[test]
fn a_program_is_told_nothing_of_passwords_and_of_others() {
    let daemon = start(
        "[unix_http_server]\nusername=ann\npassword=hunter2\n\
         [user:bob]\nrole=admin\npassword=hunter3\n\
         [program:a]\ncommand=sleep 1000\nstartsecs=0\nenvironment=MINE=\"1\"\n\
         [program:b]\ncommand=sleep 1000\nstartsecs=0\nenvironment=OTHERS=\"secret\"\n",
    );
    let header = "Authorization: Basic YW5uOmh1bnRlcjI=";
    let call = callboard_tests::xmlrpc::encode_call("supervisor.getProcessInfo", &json!(["a"]));
    let pid = wait::until("the program to run", || {
        let reply = daemon.address().post("/RPC2", &[header], call.as_bytes());
        let reply = reply.expect("an answer");
        let info = callboard_tests::xmlrpc::decode_answer(&reply.text()).expect("it is there");
        match info["pid"].as_i64() {
            Some(pid) if info["statename"] == "RUNNING" => Ok(pid),
            _ => Err(info),
        }
    });
    let daemons = procfs::environment(daemon.pid());
    let mut given = wait::until("the program to be executed", || {
        let given = procfs::environment(pid as i32);
        given
            .contains_key("MINE")
            .then_some(given.clone())
            .ok_or(given)
    });
    given.retain(|name, value| daemons.get(name) != Some(value));
    let names: Vec<&str> = given.keys().map(String::as_str).collect();
    let expected = [
        "MINE",
        "SUPERVISOR_ENABLED",
        "SUPERVISOR_GROUP_NAME",
        "SUPERVISOR_PROCESS_NAME",
        "SUPERVISOR_SERVER_URL",
    ];
    assert_eq!(names, expected);
    assert!(!format!("{given:?}").contains("hunter"), "{given:?}");
}

#[test]
fn a_program_of_another_user_has_nothing_of_root() {
    if !Uid::effective().is_root() {
        return;
    }
    let daemon = start("[program:a]\ncommand=sleep 1000\nstartsecs=0\nuser=nobody\n");
    daemon.wait_state("a", "RUNNING");
    let pid = daemon.process_pid("a");
    wait::until_true("the program to be executed", || {
        let row = procfs::row(pid).expect("it lives");
        (row.name == "sleep", row)
    });
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let words = line.unwrap_or_default().split_whitespace();
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    for name in ["Uid:", "Gid:"] {
        assert_eq!(field(name), ["65534"; 4], "{name}");
    }
    assert!(!field("Groups:").contains(&"0".to_owned()), "{status}");
    for name in ["CapEff:", "CapPrm:"] {
        assert_eq!(field(name), ["0000000000000000"], "{name}");
    }
}

#[test]
fn files_are_as_open_as_they_are_meant_to_be() {
    let daemon = start(
        "[supervisord]\numask=022\n\
         [program:auto]\ncommand=sh -c 'echo x; exec sleep 1000'\nstartsecs=0\n\
         [program:named]\ncommand=sh -c 'echo x; exec sleep 1000'\nstartsecs=0\nstdout_logfile=%(here)s/named.log\n\
         [eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_STATE\nstartsecs=0\n\
         buffer_file=%(here)s/events\n",
    );
    for name in ["auto", "named", "l"] {
        daemon.wait_state(name, "RUNNING");
    }
    let auto = daemon.info("auto")["stdout_logfile"]
        .as_str()
        .map(PathBuf::from);
    let journal = daemon.path("events.0000000001");
    let rows = [
        (daemon.path("s.sock"), 0o700),
        (auto.expect("a path"), 0o600),
        (journal, 0o600),
    ];
    for (path, wanted) in rows {
        assert_eq!(mode(&path), wanted, "{path:?}");
    }
    for name in ["named.log", "supervisord.log", "supervisord.pid"] {
        let mode = mode(&daemon.path(name));
        assert_eq!(
            mode & 0o133,
            0,
            "{name} is {mode:o}: others may read it and no more"
        );
    }
}

#[test]
fn the_socket_is_never_more_open_than_configured() {
    let owner = match Uid::effective().is_root() {
        true => "chown=nobody:nogroup\n",
        false => "",
    };
    let config = format!("[unix_http_server]\nchmod=0660\n{owner}");
    let mut daemon = Daemon::prepare(Flavour::Ours, &config);
    let over = AtomicBool::new(false);
    let path = daemon.path("s.sock");
    let seen = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while !over.load(Ordering::Relaxed) {
                if let Ok(metadata) = fs::symlink_metadata(&path) {
                    let mode = metadata.permissions().mode() & 0o7777;
                    seen.insert((mode, metadata.uid(), metadata.gid()));
                }
            }
            seen
        });
        for _ in 0..5 {
            daemon.launch(&[]);
            daemon.wait_until_up();
            daemon.shut_down();
        }
        over.store(true, Ordering::Relaxed);
        watcher.join().expect("it does not fail")
    });
    let me = Uid::effective();
    let gid = nix::unistd::Gid::effective().as_raw();
    let expected = match me.is_root() {
        true => (0o660, NOBODY, NOBODY),
        false => (0o660, me.as_raw(), gid),
    };
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [expected]);
}

#[test]
fn messages_without_end_cost_little() {
    let script = "\
import os, sys
begin = b'<!--XSUPERVISOR:BEGIN-->'
os.write(1, begin)
for _ in range(2000):
    os.write(1, b'x' * 32768)
for _ in range(20000):
    os.write(1, begin * 8)
os.write(1, b'the end<!--XSUPERVISOR:END-->')
os.write(2, b'done')
sys.stdin.read()
";
    let mut daemon = Daemon::prepare(
        Flavour::Ours,
        "[supervisord]\nloglevel=info\n\
         [program:flood]\ncommand=\"%(ENV_PYTHON)s\" \"%(here)s/flood.py\"\nstartsecs=0\nautostart=false\n\
         stdout_capture_maxbytes=1KB\nstderr_logfile=%(here)s/flood.err\n\
         [eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record\nevents=PROCESS_COMMUNICATION\nstartsecs=0\n",
    );
    fs::write(daemon.path("flood.py"), script).expect("it is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    let before = peak(&daemon);
    daemon.call("startProcess", json!(["flood"]));
    daemon.wait_file("flood.err", "done");
    let event = daemon.wait_event("record", "the message", |event| {
        event.name() == "PROCESS_COMMUNICATION_STDOUT"
    });
    assert!(
        event.payload.ends_with("the end"),
        "{}",
        event.payload.len()
    );
    assert!(event.payload.len() < 1200, "{}", event.payload.len());
    assert_modest(&daemon, before);
}

#[test]
fn listeners_that_flood_are_given_up_and_cost_little() {
    let listener = |name: &str, first: &str| {
        format!(
            "[eventlistener:{name}]\ncommand=sh -c \"{first}; exec yes\"\nevents=REMOTE_COMMUNICATION\nstartsecs=0\nautostart=false\n"
        )
    };
    let config = [
        "[supervisord]\nloglevel=info\n".to_owned(),
        listener("at_once", "true"),
        listener("ready", "echo READY"),
        listener(
            "busy",
            "echo READY; read header; printf 'RESULT 999999999\\\\n'",
        ),
    ];
    let daemon = start(&config.concat());
    let before = peak(&daemon);
    for name in ["at_once", "ready", "busy"] {
        daemon.call("startProcess", json!([name]));
    }
    daemon.call("sendRemoteCommEvent", json!(["type", "data"]));
    for name in ["at_once", "ready", "busy"] {
        wait::until(&format!("{name} to be given up"), || {
            let info = daemon.info(name);
            match info["description"].as_str() {
                Some(text) if text.contains("listener UNKNOWN") => Ok(()),
                _ => Err(info),
            }
        });
    }
    // They go on, and nobody has to wait for that.
    let begun = Instant::now();
    for _ in 0..50 {
        daemon.call("getState", json!([]));
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "50 calls took {took:?}");
    assert_modest(&daemon, before);
}

#[test]
fn a_program_that_floods_costs_little() {
    let daemon = start(
        "[supervisord]\nloglevel=info\n\
         [program:flood]\ncommand=yes\nstartsecs=0\nautostart=false\nstdout_logfile_maxbytes=1MB\nstdout_logfile_backups=1\n\
         [program:silent]\ncommand=sh -c 'exec 0</dev/null; head -c 100000000 /dev/zero'\nstartsecs=0\nautostart=false\n\
         autorestart=false\nstdout_logfile=NONE\n",
    );
    let before = peak(&daemon);
    daemon.call("startProcess", json!(["flood"]));
    daemon.call("startProcess", json!(["silent"]));
    daemon.wait_state("silent", "EXITED");
    daemon.call("stopProcess", json!(["flood"]));
    assert_modest(&daemon, before);
}

#[test]
fn words_in_strange_places_forge_no_line_of_the_log() {
    let mut daemon = start(
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\nusername=ann\npassword=secret\n\
         [eventlistener:l]\ncommand=sh -c \"printf 'READY\\\\n'; read x; printf 'RESULT no\\\\nFORGED by a listener\\\\n'; exec sleep 1000\"\n\
         events=REMOTE_COMMUNICATION\nstartsecs=0\n\
         [supervisord]\nloglevel=info\n",
    );
    let address = Address::Port(daemon.port());
    for path in ["/%0aFORGED", "/x?%0d%0aFORGED", "/logtail/%0aFORGED"] {
        let reply = address.send("GET", path, &[]).expect("an answer");
        assert_eq!(reply.status, 401, "{path}");
    }
    let strange = ["\nFORGED", "<x>\u{1b}[2J\nFORGED", "a\r\nFORGED"];
    for name in strange {
        for (method, params) in [
            ("getProcessInfo", json!([name])),
            ("startProcess", json!([name])),
            ("sendRemoteCommEvent", json!([name, name])),
            (name, json!([])),
        ] {
            // Whether it is a fault is tested elsewhere.
            let _ = daemon.try_call(&format!("supervisor.{method}"), &params);
        }
        let body = format!("<methodCall>{name}</methodCall>");
        let reply = daemon.address().post("/RPC2", &[], body.as_bytes());
        assert_ne!(reply.expect("an answer").status, 200);
    }
    daemon.wait_log("l: has entered the UNKNOWN state");
    daemon.shut_down();
    for line in daemon.log().lines() {
        let stamp = line.split(' ').next().unwrap_or_default();
        assert!(stamp.starts_with("20") && stamp.len() == 10, "{line:?}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
}

#[test]
fn words_of_the_server_leave_a_terminal_alone() {
    let daemon = start("[program:a]\ncommand=/none/\u{1b}]0;owned\u{7}\u{1b}[2J\nstartretries=0\n");
    daemon.wait_state("a", "FATAL");
    let terminal = workspace::fixtures()
        .join("terminal.py")
        .display()
        .to_string();
    let ctl = daemon
        .flavour()
        .command("supervisorctl")
        .display()
        .to_string();
    let steps = json!([["FATAL", "\u{4}"]]).to_string();
    for words in [&["status"][..], &["start", "a"]] {
        let fixed = [
            terminal.as_str(),
            &steps,
            "env",
            "TERM=xterm",
            &ctl,
            "-c",
            "supervisord.conf",
        ];
        let output = daemon.run(&originals::python(), &[&fixed, words].concat());
        assert!(output.stdout.contains('a'), "{output:?}");
        for sequence in ["\u{1b}]0;", "\u{7}", "\u{1b}[2J"] {
            assert!(!output.stdout.contains(sequence), "{words:?}: {output:?}");
        }
    }
}

#[test]
fn who_has_not_logged_in_is_not_listened_to() {
    let daemon = start(
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\nusername=ann\npassword=secret\n",
    );
    let address = Address::Port(daemon.port());
    let before = peak(&daemon);
    // The body is announced and never sent: nobody waits for it.
    let begun = Instant::now();
    for path in ["/RPC2", "/index.html", "/api/v1/processes/a/stop"] {
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n");
        let mut connection = address.connect().expect("it listens");
        connection.write_all(request.as_bytes()).expect("it reads");
        let mut status = [0; 12];
        connection.read_exact(&mut status).expect("an answer");
        assert_eq!(&status, b"HTTP/1.1 401", "{path}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    assert_modest(&daemon, before);
}

#[test]
fn heads_have_limits() {
    let daemon = start("");
    let before = peak(&daemon);
    let large = "y".repeat(200_000);
    let rows = [
        (
            format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(200)),
            &["431"][..],
        ),
        (format!("GET / HTTP/1.1\r\nX: {large}\r\n"), &["431"]),
        // It depends on how much is there at once.
        (format!("GET /{large} HTTP/1.1\r\n"), &["414", "431"]),
    ];
    for (head, wanted) in rows {
        let mut connection = daemon.address().connect().expect("it listens");
        // It may stop reading before the end.
        let _ = connection.write_all(format!("{head}\r\n").as_bytes());
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).expect("an answer");
        let status = String::from_utf8_lossy(&answer[9..]).into_owned();
        assert!(
            wanted.contains(&status.as_str()),
            "{status}, not {wanted:?}"
        );
    }
    // Heads that never end.
    let mut open = Vec::new();
    for _ in 0..200 {
        let mut connection = daemon.address().connect().expect("it listens");
        let head = format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(30_000));
        connection.write_all(head.as_bytes()).expect("it reads");
        open.push(connection);
    }
    assert_eq!(daemon.call("getState", json!([]))["statename"], "RUNNING");
    let after = peak(&daemon);
    assert!(
        after < before + 2 * MEMORY,
        "{before} KiB, then {after} KiB"
    );
}

#[test]
fn unreachable_files_stay_unreachable_by_the_names_of_logs() {
    let daemon = start("[program:a]\ncommand=sleep 1000\nstartsecs=0\n");
    fs::write(daemon.path("secret"), "nobody's business").expect("it is writable");
    let paths = [
        "/../secret",
        "/%2e%2e/secret",
        "/stylesheets/../../secret",
        "/stylesheets/%2e%2e%2fsecret",
        "/logtail/../secret/stdout",
        "/logtail/..%2f..%2fsecret",
        "/tail.html?processname=../secret",
        "/tail.html?processname=a&limit=../secret",
        "/api/v1/processes/..%2fsecret/logs/stdout",
        "/api/v1/processes/a/logs/..%2f..%2fsecret",
    ];
    for path in paths {
        let reply = daemon.address().send("GET", path, &[]).expect("an answer");
        assert!(!reply.text().contains("business"), "{path}: {reply:?}");
    }
}

/// Not a link: a file that belongs to the user of the program, as it often is. Nothing changes there.
#[test]
fn logs_may_belong_to_the_user_of_their_program() {
    if !Uid::effective().is_root() {
        return;
    }
    let daemon = Daemon::prepare(
        Flavour::Ours,
        "[program:a]\ncommand=sh -c 'echo said; exec sleep 1000'\nstartsecs=0\nuser=nobody\nstdout_logfile=%(here)s/theirs/log\n",
    );
    let directory = daemon.path("theirs");
    fs::create_dir(&directory).expect("it is writable");
    fs::write(directory.join("log"), "").expect("it is writable");
    for path in [directory.clone(), directory.join("log")] {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("we are root");
    }
    let mut daemon = daemon;
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_file("theirs/log", "said\n");
}
