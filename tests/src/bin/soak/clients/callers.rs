//! Who asks what there is, again and again.

use std::time::Instant;

use callboard_tests::http::Address;
use callboard_tests::random::Random;
use callboard_tests::xmlrpc;
use serde_json::{Value, json};

use super::connection::Client;
use crate::judge::Invariant;
use crate::shared::{Shared, count};

/// Asks for anything by one door until the time is over.
pub(super) fn call(shared: &Shared, address: Address, keeps: bool, mut random: Random) {
    let mut client = Client::new(address, keeps);
    let names: Vec<String> = ["steady", "crash", "sender"]
        .into_iter()
        .flat_map(|kind| shared.stage.plan().processes(kind))
        .collect();
    while !shared.is_over() {
        let (line, body) = question(&mut random, &names);
        ask(shared, &mut client, line, &body);
        shared.pause(&mut random, 10, 100);
    }
    shared
        .counts
        .reconnects
        .fetch_add(client.reconnects, std::sync::atomic::Ordering::Relaxed);
}

/// What a client may want to know.
fn question(random: &mut Random, names: &[String]) -> (&'static str, String) {
    let name = random.pick(names);
    let call = |method: &str, params: Value| ("POST /RPC2", xmlrpc::encode_call(method, &params));
    match random.below(12) {
        0 => ("GET /", String::new()),
        1 => ("GET /metrics", String::new()),
        2 => ("GET /api/v1/processes", String::new()),
        3 => call("supervisor.getAllProcessInfo", json!([])),
        4 => call("supervisor.readLog", json!([-2000, 0])),
        5 => call("callboard.getAllEventPoolInfo", json!([])),
        6 => call("supervisor.tailProcessStdoutLog", json!([name, 0, 2000])),
        7 => {
            let state = json!({"methodName": "supervisor.getState", "params": []});
            let info = json!({"methodName": "supervisor.getProcessInfo", "params": [name]});
            call("system.multicall", json!([[state, info]]))
        }
        8 | 9 => call("supervisor.getProcessInfo", json!([name])),
        _ => call("supervisor.getState", json!([])),
    }
}

/// Asks and complains if there is no proper answer.
fn ask(shared: &Shared, client: &mut Client, line: &str, body: &str) {
    let (mark, upgrade) = (shared.reload.mark(), shared.upgrade.mark());
    let start = Instant::now();
    let reply = client.exchange(line, body);
    let took = start.elapsed().as_secs_f32() * 1000.0;
    let wrong = match reply {
        Ok(reply) if reply.status == 200 && line.starts_with("GET") => None,
        Ok(reply) if reply.status == 200 => match xmlrpc::decode_answer(&reply.text()) {
            Ok(_) => None,
            Err(fault) => Some(format!("{fault:?}")),
        },
        Ok(reply) => Some(format!("status {}", reply.status)),
        Err(error) => Some(error.to_string()),
    };
    match wrong {
        None => {
            count(&shared.counts.calls);
            Shared::note(&shared.latencies, took);
            shared.note_slow(took, || {
                let during = match shared.upgrade.was_since(upgrade) {
                    true => ", in an upgrade",
                    false => "",
                };
                let method = body
                    .split(['<', '>'])
                    .find(|word| word.contains('.') && !word.contains('?'));
                format!(
                    "{}{during}",
                    method.filter(|_| line.starts_with("POST")).unwrap_or(line)
                )
            });
        }
        Some(_) if shared.reload.was_since(mark) => count(&shared.counts.interrupted),
        Some(wrong) => {
            let text = format!("{line} {body:?} after {took:.0} ms: {wrong}");
            shared.complain(Invariant::Calls, text);
        }
    }
}

/// Runs `supervisorctl status` again and again.
pub(super) fn ask_status(shared: &Shared) {
    let mut random = shared.random("status");
    let least = shared.stage.states().len() * 9 / 10;
    while !shared.is_over() {
        let mark = shared.reload.mark();
        let output = shared.stage.ctl(&["status"]);
        let lines = output.stdout.lines().count();
        if matches!(output.code, 0 | 3) && lines >= least && output.stderr.is_empty() {
            count(&shared.counts.commands);
        } else if shared.reload.was_since(mark) {
            count(&shared.counts.interrupted);
        } else {
            let text = format!("status: {}, {lines} lines: {output:?}", output.code);
            shared.complain(Invariant::Commands, text);
        }
        shared.pause(&mut random, 100, 1500);
    }
}
