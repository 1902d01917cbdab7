//! Methods about logs.

use std::path::Path;

use protocol::events::Channel;
use protocol::faults::{Fault, FaultCode};
use protocol::xmlrpc::Value;

use super::RpcContext;
use super::answer::Answer;
use super::arguments::Arguments;
use crate::logs::followed::WhichLog;
use crate::logs::tail::{self, ReadError, Tail};
use crate::supervisor::messages::{
    ClearAllLogs, ClearLogs, ClearMainLog, GetDaemon, LocateLog, LocateMainLog, LogLocation,
};

type Outcome = Result<Answer, Fault>;

/// What stands in the place of the activity log's path when there is no such file.
const SYSLOG: &str = "syslog";

pub(super) async fn read_main(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    let (offset, length) = (arguments.number()?, arguments.number()?);
    let logfile = context.ask(GetDaemon).await?.logfile;
    let path = logfile.ok_or_else(|| FaultCode::NoFile.about(SYSLOG))?;
    Ok(read_window(&path, offset, length)?.into())
}

pub(super) async fn clear_main(context: &RpcContext) -> Outcome {
    Ok(context.ask(ClearMainLog).await??.into())
}

pub(super) async fn read(
    context: &RpcContext,
    arguments: &mut Arguments,
    channel: Channel,
) -> Outcome {
    let name = arguments.text()?;
    let (offset, length) = (arguments.number()?, arguments.number()?);
    Ok(read_process_log(context, name, channel, offset, length)
        .await?
        .into())
}

pub(super) async fn tail(
    context: &RpcContext,
    arguments: &mut Arguments,
    channel: Channel,
) -> Outcome {
    let name = arguments.text()?;
    let (offset, length) = (arguments.number()?, arguments.number()?);
    let log = context.ask(LocateLog { name, channel }).await??;
    let tail = match log.path {
        Some(path) => tail::tail(&path, offset, length),
        None => Tail {
            data: String::new(),
            offset: 0,
            overflow: false,
        },
    };
    let size = i32::try_from(tail.offset).unwrap_or(i32::MAX);
    Ok(Answer::Value(Value::Array(vec![
        tail.data.into(),
        size.into(),
        tail.overflow.into(),
    ])))
}

pub(super) async fn clear(context: &RpcContext, arguments: &mut Arguments) -> Outcome {
    Ok(context.ask(ClearLogs(arguments.text()?)).await??.into())
}

pub(super) async fn clear_all(context: &RpcContext) -> Outcome {
    Ok(context.ask(ClearAllLogs).await?.into())
}

/// Where a log is.
pub(crate) async fn locate_log(
    context: &RpcContext,
    which: &WhichLog,
) -> Result<LogLocation, Fault> {
    let (name, channel) = match which {
        WhichLog::Daemon => return context.ask(LocateMainLog).await,
        WhichLog::Stdout(name) => (name.clone(), Channel::Stdout),
        WhichLog::Stderr(name) => (name.clone(), Channel::Stderr),
    };
    context.ask(LocateLog { name, channel }).await?
}

/// A window of a process's log, as `readProcessStdoutLog` and its sibling define it.
pub(crate) async fn read_process_log(
    context: &RpcContext,
    name: String,
    channel: Channel,
    offset: i64,
    length: i64,
) -> Result<String, Fault> {
    let log = context.ask(LocateLog { name, channel }).await??;
    let path = log.path.ok_or(FaultCode::NoFile.bare())?;
    read_window(&path, offset, length)
}

fn read_window(path: &Path, offset: i64, length: i64) -> Result<String, Fault> {
    tail::read(path, offset, length).map_err(|error| match error {
        ReadError::NoFile => FaultCode::NoFile.about(path.to_string_lossy()),
        ReadError::BadArguments => FaultCode::BadArguments.bare(),
        ReadError::Failed => FaultCode::Failed.bare(),
    })
}
