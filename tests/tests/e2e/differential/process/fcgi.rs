//! `[fcgi-program:x]`: the socket, who has it, and how long.

use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use serde_json::json;

use super::board;

const LOOK: &str = "command=%(ENV_PYTHON)s %(ENV_FIXTURES)s/fcgi_look.py\nstartsecs=0\n\
                    stdout_logfile=%(here)s/%(program_name)s_%(process_num)d.out\n\
                    process_name=%(program_name)s_%(process_num)d\n";

/// Names, numbers of processes and options. What only root can do is in `AS_ROOT`.
const PROGRAMS: &[(&str, usize, &str)] = &[
    ("plain", 1, "socket=unix://%(here)s/plain.sock"),
    (
        "shared",
        3,
        "socket=unix://%(here)s/shared.sock\nsocket_mode=0642\nsocket_backlog=1",
    ),
    (
        "net",
        2,
        "socket=tcp://127.0.0.1:%(ENV_TEST_PORT)s\nsocket_backlog=7",
    ),
];

const AS_ROOT: &[(&str, usize, &str)] = &[
    (
        "owned",
        1,
        "socket=unix://%(here)s/owned.sock\nsocket_owner=nobody",
    ),
    (
        "grouped",
        1,
        "socket=unix://%(here)s/grouped.sock\nsocket_owner=root:daemon\nsocket_mode=0770",
    ),
    (
        "dropped",
        1,
        "socket=unix://%(here)s/dropped.sock\nuser=nobody\ncommand=sleep 1000",
    ),
];

/// One that does not start by itself and one that cannot: the socket is tried at start, and for each start.
const OTHERS: &str = "\
[fcgi-program:lazy]
command=sleep 1000
socket=unix://%(here)s/lazy.sock
autostart=false
[fcgi-program:gone]
command=/nonexistent/command
socket=unix://%(here)s/gone.sock
startretries=0
";

fn programs() -> Vec<(&'static str, usize, &'static str)> {
    let privileged = if Uid::effective().is_root() {
        AS_ROOT
    } else {
        &[]
    };
    [PROGRAMS, privileged].concat()
}

fn config() -> String {
    let mut text = OTHERS.to_owned();
    for (name, count, options) in programs() {
        let look = match options.contains("command=") {
            true => LOOK.replace("command=", "environment=IGNORED="),
            false => LOOK.to_owned(),
        };
        text += &format!("[fcgi-program:{name}]\n{look}numprocs={count}\n{options}\n");
    }
    text
}

fn fcgi(flavour: Flavour) -> Vec<String> {
    let daemon = Daemon::start(flavour, &config());
    let mut lines = Vec::new();
    for (name, count, _) in programs() {
        for number in 0..count {
            daemon.wait_state(&format!("{name}:{name}_{number}"), "RUNNING");
        }
        lines.extend(look(&daemon, name));
    }
    daemon.wait_state("gone", "FATAL");
    lines.push(format!("lazy: {}", connects(&daemon, "lazy")));
    lines.push(format!(
        "stdin: {:?}",
        daemon.fault("sendProcessStdin", json!(["shared:shared_0", "x"]))
    ));
    lines.extend(succession(&daemon));
    lines.extend(restart(&daemon));
    lines.extend(sockets_in_log(&daemon));
    let run = board::run(&daemon);
    lines.iter().map(|line| run.text(line)).collect()
}

/// The socket in the file system, and what the first process of the program says of it.
fn look(daemon: &Daemon, name: &str) -> Vec<String> {
    let mut lines = vec![format!("== {name}")];
    if let Ok(file) = fs::metadata(daemon.path(&format!("{name}.sock"))) {
        lines.push(format!(
            "mode {:o}, owner {}:{}",
            file.mode(),
            file.uid(),
            file.gid()
        ));
    }
    if name != "dropped" {
        let report = format!("{name}_0.out");
        daemon.wait_file(&report, "told\n");
        lines.extend(daemon.read(&report).lines().map(str::to_owned));
    }
    lines
}

/// Whether somebody answers at the socket of a program.
fn connects(daemon: &Daemon, name: &str) -> String {
    answers(UnixStream::connect(daemon.path(&format!("{name}.sock"))))
}

fn answers(connection: io::Result<impl Read>) -> String {
    let mut answer = String::new();
    let answered = connection.and_then(|mut connection| connection.read_to_string(&mut answer));
    match answered {
        Ok(length) => format!("answers: {}", length > 0),
        Err(error) => error.to_string(),
    }
}

