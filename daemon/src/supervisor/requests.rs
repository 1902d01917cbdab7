//! Starting, stopping and signalling one process, a group, or all.

use std::future::{Future, ready};
use std::pin::Pin;

use actix::{Context, Handler, ResponseFuture};
use config::model::SignalNumber;
use futures_util::stream::{FuturesUnordered, StreamExt};
use protocol::faults::{Fault, FaultCode};
use protocol::namespec::Namespec;

use super::actor::Supervisor;
use super::group::Member;
use super::messages::{ClearAllLogs, ClearLogs, Done, Row, SendStdin, Signal, Start, Stop, Target};
use crate::process::children::breathe;
use crate::process::messages as process;
use crate::process::status::SharedStatus;

/// The answer of one process.
type OneAnswer = Pin<Box<dyn Future<Output = Result<(), Fault>>>>;

/// Whom a target means.
pub(super) enum Meant {
    One(Member),
    Several(Vec<Member>),
}

impl Supervisor {
    /// Finds the process of this name; a whole group is none.
    pub(super) fn find(&self, name: &str) -> Result<&Member, Fault> {
        let spec = Namespec::parse(name);
        self.group(spec.group)
            .and_then(|group| group.member(spec.process?))
            .ok_or_else(|| FaultCode::BadName.about(name))
    }

    fn resolve(&self, target: &Target) -> Result<Meant, Fault> {
        match target {
            Target::All => Ok(Meant::Several(self.members_by_priority())),
            Target::Group(name) => self.members_of(name, name),
            Target::Named(name) => match Namespec::parse(name) {
                Namespec {
                    group,
                    process: None,
                } => self.members_of(group, name),
                _ => self.find(name).cloned().map(Meant::One),
            },
        }
    }

    fn members_of(&self, group: &str, called: &str) -> Result<Meant, Fault> {
        self.group(group)
            .map(|group| Meant::Several(group.by_priority()))
            .ok_or_else(|| FaultCode::BadName.about(called))
    }

    /// Asks one process, or those of several that are in the right state, all at once.
    fn ask(
        &self,
        target: &Target,
        concerns: impl Fn(&SharedStatus) -> bool,
        ask: impl Fn(&Member, String) -> OneAnswer + 'static,
    ) -> ResponseFuture<Result<Done, Fault>> {
        match (self.resolve(target), target) {
            (Err(fault), _) => Box::pin(ready(Err(fault))),
            (Ok(Meant::One(member)), Target::Named(called)) => {
                let answer = ask(&member, called.clone());
                Box::pin(async { answer.await.map(|()| Done::One) })
            }
            (Ok(Meant::One(member)), _) => {
                let answer = ask(&member, member.namespec());
                Box::pin(async { answer.await.map(|()| Done::One) })
            }
            (Ok(Meant::Several(members)), _) => {
                let concerned = members
                    .into_iter()
                    .filter(|member| concerns(&member.status));
                Box::pin(ask_all(concerned.collect(), ask))
            }
        }
    }
}

/// Asks several processes, one right after the other but letting others be served in between, and
/// gives a row for each in the order in which they are done.
async fn ask_all(
    members: Vec<Member>,
    ask: impl Fn(&Member, String) -> OneAnswer,
) -> Result<Done, Fault> {
    let rows = FuturesUnordered::new();
    for (count, member) in members.into_iter().enumerate() {
        let answer = ask(&member, member.namespec());
        rows.push(async move { row(&member, answer.await) });
        breathe(count).await;
    }
    Ok(Done::Each(rows.collect().await))
}

fn row(member: &Member, result: Result<(), Fault>) -> Row {
    Row {
        name: member.config.name.clone(),
        group: member.config.group.clone(),
        result,
    }
}

/// Sends a request to a process. One whose actor is gone is about to be removed.
fn send<M>(member: &Member, message: M) -> OneAnswer
where
    M: actix::Message<Result = Result<(), Fault>> + Send + 'static,
    crate::process::Process: Handler<M>,
{
    let request = member.addr.send(message);
    Box::pin(async move {
        request
            .await
            .unwrap_or_else(|_| Err(FaultCode::Failed.bare()))
    })
}

impl Handler<Start> for Supervisor {
    type Result = ResponseFuture<Result<Done, Fault>>;

    fn handle(&mut self, request: Start, _: &mut Context<Self>) -> Self::Result {
        if let Err(fault) = self.admit() {
            return Box::pin(ready(Err(fault)));
        }
        let wait = request.wait;
        self.ask(
            &request.target,
            |status| !status.state().is_running(),
            move |member, called| send(member, process::Start { called, wait }),
        )
    }
}

impl Handler<Stop> for Supervisor {
    type Result = ResponseFuture<Result<Done, Fault>>;

    fn handle(&mut self, request: Stop, _: &mut Context<Self>) -> Self::Result {
        let wait = request.wait;
        self.ask(
            &request.target,
            SharedStatus::can_stop,
            move |member, called| send(member, process::Stop { called, wait }),
        )
    }
}

impl Handler<Signal> for Supervisor {
    type Result = ResponseFuture<Result<Done, Fault>>;

    fn handle(&mut self, request: Signal, _: &mut Context<Self>) -> Self::Result {
        let signal = SignalNumber::parse(&request.signal);
        let spelled = request.signal;
        self.ask(
            &request.target,
            |status| status.state().is_signallable(),
            move |member, called| match signal {
                Some(signal) => send(member, process::Signal { called, signal }),
                None => Box::pin(ready(Err(FaultCode::BadSignal.about(spelled.clone())))),
            },
        )
    }
}

impl Handler<SendStdin> for Supervisor {
    type Result = ResponseFuture<Result<(), Fault>>;

    fn handle(&mut self, request: SendStdin, _: &mut Context<Self>) -> Self::Result {
        let SendStdin {
            name: called,
            chars,
        } = request;
        match self.find(&called) {
            Ok(member) => send(member, process::SendStdin { called, chars }),
            Err(fault) => Box::pin(ready(Err(fault))),
        }
    }
}

impl Handler<ClearLogs> for Supervisor {
    type Result = ResponseFuture<Result<(), Fault>>;

    fn handle(&mut self, ClearLogs(called): ClearLogs, _: &mut Context<Self>) -> Self::Result {
        match self.find(&called) {
            Ok(member) => send(member, process::ClearLogs { called }),
            Err(fault) => Box::pin(ready(Err(fault))),
        }
    }
}

impl Handler<ClearAllLogs> for Supervisor {
    type Result = ResponseFuture<Vec<Row>>;

    fn handle(&mut self, _: ClearAllLogs, _: &mut Context<Self>) -> Self::Result {
        let members = self.members_by_priority();
        Box::pin(async move {
            let mut rows = Vec::with_capacity(members.len());
            for member in members {
                let called = member.namespec();
                let result = send(&member, process::ClearLogs { called }).await;
                rows.push(row(&member, result));
            }
            rows
        })
    }
}
