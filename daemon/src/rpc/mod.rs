//! XML-RPC requests: one arm per method, refusals become faults.

use std::rc::Rc;

use actix::Addr;

use crate::logs::activity::ActivityLog;
use crate::supervisor::Supervisor;

/// The version that clients and `supervisord -v` are told.
pub const SUPERVISOR_VERSION: &str = "4.3.0";

/// What answering requests takes; cheap to clone.
#[derive(Debug, Clone)]
pub struct RpcContext {
    /// Whom to ask.
    pub supervisor: Addr<Supervisor>,
    /// The activity log.
    pub log: ActivityLog,
    /// Namespaces that publish the supervisor's methods: the names of the `[rpcinterface:*]` sections.
    pub namespaces: Rc<[String]>,
}
