//! Listeners go on in the middle of an event, and pools with their numbers.

use std::fs;

use callboard_tests::{Daemon, Event, wait};
use serde_json::json;

use crate::installed::{start, upgrade_well};

fn send(daemon: &Daemon, text: &str) {
    assert_eq!(daemon.call("sendRemoteCommEvent", json!(["t", text])), true);
}

fn data(event: &Event) -> &str {
    event.payload.split_once('\n').map_or("", |(_, data)| data)
}

/// Waits for as many events; their numbers in the pool and their data.
fn recorded(daemon: &Daemon, count: usize) -> Vec<(i64, String)> {
    let told = || daemon.events("record");
    wait::until_true("every event", || (told().len() >= count, told().len()));
    let events = told();
    let rows = events.iter();
    rows.map(|event| (event.number("poolserial"), data(event).to_owned()))
        .collect()
}

fn expected(count: usize) -> Vec<(i64, String)> {
    (0..).map(|n: i64| (n, n.to_string())).take(count).collect()
}

#[test]
fn an_event_in_flight_is_answered_to_the_successor() {
    for options in ["", "buffer_file=%(here)s/events\n"] {
        let daemon = start(&format!(
            "[eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record --then hold\n\
             events=REMOTE_COMMUNICATION\nstartsecs=0\n{options}"
        ));
        daemon.wait_state("l", "RUNNING");
        let pool = || daemon.call("callboard.getEventPoolInfo", json!(["l"]));
        (0..5).for_each(|number| send(&daemon, &number.to_string()));
        recorded(&daemon, 1);
        let before = pool();
        assert_eq!(
            (&before["in_flight"], &before["buffered"]),
            (&json!(1), &json!(4))
        );
        for number in 5..8 {
            upgrade_well(&daemon);
            send(&daemon, &number.to_string());
        }
        let after = pool();
        assert_eq!(
            (&after["in_flight"], &after["buffered"]),
            (&json!(1), &json!(7))
        );
        assert_eq!(after["listeners"], before["listeners"]);
        fs::write(daemon.path("record.go"), "").expect("the directory is writable");
        assert_eq!(recorded(&daemon, 8), expected(8));
        wait::until("the last answer", || match pool() {
            pool if pool["delivered"] == 8 => Ok(()),
            pool => Err(pool),
        });
        upgrade_well(&daemon);
        assert_eq!(pool()["delivered"], 8);
        send(&daemon, "8");
        assert_eq!(recorded(&daemon, 9), expected(9), "none comes again");
    }
}

#[test]
fn a_backlog_on_disk_is_delivered_once_and_in_order() {
    const COUNT: usize = 2500;
    let daemon = start(
        "[eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record --then hold\n\
         events=REMOTE_COMMUNICATION\nstartsecs=0\nbuffer_file=%(here)s/events\n",
    );
    daemon.wait_state("l", "RUNNING");
    let call = |number: usize| {
        let params = json!(["t", number.to_string()]);
        json!({"methodName": "supervisor.sendRemoteCommEvent", "params": params})
    };
    let calls: Vec<_> = (0..COUNT).map(call).collect();
    daemon.call("system.multicall", json!([calls]));
    upgrade_well(&daemon);
    fs::write(daemon.path("record.go"), "").expect("the directory is writable");
    upgrade_well(&daemon);
    upgrade_well(&daemon);
    assert_eq!(recorded(&daemon, COUNT), expected(COUNT));
    wait::until("an empty pool", || {
        let pool = daemon.call("callboard.getEventPoolInfo", json!(["l"]));
        match (&pool["buffered"], &pool["in_flight"]) {
            (buffered, in_flight) if *buffered == json!(0) && *in_flight == json!(0) => Ok(()),
            _ => Err(pool),
        }
    });
}

#[test]
fn rejected_events_keep_their_rest() {
    let daemon = start(
        "[eventlistener:l]\ncommand=%(ENV_LISTENER)s %(here)s/record --then fail --match REMOTE\n\
         events=REMOTE_COMMUNICATION\nstartsecs=0\n",
    );
    daemon.wait_state("l", "RUNNING");
    send(&daemon, "bad");
    let pool = || daemon.call("callboard.getEventPoolInfo", json!(["l"]));
    wait::until("an event at rest", || match pool() {
        pool if pool["resting"] == 1 && pool["rejected"].as_i64() > Some(5) => Ok(()),
        pool => Err(pool),
    });
    upgrade_well(&daemon);
    let rejected = pool()["rejected"].as_i64();
    assert!(rejected > Some(5), "{rejected:?}");
    wait::until("a further attempt", || match pool() {
        pool if pool["rejected"].as_i64() > rejected => Ok(()),
        pool => Err(pool),
    });
    let numbers = daemon.events("record");
    assert!(numbers.iter().all(|event| event.number("poolserial") == 0));
}