/// The same of the program with a TCP socket.
fn net_connects(daemon: &Daemon) -> String {
    answers(TcpStream::connect(("127.0.0.1", daemon.port())))
}

/// Which socket is descriptor 0 of a process.
fn socket_of(daemon: &Daemon, name: &str) -> String {
    let pid = daemon.process_pid(name);
    fs::read_link(format!("/proc/{pid}/fd/0"))
        .map(|path| path.display().to_string())
        .unwrap_or_default()
}

/// All processes of a program have one socket, and so has the successor of one that died.
fn succession(daemon: &Daemon) -> Vec<String> {
    let names = ["shared:shared_0", "shared:shared_1", "shared:shared_2"];
    let sockets = names.map(|name| socket_of(daemon, name));
    let nets = ["net:net_0", "net:net_1"].map(|name| socket_of(daemon, name));
    let victim = daemon.process_pid(names[1]);
    kill(Pid::from_raw(victim), Signal::SIGKILL).expect("it lives");
    wait::until("the successor", || match daemon.process_pid(names[1]) {
        pid if pid != 0 && pid != victim => Ok(()),
        pid => Err(pid),
    });
    wait::until("the successor's socket", || {
        match socket_of(daemon, names[1]) {
            socket if socket == sockets[0] => Ok(()),
            socket => Err(socket),
        }
    });
    vec![
        format!(
            "shared by all: {}",
            sockets.iter().all(|socket| *socket == sockets[0])
        ),
        format!("net by all: {}", nets[0] == nets[1]),
        format!("net is another: {}", nets[0] != sockets[0]),
    ]
}

/// The socket is closed after the last exit, its file stays, and the next start makes another in its place.
fn restart(daemon: &Daemon) -> Vec<String> {
    let mut lines = Vec::new();
    let file = || {
        fs::metadata(daemon.path("shared.sock"))
            .map(|file| file.ino())
            .ok()
    };
    let before = file();
    for name in ["shared_0", "shared_1"] {
        daemon.call("stopProcess", json!([format!("shared:{name}")]));
        lines.push(format!("without {name}: {}", connects(daemon, "shared")));
    }
    daemon.call("stopProcess", json!(["shared:shared_2"]));
    lines.push(format!("without all: {}", connects(daemon, "shared")));
    lines.push(format!("the file stays: {}", file() == before));
    daemon.call("startProcess", json!(["shared:shared_1"]));
    lines.push(format!("with one: {}", connects(daemon, "shared")));
    lines.extend(look(daemon, "shared").into_iter().take(2));
    for method in ["stopProcessGroup", "startProcessGroup"] {
        daemon.call(method, json!(["net"]));
        lines.push(format!("net after {method}: {}", net_connects(daemon)));
    }
    lines
}

/// What the log says of each socket, and of programs that could not be started.
fn sockets_in_log(daemon: &Daemon) -> Vec<String> {
    let run = board::run(daemon);
    let log = daemon.log();
    let mut lines: Vec<_> = log
        .lines()
        .map(|line| run.log_line(line))
        .filter(|line| line.contains(" socket ") || line.contains("gone"))
        .collect();
    // Between programs the order is that of their starts, which is not looked at here.
    lines.sort_by_key(|line| line.rsplit('/').next().unwrap_or_default().to_owned());
    lines
}

#[test]
fn sockets_of_fcgi_programs_agree() {
    board::compare("fcgi", fcgi);
}

/// Sockets that cannot be made are found out at start.
fn refusals(flavour: Flavour) -> Vec<String> {
    let sockets = [
        "unix:///nonexistent/directory/f.sock".to_owned(),
        "unix://%(here)s/logs".to_owned(),
        "tcp://192.0.2.1:9".to_owned(),
    ];
    sockets
        .iter()
        .flat_map(|socket| refusal(flavour, socket))
        .collect()
}

fn refusal(flavour: Flavour, socket: &str) -> [String; 2] {
    let config = format!("[fcgi-program:f]\ncommand=sleep 1000\nsocket={socket}\n");
    let mut daemon = Daemon::prepare(flavour, &config);
    daemon.launch(&[]);
    let status = daemon.wait_exit();
    let said = board::run(&daemon).text(&daemon.read("stderr"));
    // The words of the system and what stands before are each flavour's own.
    let said = said.lines().find_map(|line| {
        let (_, reason) = line.split_once("Could not create ")?;
        reason.split_once(": ").map(|(start, _)| start.to_owned())
    });
    [
        format!("{said:?}"),
        format!("failed: {}", !status.success()),
    ]
}

#[test]
fn sockets_that_cannot_be_agree() {
    board::compare("fcgi refusals", refusals);
}
