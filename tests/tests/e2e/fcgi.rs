//! `[fcgi-program:x]`: one listening socket for all processes of a section.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use callboard_tests::{Daemon, Flavour, wait, workspace};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

fn config(socket: &str) -> String {
    let server = workspace::fixtures().join("fcgi.py");
    let server = server.display();
    format!(
        "[fcgi-program:f]\ncommand=python3 {server}\nsocket={socket}\nprocess_name=f%(process_num)d\nnumprocs=2\n\
         startsecs=0\n"
    )
}

/// The pid of whoever answers.
fn ask(mut connection: impl Read) -> i32 {
    let mut answer = String::new();
    connection
        .read_to_string(&mut answer)
        .expect("an answer of the program");
    answer.parse().expect("a pid")
}

fn pids(daemon: &Daemon) -> BTreeSet<i32> {
    let names = ["f:f0", "f:f1"];
    names.map(|name| daemon.process_pid(name)).into()
}

#[test]
fn a_unix_socket_is_shared_outlives_a_member_and_is_closed_with_the_last() {
    let daemon = Daemon::under_test(&config("unix://%(here)s/f.sock\nsocket_mode=0770"));
    daemon.wait_state("f:f0", "RUNNING");
    daemon.wait_state("f:f1", "RUNNING");
    let path = daemon.path("f.sock");
    let mode = path.metadata().expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o770);
    let before = pids(&daemon);
    let connect = || UnixStream::connect(&path).expect("the socket listens");
    assert!(before.contains(&ask(connect())));

    // One member dies: clients of the socket notice nothing, its successor has the same socket.
    let victim = daemon.process_pid("f:f0");
    kill(Pid::from_raw(victim), Signal::SIGKILL).expect("it lives");
    let successor = wait::until("the successor", || match daemon.process_pid("f:f0") {
        pid if pid != 0 && pid != victim => Ok(pid),
        pid => Err(pid),
    });
    wait::until("an answer of the successor", || match ask(connect()) {
        pid if pid == successor => Ok(()),
        pid => Err(pid),
    });

    let refused = daemon.fault("sendProcessStdin", json!(["f:f0", "x"]));
    assert_eq!(refused.code, 20, "{refused:?}");
    daemon.call("stopProcessGroup", json!(["f"]));
    assert!(UnixStream::connect(&path).is_err(), "closed with the last");
    daemon.call("startProcess", json!(["f:f1"]));
    assert_eq!(ask(connect()), daemon.process_pid("f:f1"));
}

#[test]
fn a_tcp_socket_works_inside_a_group() {
    // The original runs members of groups without their socket.
    let flavour = match Flavour::under_test() {
        Flavour::Original => return,
        ours => ours,
    };
    let port = callboard_tests::free_port();
    let socket = format!("tcp://127.0.0.1:{port}");
    let config = config(&socket) + "[group:g]\nprograms=f\n";
    let daemon = Daemon::start(flavour, &config);
    daemon.wait_state("g:f0", "RUNNING");
    let connection = TcpStream::connect(("127.0.0.1", port)).expect("the socket listens");
    let pids = ["g:f0", "g:f1"].map(|name| daemon.process_pid(name));
    assert!(pids.contains(&ask(connection)));
}

#[test]
fn a_socket_that_cannot_be_is_told_at_start() {
    let mut daemon = Daemon::prepare(
        Flavour::under_test(),
        &config("unix:///nonexistent/directory/f.sock"),
    );
    daemon.launch(&[]);
    let status = daemon.wait_exit();
    assert!(!status.success());
    let said = daemon.read("stderr");
    let expected = "Could not create FastCGI socket unix:///nonexistent/directory/f.sock";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn the_host_of_an_added_socket_is_looked_up() {
    let daemon = Daemon::under_test("");
    let port = callboard_tests::free_port();
    daemon.write_config(&config(&format!("tcp://localhost:{port}")));
    daemon.call("reloadConfig", json!([]));
    assert_eq!(daemon.call("addProcessGroup", json!(["f"])), json!(true));
    daemon.wait_state("f:f0", "RUNNING");
    let connection = TcpStream::connect(("localhost", port)).expect("the socket listens");
    assert!(pids(&daemon).contains(&ask(connection)));
    assert_eq!(daemon.fault("addProcessGroup", json!(["f"])).code, 90);
}
