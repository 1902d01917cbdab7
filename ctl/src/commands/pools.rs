//! `pools`

use client::CallError;
use protocol::faults::FaultCode;
use protocol::xmlrpc::Value;

use super::{Command, Completes};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "pools",
    help: "pools\t\t\tShow the events and listeners of every pool of event listeners\n\
           pools <gname>\t\tShow those of one pool\n\
           pools <gname> <gname>\tShow those of several pools",
    completes: Completes::Groups,
    run,
};

const ALL: &str = "callboard.getAllEventPoolInfo";
const ONE: &str = "callboard.getEventPoolInfo";

/// The columns of numbers: heading and member of the answer.
const COLUMNS: [(&str, &str); 6] = [
    ("buffered", "buffered"),
    ("bytes", "bytes"),
    ("oldest", "oldest"),
    ("delivered", "delivered"),
    ("rejected", "rejected"),
    ("discarded", "discarded"),
];

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let pools = match pools(ctl, args) {
        Err(Failure::Call(error)) if error.fault() == Some(FaultCode::UnknownMethod) => {
            ctl.complain(
                "ERROR: the server does not tell about pools",
                ExitStatus::Failed,
            )?;
            return Ok(Flow::Continue);
        }
        answer => answer?,
    };
    if !pools.is_empty() {
        let lines = table(&pools).ok_or_else(|| CallError::unexpected(ALL))?;
        for line in lines {
            ctl.print(line)?;
        }
    }
    Ok(Flow::Continue)
}

/// The pools that are named, or all.
fn pools(ctl: &mut Controller, args: &str) -> Result<Vec<Value>, Failure> {
    if args.split_whitespace().next().is_none() {
        let answer = ctl.call(ALL, &[])?;
        let pools = answer
            .as_array()
            .ok_or_else(|| CallError::unexpected(ALL))?;
        return Ok(pools.to_vec());
    }
    let mut pools = Vec::new();
    for name in args.split_whitespace() {
        match ctl.call(ONE, &[name.into()]) {
            Err(Failure::Call(error)) if error.fault() == Some(FaultCode::BadName) => {
                ctl.complain(
                    format_args!("{name}: ERROR (no such pool)"),
                    ExitStatus::Failed,
                )?;
            }
            answer => pools.push(answer?),
        }
    }
    Ok(pools)
}

/// A line of headings and one per pool; nothing if an answer is not as it should be.
fn table(pools: &[Value]) -> Option<Vec<String>> {
    let mut rows = vec![headings()];
    for pool in pools {
        rows.push(row(pool)?);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    Some(rows.iter().map(|row| line(row, &widths)).collect())
}

fn headings() -> Vec<String> {
    let numbers = COLUMNS.iter().map(|(heading, _)| *heading);
    let headings = ["pool"].into_iter().chain(numbers).chain(["listeners"]);
    headings.map(str::to_owned).collect()
}

/// The name to the left, numbers to the right, what may be long last.
fn line(row: &[String], widths: &[usize]) -> String {
    let last = row.len() - 1;
    let cells = row.iter().zip(widths).enumerate();
    let cells = cells.map(|(column, (cell, &width))| match column {
        0 => format!("{cell:width$}"),
        column if column == last => cell.clone(),
        _ => format!("{cell:>width$}"),
    });
    cells.collect::<Vec<_>>().join("  ")
}

fn row(pool: &Value) -> Option<Vec<String>> {
    let text = |member| pool.get(member).and_then(Value::as_str);
    let mut row = vec![text("name")?.to_owned()];
    for (_, member) in COLUMNS {
        let number = number(pool.get(member)?)?;
        row.push(match member {
            "oldest" => age(number),
            _ => number.to_string(),
        });
    }
    let mut listeners = Vec::new();
    for listener in pool.get("listeners")?.as_array()? {
        let member = |name| listener.get(name).and_then(Value::as_str);
        let state = match listener.get("pid")?.as_int()? {
            0 => "not running",
            _ => member("statename")?,
        };
        listeners.push(format!("{} {state}", member("name")?));
    }
    let mut listeners = listeners.join(", ");
    if pool.get("disk_failed")?.as_bool()? {
        let path = text("buffer_file")?;
        listeners.push_str(&format!(" (cannot write {path})"));
    }
    row.push(listeners);
    Some(row)
}

/// Counts too large for an int come as doubles.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count"
        )]
        Value::Double(number) => Some(*number as u64),
        _ => None,
    }
}

/// Seconds as `0:00:05`.
fn age(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(name: &str, disk_failed: bool) -> Value {
        let listener = |name: &str, pid: i32| {
            Value::Struct(vec![
                ("name".into(), name.into()),
                ("pid".into(), pid.into()),
                ("statename".into(), "UNKNOWN".into()),
            ])
        };
        let listeners = vec![listener("w_0", 7), listener("w_1", 0)];
        Value::Struct(vec![
            ("name".into(), name.into()),
            ("buffered".into(), 3.into()),
            ("bytes".into(), Value::Double(3e9)),
            ("oldest".into(), 7325.into()),
            ("delivered".into(), 123_456.into()),
            ("rejected".into(), 0.into()),
            ("discarded".into(), 0.into()),
            ("buffer_file".into(), "/var/x".into()),
            ("disk_failed".into(), disk_failed.into()),
            ("listeners".into(), Value::Array(listeners)),
        ])
    }

    #[test]
    fn columns_line_up() {
        let lines = table(&[pool("a", false), pool("watchers", true)]).unwrap();
        let expected = [
            "pool      buffered       bytes   oldest  delivered  rejected  discarded  listeners",
            "a                3  3000000000  2:02:05     123456         0          0  w_0 UNKNOWN, w_1 not running",
            "watchers         3  3000000000  2:02:05     123456         0          0  w_0 UNKNOWN, w_1 not running (cannot write /var/x)",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn an_answer_of_another_kind_is_none() {
        assert_eq!(table(&[Value::Int(1)]), None);
    }
}
