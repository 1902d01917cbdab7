//! What methods answer, and how it is written.

use protocol::faults::{Fault, FaultCode};
use protocol::xmlrpc::{Encoder, Value};

use super::{info, pools};
use crate::supervisor::messages::{ConfigInfo, Done, PoolInfo, ProcessInfo, Row};

/// The result of a method, as it comes from the supervisor: what is long is written without being turned into a
/// [`Value`] first.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Something short.
    Value(Value),
    /// What became of each process.
    Rows(Vec<Row>),
    /// One process.
    Info(Box<ProcessInfo>),
    /// Every process.
    Infos(Vec<ProcessInfo>),
    /// Every configured process.
    Configs(Vec<ConfigInfo>),
    /// One pool of listeners.
    Pool(Box<PoolInfo>),
    /// Every pool of listeners.
    Pools(Vec<PoolInfo>),
    /// The results of a multicall.
    Calls(Vec<Result<Answer, Fault>>),
}

impl Answer {
    /// What methods answer that have nothing to tell.
    pub(super) const TRUE: Self = Self::Value(Value::Bool(true));

    /// About how many bytes it takes.
    pub(super) fn size_hint(&self) -> usize {
        match self {
            Self::Value(value) => 256 + value_size(value),
            Self::Rows(rows) => 256 + rows.len() * 384,
            Self::Info(_) => 2048,
            Self::Infos(infos) => 256 + infos.len() * 1536,
            Self::Configs(configs) => 256 + configs.len() * 3072,
            Self::Pool(_) => 2048,
            Self::Pools(pools) => 256 + pools.len() * 2048,
            Self::Calls(calls) => {
                let sizes = calls
                    .iter()
                    .map(|call| call.as_ref().map_or(256, Self::size_hint));
                256 + sizes.sum::<usize>()
            }
        }
    }

    pub(super) fn write(&self, encoder: &mut Encoder<'_>) {
        match self {
            Self::Value(value) => encoder.value(value),
            Self::Rows(rows) => write_array(rows, encoder, write_row),
            Self::Info(process) => info::write_process(process, encoder),
            Self::Infos(processes) => write_array(processes, encoder, info::write_process),
            Self::Configs(configs) => write_array(configs, encoder, info::write_config),
            Self::Pool(pool) => pools::write(pool, encoder),
            Self::Pools(pools) => write_array(pools, encoder, pools::write),
            Self::Calls(calls) => write_array(calls, encoder, write_call),
        }
    }
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::String(text) => 64 + text.len(),
        Value::Array(values) => 64 + values.iter().map(value_size).sum::<usize>(),
        _ => 128,
    }
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::TRUE
    }
}

impl From<Done> for Answer {
    fn from(done: Done) -> Self {
        match done {
            Done::One => Self::TRUE,
            Done::Each(rows) => Self::Rows(rows),
        }
    }
}

impl From<Vec<Row>> for Answer {
    fn from(rows: Vec<Row>) -> Self {
        Self::Rows(rows)
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::Value(text.into())
    }
}

fn write_array<T>(items: &[T], encoder: &mut Encoder<'_>, write: impl Fn(&T, &mut Encoder<'_>)) {
    encoder.array(|encoder| items.iter().for_each(|item| write(item, encoder)));
}

fn write_row(row: &Row, encoder: &mut Encoder<'_>) {
    encoder.record(|record| {
        record.string_member("name", &row.name);
        record.string_member("group", &row.group);
        match &row.result {
            Ok(()) => {
                record.int_member("status", FaultCode::Success.code());
                record.string_member("description", "OK");
            }
            Err(fault) => {
                record.int_member("status", fault.code.code());
                record.string_member("description", &fault.to_string());
            }
        }
    });
}

/// Results stand bare in the array, contrary to the multicall convention, as Supervisor's clients expect.
fn write_call(call: &Result<Answer, Fault>, encoder: &mut Encoder<'_>) {
    match call {
        Ok(answer) => answer.write(encoder),
        Err(fault) => encoder.record(|record| {
            record.int_member("faultCode", fault.code.code());
            record.string_member("faultString", &fault.to_string());
        }),
    }
}
