//! XML-RPC requests: one arm per method, refusals become faults.
//!
//! Only messages of the supervisor are spoken here; nothing is decided about processes.

mod answer;
mod arguments;
mod call;
mod config;
mod info;
mod instance;
mod logs;
mod meter;
mod pools;
mod processes;
mod system;

use std::pin::pin;
use std::rc::Rc;

use actix::dev::ToEnvelope;
use actix::{Addr, Handler, Message};
use futures_util::future::{Either, select};
use protocol::faults::{Fault, FaultCode};
use protocol::xmlrpc::{parse_call, write_fault, write_response_with};

use crate::access::Caller;
use crate::logs::activity::ActivityLog;
use crate::supervisor::Supervisor;
use crate::upgrade::Gate;

pub(crate) use answer::Answer;
pub(crate) use call::{API_VERSION, call};
pub(crate) use logs::{locate_log, read_process_log};
pub use meter::{Calls, Meter};

/// The version that clients and `supervisord -v` are told.
pub const SUPERVISOR_VERSION: &str = "4.3.0";

/// Told who waits when the daemon is replaced: what was begun goes on, the answer does not come.
const INTERRUPTED: &str = "the daemon is being upgraded; what was asked for goes on";

/// What answering requests takes; cheap to clone.
#[derive(Debug, Clone)]
pub struct RpcContext {
    /// Whom to ask.
    pub supervisor: Addr<Supervisor>,
    /// The activity log.
    pub log: ActivityLog,
    /// Namespaces that publish the supervisor's methods: the names of the `[rpcinterface:*]` sections.
    pub namespaces: Rc<[String]>,
    /// Counts the calls.
    pub meter: Meter,
    /// Who asks.
    pub caller: Caller,
    /// Counts what is under way.
    pub gate: Gate,
}

impl RpcContext {
    /// The same for somebody who asks.
    pub(crate) fn on_behalf_of(&self, caller: Caller) -> Self {
        Self {
            caller,
            ..self.clone()
        }
    }

    /// Asks the supervisor.
    ///
    /// # Errors
    /// FAILED if it is not there any more, or takes too long for an upgrade that is under way.
    pub(crate) async fn ask<M>(&self, message: M) -> Result<M::Result, Fault>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        Supervisor: Handler<M>,
        <Supervisor as actix::Actor>::Context: ToEnvelope<Supervisor, M>,
    {
        let _pass = self.gate.pass();
        let answer = pin!(self.supervisor.send(message));
        match select(answer, pin!(self.gate.interrupted())).await {
            Either::Left((Ok(answer), _)) => Ok(answer),
            Either::Left((Err(error), _)) => Err(FaultCode::Failed.about(error.to_string())),
            Either::Right(_) => Err(FaultCode::Failed.about(INTERRUPTED)),
        }
    }
}

/// What a request leads to.
#[derive(Debug)]
pub enum RpcReply {
    /// An XML document: the result or a fault.
    Answer(Vec<u8>),
    /// The request was none.
    Unparsable,
}

/// Answers one request. Waits as long as the method does; dropping the future leaves a started action to its course
/// but may keep later steps of the same request from being taken.
pub async fn dispatch(context: &RpcContext, body: &[u8]) -> RpcReply {
    let call = match parse_call(body) {
        Ok(call) => call,
        Err(error) => {
            context
                .log
                .error(format_args!("XML-RPC request data is invalid: {error}"));
            return RpcReply::Unparsable;
        }
    };
    let method = &call.method;
    context
        .log
        .trace(format_args!("XML-RPC method called: {method}()"));
    let outcome = system::make_call(context, method, call.params).await;
    match &outcome {
        Ok(_) => context.log.trace(format_args!(
            "XML-RPC method {method}() returned successfully"
        )),
        Err(fault) => {
            let code = fault.code.code();
            context.log.trace(format_args!(
                "XML-RPC method {method}() returned fault: [{code}] {fault}"
            ));
        }
    }
    RpcReply::Answer(encode(&outcome))
}

fn encode(outcome: &Result<Answer, Fault>) -> Vec<u8> {
    match outcome {
        Ok(answer) => {
            let mut out = Vec::with_capacity(answer.size_hint());
            write_response_with(|encoder| answer.write(encoder), &mut out);
            out
        }
        Err(fault) => {
            let mut out = Vec::with_capacity(512);
            write_fault(fault.code.code(), &fault.to_string(), &mut out);
            out
        }
    }
}
