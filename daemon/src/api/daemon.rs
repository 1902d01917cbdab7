//! The daemon itself.

use super::Whole;
use super::params::Given;
use super::problem::Problem;
use super::schema::{Asked, to_json};
use super::shapes::Daemon;
use crate::process::unix_now;
use crate::rpc::{API_VERSION, RpcContext, SUPERVISOR_VERSION};
use crate::supervisor::messages::GetDaemon;
use crate::vitals::{Detail, Units, usage_of};

/// Answers in every state, as whoever waits for a restart wants to know.
pub(super) async fn show(
    context: &RpcContext,
    started: i64,
    given: &Given,
) -> Result<Whole, Problem> {
    let daemon = context.ask(GetDaemon).await?;
    let usage = given.flag("usage").then(|| {
        let usage = usage_of(daemon.pid, Units::of_this_machine(), Detail::Descriptors);
        usage.ok().map(Into::into)
    });
    let logfile = daemon.logfile.as_ref();
    Ok(Whole::json(to_json(&Daemon {
        identification: &daemon.identifier,
        supervisor_version: SUPERVISOR_VERSION,
        api_version: API_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        state: daemon.state.code(),
        statename: daemon.state.name(),
        pid: daemon.pid,
        started,
        now: unix_now(),
        logfile: logfile.map(|path| path.to_string_lossy()),
        usage: Asked(usage),
    })))
}
