//! Listeners that refuse, die, talk nonsense or do not keep up: nobody else may notice.

use callboard_tests::{Daemon, Event, Flavour, procfs};
use serde_json::json;

fn listener(name: &str, behaviour: &str, options: &str) -> String {
    format!(
        "[eventlistener:{name}]\ncommand=%(ENV_LISTENER)s %(here)s/{name} {behaviour}\nevents=REMOTE_COMMUNICATION\n\
         startsecs=0\nautorestart=true\n{options}\n"
    )
}

fn send(daemon: &Daemon, text: &str) {
    assert_eq!(
        daemon.call("sendRemoteCommEvent", json!(["t", text])),
        json!(true)
    );
}

/// The data of the events of a record.
fn data(daemon: &Daemon, record: &str) -> Vec<String> {
    let events = daemon.events(record);
    events
        .iter()
        .filter_map(|event| {
            event
                .payload
                .split_once('\n')
                .map(|(_, data)| data.to_owned())
        })
        .collect()
}

fn wait_data(daemon: &Daemon, record: &str, expected: &[&str]) {
    callboard_tests::wait::until(&format!("{expected:?} in {record}"), || {
        match data(daemon, record) {
            seen if seen == expected => Ok(()),
            seen => Err(seen),
        }
    });
}

fn start(config: &[String]) -> Daemon {
    let daemon = Daemon::under_test(&config.concat());
    for info in daemon
        .call("getAllProcessInfo", json!([]))
        .as_array()
        .expect("an array")
    {
        let name = info["name"].as_str().expect("a name");
        daemon.wait_log(&format!("{name}: ACKNOWLEDGED -> READY"));
    }
    daemon
}

#[test]
fn a_rejected_event_comes_again_unchanged() {
    let daemon = start(&[listener("picky", "--then fail --once %(here)s/once", "")]);
    send(&daemon, "one");
    send(&daemon, "two");
    wait_data(&daemon, "picky", &["one", "one", "two"]);
    let events = daemon.events("picky");
    assert_eq!(
        events[0], events[1],
        "a redelivery keeps serial and poolserial"
    );
    daemon.wait_log("WARN picky: event was rejected");
}

#[test]
fn an_event_whose_listener_died_is_delivered_again() {
    let daemon = start(&[
        listener("mortal", "--then die --once %(here)s/once", ""),
        listener("other", "", ""),
    ]);
    send(&daemon, "one");
    wait_data(&daemon, "mortal", &["one", "one"]);
    let events = daemon.events("mortal");
    assert_eq!(events[0], events[1]);
    daemon.wait_log("exited: mortal (exit status 7; not expected)");
    if daemon.flavour() == Flavour::Ours {
        // The original also hands it to every other pool once more.
        send(&daemon, "last");
        wait_data(&daemon, "other", &["one", "last"]);
    }
}

#[test]
fn another_worker_of_the_pool_takes_over() {
    let daemon = start(&[
        "[eventlistener:team]\ncommand=%(ENV_LISTENER)s %(here)s/team --then die --once %(here)s/once\n\
         process_name=%(program_name)s_%(process_num)d\nnumprocs=2\nevents=REMOTE_COMMUNICATION\nstartsecs=0\nautorestart=false\n"
            .to_owned(),
    ]);
    send(&daemon, "one");
    wait_data(&daemon, "team", &["one", "one"]);
    daemon.wait_state("team:team_0", "EXITED");
    assert_eq!(daemon.state("team:team_1"), "RUNNING");
}

#[test]
fn nonsense_makes_a_listener_unknown_and_harms_nobody() {
    let daemon = start(&[
        listener("mad", "--then nonsense", ""),
        listener("sane", "", ""),
    ]);
    send(&daemon, "one");
    daemon.wait_log("WARN mad: bad result line: 'RESULT nonsense'");
    daemon.wait_log("WARN mad: has entered the UNKNOWN state and will no longer receive events, this usually indicates the process violated the eventlistener protocol");
    if daemon.flavour() == Flavour::Ours {
        send(&daemon, "two");
        wait_data(&daemon, "sane", &["one", "two"]);
    }
    assert_eq!(data(&daemon, "mad"), ["one"]);
    assert_eq!(daemon.state("mad"), "RUNNING", "only a restart recovers it");
    assert!(procfs::is_alive(daemon.process_pid("mad")));
}

#[test]
fn output_out_of_turn_makes_a_listener_unknown() {
    let daemon = start(&[
        listener("chatty", "--then chatter", ""),
        listener("calm", "", ""),
    ]);
    send(&daemon, "one");
    daemon.wait_log("WARN chatty: has entered the UNKNOWN state");
    send(&daemon, "two");
    wait_data(&daemon, "calm", &["one", "two"]);
    assert_eq!(data(&daemon, "chatty"), ["one"]);
}

