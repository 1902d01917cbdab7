//! `/metrics`: what Prometheus scrapes.
//!
//! A table ([`families`]) says what there is; the page of documentation is made from it. Nothing is kept for it besides
//! counters: a scrape looks at what is there, and lets others have a turn every half millisecond.

mod families;
mod gather;
mod reference;
mod text;

use protocol::events::EventType;
use protocol::faults::Fault;
use protocol::states::ProcessState;

use crate::bus::BusHandle;
use crate::process::unix_now;
use crate::rpc::{Calls, RpcContext, SUPERVISOR_VERSION};
use crate::supervisor::messages::{DaemonInfo, GetAllInfo, GetAllPools, GetDaemon, PoolInfo};
use crate::vitals::{Detail, Pace, Units, usage_of};
use families as f;
use gather::Row;
use text::{Text, labels};

pub use reference::reference;

/// Prometheus's text format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a scrape looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) context: &'a RpcContext,
    pub(crate) bus: &'a BusHandle,
    /// Unix time of the start of this life.
    pub(crate) started: i64,
    /// Connections to all servers.
    pub(crate) connections: usize,
    /// Streams of events.
    pub(crate) streams: usize,
    /// Streams of events cut off so far.
    pub(crate) cut_off: u64,
}

/// The metrics as text; with `descriptors` those of every process are counted.
///
/// # Errors
/// FAILED if the supervisor is not there any more.
pub(crate) async fn render(scene: Scene<'_>, descriptors: bool) -> Result<String, Fault> {
    let daemon = scene.context.ask(GetDaemon).await?;
    let infos = scene.context.ask(GetAllInfo).await?;
    let pools = scene.context.ask(GetAllPools).await?;
    let detail = match descriptors {
        true => Detail::Descriptors,
        false => Detail::Quick,
    };
    let mut pace = Pace::default();
    let mut text = Text::with_capacity(8 * 1024 + infos.len() * 1536);
    write_daemon(&mut text, &scene, &daemon);
    let rows = gather::rows(infos, detail, &mut pace).await;
    write_processes(&mut text, &rows, detail, &mut pace).await;
    write_pools(&mut text, &pools);
    write_events(&mut text, scene.bus.counts());
    write_calls(&mut text, scene.context.meter.called());
    Ok(text.finish())
}

fn write_daemon(text: &mut Text, scene: &Scene<'_>, daemon: &DaemonInfo) {
    let build = labels(&[
        ("version", env!("CARGO_PKG_VERSION")),
        ("supervisor_version", SUPERVISOR_VERSION),
    ]);
    text.one(&f::BUILD_INFO, &build, 1);
    let identifier = labels(&[("identifier", &daemon.identifier)]);
    text.one(&f::STATE, &identifier, daemon.state.code());
    text.one(&f::START_TIME, "", scene.started);
    text.one(&f::CONNECTIONS, "", scene.connections);
    text.one(&f::EVENT_STREAMS, "", scene.streams);
    text.one(&f::EVENT_STREAMS_CUT_OFF, "", scene.cut_off);
    let usage = usage_of(daemon.pid, Units::of_this_machine(), Detail::Descriptors);
    if let Ok(usage) = usage {
        text.one(&f::OWN_MEMORY, "", usage.memory);
        text.one(&f::OWN_CPU, "", usage.cpu.as_secs_f64());
        if let Some(count) = usage.descriptors {
            text.one(&f::OWN_DESCRIPTORS, "", count);
        }
    }
}

async fn write_processes(text: &mut Text, rows: &[Row], detail: Detail, pace: &mut Pace) {
    text.family(&f::PROCESSES);
    for state in ProcessState::ALL {
        let count = rows.iter().filter(|row| row.info.state == state).count();
        text.sample(&f::PROCESSES, &labels(&[("state", state.name())]), count);
    }
    let now = unix_now();
    for family in f::OF_PROCESSES {
        if family.is_costly && detail == Detail::Quick {
            continue;
        }
        text.family(family);
        for row in rows {
            row.write(text, family, now);
            pace.breathe().await;
        }
    }
}

fn write_pools(text: &mut Text, pools: &[PoolInfo]) {
    for family in f::OF_POOLS {
        text.family(family);
        for pool in pools {
            gather::write_pool(text, family, pool);
        }
    }
}

fn write_events(text: &mut Text, counts: impl Iterator<Item = (EventType, u64)>) {
    text.family(&f::EVENTS);
    for (event_type, count) in counts {
        text.sample(&f::EVENTS, &labels(&[("type", event_type.name())]), count);
    }
}

fn write_calls(text: &mut Text, calls: impl Iterator<Item = (&'static str, Calls)>) {
    let rows: Vec<_> = calls
        .map(|(method, calls)| (labels(&[("method", method)]), calls))
        .collect();
    text.family(&f::CALLS);
    for (labels, calls) in &rows {
        text.suffixed(&f::CALLS, "_sum", labels, calls.time.as_secs_f64());
        text.suffixed(&f::CALLS, "_count", labels, calls.count);
    }
    text.family(&f::CALL_FAULTS);
    for (labels, calls) in &rows {
        text.sample(&f::CALL_FAULTS, labels, calls.faults);
    }
}
