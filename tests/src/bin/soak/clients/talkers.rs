//! Who tells programs and listeners something that must arrive exactly once.

use std::fs;

use callboard_tests::xmlrpc;
use serde_json::{Value, json};

use super::connection::Client;
use crate::judge::Invariant;
use crate::shared::{Shared, count};
use crate::stream::{self, Channel};

/// Writes lines to the standard input of programs that repeat them, and waits until each is in the log.
pub(super) fn write_input(shared: &Shared) {
    let mut random = shared.random("input");
    let names = shared.stage.plan().processes("echo");
    let mut sent = vec![0; names.len()];
    while !shared.is_over() {
        let at = random.below(names.len() as u64) as usize;
        let (group_and_name, number) = (&names[at], sent[at]);
        let (_, name) = group_and_name.split_once(':').unwrap_or_default();
        // What a reload interrupts nobody can tell.
        let peace = shared.peace.read();
        let line = stream::line(name, Channel::Out, 0, number);
        match shared
            .stage
            .call("sendProcessStdin", &json!([group_and_name, line]))
        {
            Ok(Ok(Value::Bool(true))) => {
                sent[at] += 1;
                count(&shared.counts.echoed);
                if !shared
                    .stage
                    .wait_for("an echo", || is_in_log(shared, name, &line))
                {
                    shared.complain(Invariant::Echo, format!("{name}: {line:?} does not come"));
                }
            }
            other => shared.complain(Invariant::Calls, format!("sendProcessStdin: {other:?}")),
        }
        drop(peace);
        shared.pause(&mut random, 5, 100);
    }
}

/// Whether a line is in the newest log or in the one before.
fn is_in_log(shared: &Shared, name: &str, line: &str) -> bool {
    ["", ".1"].iter().any(|backup| {
        let path = shared.stage.daemon.path(&format!("out/{name}.out{backup}"));
        let text = fs::read(path).unwrap_or_default();
        text.windows(line.len())
            .rev()
            .any(|part| part == line.as_bytes())
    })
}

/// Raises numbered events by calls over a kept connection.
pub(super) fn send_remote(shared: &Shared) {
    let mut random = shared.random("remote");
    let [address, _] = shared.stage.addresses();
    let mut client = Client::new(address, true);
    let mut number = 0;
    while !shared.is_over() {
        let peace = shared.peace.read();
        let text = stream::sealed(format!("remote {number}"));
        let call = xmlrpc::encode_call("supervisor.sendRemoteCommEvent", &json!(["soak", text]));
        let answer = client.exchange("POST /RPC2", &call);
        match answer.map(|reply| (reply.status, xmlrpc::decode_answer(&reply.text()))) {
            Ok((200, Ok(Value::Bool(true)))) => {
                number += 1;
                count(&shared.counts.remote);
            }
            other => shared.complain(Invariant::Calls, format!("sendRemoteCommEvent: {other:?}")),
        }
        drop(peace);
        shared.pause(&mut random, 20, 200);
    }
}