#[test]
fn a_restarted_listener_recovers_from_unknown() {
    let daemon = start(&[listener("mad", "--then nonsense --once %(here)s/once", "")]);
    send(&daemon, "one");
    daemon.wait_log("WARN mad: has entered the UNKNOWN state");
    daemon.call("stopProcess", json!(["mad"]));
    daemon.call("startProcess", json!(["mad"]));
    wait_data(&daemon, "mad", &["one", "one"]);
}

#[test]
fn an_unknown_listener_is_seen_and_recovers_by_a_restart() {
    // The original tells in its log only.
    if Flavour::under_test() == Flavour::Original {
        return;
    }
    let daemon = start(&[listener("mad", "--then nonsense --once %(here)s/once", "")]);
    let status = || daemon.ctl(&["status"]).stdout;
    assert!(!status().contains("listener"), "{}", status());
    send(&daemon, "one");
    daemon.wait_log("WARN mad: has entered the UNKNOWN state");
    let line = status();
    assert!(line.starts_with("mad "), "{line}");
    assert!(
        line.contains(" RUNNING   pid ") && line.ends_with(", listener UNKNOWN\n"),
        "{line}"
    );
    let pools = daemon.ctl(&["pools"]).stdout;
    assert!(pools.ends_with(" 1          0  mad UNKNOWN\n"), "{pools}");
    daemon.ctl(&["restart", "mad"]);
    wait_data(&daemon, "mad", &["one", "one"]);
    assert!(!status().contains("listener"), "{}", status());
    let info = daemon.call("callboard.getAllEventPoolInfo", json!([]));
    assert_eq!(info[0]["name"], "mad");
    assert_eq!(info[0]["rejected"], 1);
    let nobody = json!(["nobody"]);
    assert_eq!(daemon.fault("callboard.getEventPoolInfo", nobody).code, 10);
    let refused = daemon.ctl(&["pools", "nobody"]).stdout;
    assert_eq!(refused, "nobody: ERROR (no such pool)\n");
}

#[test]
fn events_that_are_always_rejected_hold_up_nobody_for_long() {
    // The original sends the first one for ever.
    if Flavour::under_test() == Flavour::Original {
        return;
    }
    let picky = "[eventlistener:picky]\ncommand=%(ENV_LISTENER)s %(here)s/picky --match PROCESS_GROUP --then fail\n\
                 events=PROCESS_GROUP,REMOTE_COMMUNICATION\nstartsecs=0\n";
    let others =
        "[program:a]\ncommand=x\nautostart=false\n[program:b]\ncommand=x\nautostart=false\n";
    let daemon = Daemon::under_test(&[picky, others].concat());
    send(&daemon, "one");
    daemon.wait_event("picky", "what is behind", |event| {
        event.payload.ends_with("\none")
    });
    let info = daemon.call("callboard.getEventPoolInfo", json!(["picky"]));
    assert_eq!(info["discarded"], 0, "{info}");
}

/// Takes a little of an event and closes its standard input.
const CLOSER: &str = "\
import os, sys, time
if sys.argv[1] == '1':
    os.execv(sys.executable, [sys.executable, os.environ['FIXTURES'] + '/listener.py', sys.argv[2]])
os.write(1, b'READY\\n')
os.read(0, 10)
os.close(0)
time.sleep(1000)
";

#[test]
fn a_listener_that_closes_its_input_within_an_event_loses_it_to_another() {
    // The original keeps it until the process ends.
    if Flavour::under_test() == Flavour::Original {
        return;
    }
    let config = "[eventlistener:team]\ncommand=%(ENV_PYTHON)s %(here)s/closer.py %(process_num)d %(here)s/team\n\
                  process_name=%(program_name)s_%(process_num)d\nnumprocs=2\nevents=REMOTE_COMMUNICATION\nstartsecs=0\n";
    let mut daemon = Daemon::prepare(Flavour::Ours, config);
    std::fs::write(daemon.path("closer.py"), CLOSER).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    for name in ["team_0", "team_1"] {
        daemon.wait_log(&format!("{name}: ACKNOWLEDGED -> READY"));
    }
    let large = "x".repeat(200_000);
    send(&daemon, &large);
    wait_data(&daemon, "team", &[&large]);
    daemon.wait_log(
        "epipe occurred while sending event 0 to listener team_0, listener state unchanged",
    );
    let listeners = &daemon.call("callboard.getEventPoolInfo", json!(["team"]))["listeners"];
    assert_eq!(listeners[0]["statename"], "BUSY");
}

/// Dies of events that begin with this letter as soon as it has read a little of them.
const BEFORE_THE_END: &str = "\
import os, sys
while True:
    os.write(1, b'READY\\n')
    got = b''
    while b'\\n\\n' not in got and got.count(b'\\n') < 2:
        got += os.read(0, 1)
    if os.read(0, 1) == b'x':
        os._exit(1)
    with open(sys.argv[1], 'a') as record:
        record.write('taken\\n')
    os.write(1, b'RESULT 2\\nOK')
";

