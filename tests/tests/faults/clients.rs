//! Clients that take their time, and sockets that are deleted.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::time::Duration;

use callboard_tests::clock::Clock;
use callboard_tests::http::{Address, Connection};
use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Before, Regular, assert_answers, assert_calm};

/// Clients that do the same at once.
const SLOW: usize = 50;

/// The head of a request a client never gets to the end of.
const HEAD: &str =
    "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n<?xml version='1.0'?>";

/// One byte from each.
fn trickle(clients: &mut [Box<dyn Connection>], byte: u8) {
    for client in clients {
        // Some have been given up.
        let _ = client.write_all(&[byte]);
    }
}

/// Waits until the daemon has closed a connection; what it said before.
fn wait_end(client: &mut Box<dyn Connection>) -> String {
    let mut answer = Vec::new();
    match client.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
}

/// A minute passes for the daemon between any two bytes: its monotonic clock is put ahead.
#[test]
fn clients_that_send_a_byte_a_minute_hold_up_nobody_and_are_given_up() {
    let mut daemon = Daemon::prepare(
        Flavour::under_test(),
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n[supervisord]\nloglevel=info\n",
    );
    let clock = Clock::in_dir(daemon.dir(), Duration::from_secs(1_795_256_366));
    daemon.add_environment(clock.environment());
    daemon.launch(&[]);
    daemon.wait_until_up();
    let before = Before::of(&daemon);
    let doors = [daemon.address(), Address::Port(daemon.port())];
    let connect = |number: usize| doors[number % 2].connect().expect("the daemon listens");
    let mut in_head: Vec<_> = (0..SLOW).map(connect).collect();
    let mut in_body: Vec<_> = (0..SLOW).map(connect).collect();
    trickle(&mut in_head, b'P');
    for client in &mut in_body {
        client.write_all(HEAD.as_bytes()).expect("it reads");
    }
    assert_answers(&daemon);
    assert_calm(&daemon);
    if daemon.flavour() == Flavour::Original {
        return; // It waits for them for half an hour after the last byte.
    }
    clock.put_ahead(Duration::from_secs(61));
    assert_answers(&daemon);
    trickle(&mut in_head, b'O');
    for client in &mut in_head {
        assert_eq!(wait_end(client), "", "it never asked");
    }
    daemon.wait_log("it takes too long");
    for client in &mut in_body {
        let answer = wait_end(client);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
    }
    assert_answers(&daemon);
    before.wait();
    daemon.shut_down();
}

#[test]
fn a_deleted_socket_is_made_anew() {
    if Flavour::under_test() == Flavour::Original {
        return; // It can only be restarted.
    }
    let mut daemon = Daemon::under_test(
        "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n[program:steady]\ncommand=sleep 1000\nstartsecs=0\n\
         [supervisord]\nloglevel=info\n",
    );
    daemon.wait_state("steady", "RUNNING");
    let pid = daemon.process_pid("steady");
    let before = Before::of(&daemon);
    let mut regular = Regular::of(&daemon);
    for _ in 0..2 {
        fs::remove_file(daemon.path("s.sock")).expect("it is there");
        wait::until("the socket", || daemon.address().connect().map(drop));
        assert_answers(&daemon);
    }
    // Who has been connected stays so, and nothing has been restarted.
    let state = regular.call("getState", &json!([]));
    assert_eq!(state["statename"], "RUNNING");
    assert_eq!(daemon.process_pid("steady"), pid);
    daemon.wait_log("s.sock is gone");
    drop(regular);
    before.wait();
    daemon.shut_down();
}

#[test]
fn a_socket_whose_directory_is_removed_is_made_when_that_is_back() {
    if Flavour::under_test() == Flavour::Original {
        return; // It can only be restarted.
    }
    let config = "[unix_http_server]\nfile=%(here)s/run/s.sock\n[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n\
                  [supervisord]\nloglevel=info\n";
    let mut daemon = Daemon::prepare(Flavour::under_test(), config);
    let run = daemon.path("run");
    fs::create_dir(&run).expect("the directory is writable");
    daemon.launch(&[]);
    let doors = [
        Address::Unix(run.join("s.sock")),
        Address::Port(daemon.port()),
    ];
    let answers = |door: &Address| match door.send("GET", "/", &[]) {
        Ok(reply) if reply.status == 200 => Ok(()),
        other => Err(format!("{other:?}")),
    };
    for door in &doors {
        wait::until("an answer", || answers(door));
    }
    let before = Before::of(&daemon);
    fs::remove_dir_all(&run).expect("it is there");
    daemon.wait_log("run/s.sock is gone");
    answers(&doors[1]).expect("the other door is open");
    assert_calm(&daemon);
    fs::create_dir(&run).expect("the directory is writable");
    wait::until("the socket", || answers(&doors[0]));
    before.wait();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait_exit().code(), Some(0), "{}", daemon.log());
    daemon.assert_nothing_left();
    assert!(!run.join("s.sock").exists());
}
