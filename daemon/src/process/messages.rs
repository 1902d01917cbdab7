//! What a process actor is asked, and what it tells.

use actix::{Message, Recipient};
use bytes::Bytes;
use config::model::SignalNumber;
use protocol::faults::Fault;
use protocol::states::ProcessState;

use crate::sys::wait::Reaped;

/// Starts the process; answers when it is RUNNING or has failed, or at once without `wait`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct Start {
    /// What the caller calls the process; refusals repeat it.
    pub called: String,
    /// Answer only when the outcome is known.
    pub wait: bool,
}

/// Starts the process if it has never been started and `autostart` says so.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct AutoStart;

/// Stops the process; answers when it is gone, or at once without `wait`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct Stop {
    /// What the caller calls the process; refusals repeat it.
    pub called: String,
    /// Answer only when it is gone.
    pub wait: bool,
}

/// The daemon is going down: nothing is started any more, a child is stopped.
/// Answers when there is none left.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Close;

/// From now on nothing is started any more, neither here nor after an exit. Stops nothing.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Freeze;

/// The group is removed: the actor ends, a child that a request under way may have started first.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Retire;

/// Sends a signal to the child.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct Signal {
    /// What the caller calls the process; refusals repeat it.
    pub called: String,
    /// Which; 0 checks for the child's existence only.
    pub signal: SignalNumber,
}

/// Queues text for the child's standard input.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct SendStdin {
    /// What the caller calls the process; refusals repeat it.
    pub called: String,
    /// What.
    pub chars: String,
}

/// Reopens the log files, after something outside has renamed them.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct ReopenLogs;

/// Removes and reopens the log files.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<(), Fault>")]
pub struct ClearLogs {
    /// What the caller calls the process; refusals repeat it.
    pub called: String,
}

/// The child was reaped.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Ended(pub Reaped);

/// Writes an event to a listener's standard input.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Feed {
    /// Whom it is for. A successor has not said READY yet and must not get it; that the child
    /// meant has ended is told by [`Notice::Gone`].
    pub pid: i32,
    /// Header and payload.
    pub event: Bytes,
}

/// What a listener's process tells the pool it belongs to.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct FromListener {
    /// Which member of the pool, by position.
    pub member: usize,
    /// What.
    pub notice: Notice,
}

/// What there is to tell about a listener.
#[derive(Debug)]
pub enum Notice {
    /// A child exists; what is fed to it goes to its standard input.
    Spawned {
        /// Its pid, to be named with everything that is fed to it.
        pid: i32,
        /// Where to send what it is fed.
        feed: Recipient<Feed>,
    },
    /// A child that another daemon has started goes on, and so does what it is in the middle of.
    Resumed {
        /// Its pid.
        pid: i32,
        /// Where to send what it is fed.
        feed: Recipient<Feed>,
    },
    /// The process changed state.
    State(ProcessState),
    /// It wrote to its standard output.
    Output(Bytes),
    /// What it was fed did not reach it: it has closed its standard input.
    Unfed {
        /// It may have got a part of it.
        partly: bool,
    },
    /// It has ended and everything it wrote has been told.
    Gone,
}