#[test]
fn an_event_that_kills_its_listeners_before_they_have_read_it_holds_up_nobody() {
    // The original sends it for ever.
    if Flavour::under_test() == Flavour::Original {
        return;
    }
    let config = "[eventlistener:frail]\ncommand=%(ENV_PYTHON)s %(here)s/frail.py %(here)s/taken\n\
                  events=REMOTE_COMMUNICATION\nstartsecs=0\nautorestart=true\n";
    let mut daemon = Daemon::prepare(Flavour::Ours, config);
    std::fs::write(daemon.path("frail.py"), BEFORE_THE_END).expect("the directory is writable");
    daemon.launch(&[]);
    daemon.wait_until_up();
    daemon.wait_log("frail: ACKNOWLEDGED -> READY");
    // More than a pipe holds, and than what follows it in the queue of the daemon.
    send(&daemon, &"x".repeat(200_000));
    for _ in 0..5 {
        send(&daemon, "s");
    }
    callboard_tests::wait::until_true("the small events", || {
        let taken = std::fs::read_to_string(daemon.path("taken")).unwrap_or_default();
        (taken.lines().count() == 5, taken)
    });
    let info = daemon.call("callboard.getEventPoolInfo", json!(["frail"]));
    assert!(info["rejected"].as_i64() >= Some(4), "{info}");
    assert_eq!(info["delivered"], 5, "{info}");
}

#[test]
fn what_finds_no_listener_free_is_said_to_be_rebuffered() {
    let daemon = start(&[listener(
        "slow",
        "--then hold --once %(here)s/once",
        "buffer_size=7",
    )]);
    for text in ["held", "one", "two"] {
        send(&daemon, text);
    }
    wait_data(&daemon, "slow", &["held"]);
    std::fs::write(daemon.path("slow.go"), "").expect("the directory is writable");
    wait_data(&daemon, "slow", &["held", "one", "two"]);
    daemon.wait_log("DEBG rebuffering event 2 for pool slow (buf size=0, max=7)");
}

#[test]
fn a_full_buffer_drops_the_oldest_and_says_so() {
    let daemon = start(&[listener(
        "slow",
        "--then hold --once %(here)s/once",
        "buffer_size=2",
    )]);
    send(&daemon, "held");
    wait_data(&daemon, "slow", &["held"]);
    for text in ["one", "two", "three", "four"] {
        send(&daemon, text);
    }
    daemon.wait_log("ERRO pool slow event buffer overflowed, discarding event 1");
    daemon.wait_log("ERRO pool slow event buffer overflowed, discarding event 2");
    std::fs::write(daemon.path("slow.go"), "").expect("the directory is writable");
    wait_data(&daemon, "slow", &["held", "three", "four"]);
}

#[test]
fn a_pool_buffers_while_its_listener_is_stopped() {
    let daemon = start(&[]);
    daemon.write_config(&listener("late", "", "autostart=false\nbuffer_size=100"));
    daemon.call("reloadConfig", json!([]));
    daemon.call("addProcessGroup", json!(["late"]));
    for text in ["one", "two"] {
        send(&daemon, text);
    }
    assert_eq!(daemon.events("late"), Vec::<Event>::new());
    daemon.call("startProcess", json!(["late"]));
    wait_data(&daemon, "late", &["one", "two"]);
}

#[test]
fn what_waits_in_memory_when_its_pool_is_changed_is_counted_and_told() {
    // The original forgets it in silence.
    if Flavour::under_test() == Flavour::Original {
        return;
    }
    let daemon = Daemon::under_test(&listener("late", "", "autostart=false"));
    for text in ["one", "two"] {
        send(&daemon, text);
    }
    daemon.write_config(&listener("late", "", "autostart=false\nstopwaitsecs=5"));
    daemon.ctl(&["update"]);
    daemon
        .wait_log("WARN pool late has been removed, discarding the 2 events that waited in memory");
    let info = daemon.call("callboard.getEventPoolInfo", json!(["late"]));
    assert_eq!(
        (&info["buffered"], &info["discarded"]),
        (&json!(0), &json!(2))
    );
}

#[test]
fn a_listener_that_never_reads_stops_nobody() {
    // The original dies of this: its write to the full pipe fails.
    if Flavour::under_test() == Flavour::Original {
        return;
    }
    let deaf = "[eventlistener:deaf]\ncommand=sh -c 'while :; do printf \"READY\\nRESULT 2\\nOK\"; sleep 0.05; done'\n\
                events=REMOTE_COMMUNICATION\nstartsecs=0\n";
    let mut daemon = Daemon::under_test(&[deaf.to_owned(), listener("sane", "", "")].concat());
    daemon.wait_log("sane: ACKNOWLEDGED -> READY");
    let large = "x".repeat(200_000);
    for _ in 0..4 {
        send(&daemon, &large);
    }
    wait_data(&daemon, "sane", &[&large, &large, &large, &large]);
    daemon.shut_down();
}
