//! Asking for an upgrade in place, and about the last one.

use actix::{Context, Handler, MessageResult, ResponseFuture};
use protocol::faults::{Fault, FaultCode};
use protocol::states::DaemonState;
use tokio::sync::oneshot;

use super::actor::Supervisor;
use super::messages::{GetLastUpgrade, Upgrade};

impl Supervisor {
    /// Has the daemon replaced if that is not going on already; told is whoever awaits the answer.
    pub(super) fn request_upgrade(&mut self) -> Option<oneshot::Receiver<Result<(), String>>> {
        if self.upgrading || self.state != DaemonState::Running {
            let log = &self.services.log;
            log.warn("not upgrading: an upgrade or a shutdown is under way");
            return None;
        }
        let (sender, answer) = oneshot::channel();
        self.upgrading = self.upgrades.send(sender).is_ok();
        Some(answer)
    }
}

impl Handler<Upgrade> for Supervisor {
    type Result = ResponseFuture<Result<(), Fault>>;

    fn handle(&mut self, _: Upgrade, _: &mut Context<Self>) -> Self::Result {
        let answer = self.request_upgrade();
        Box::pin(async {
            let under_way = "an upgrade or a shutdown is under way";
            let answer = answer.ok_or_else(|| FaultCode::Failed.about(under_way))?;
            // Nobody answers only if the daemon ends this very moment.
            let answer = answer.await.unwrap_or_else(|error| Err(error.to_string()));
            answer.map_err(|reason| FaultCode::Failed.about(reason))
        })
    }
}

impl Handler<GetLastUpgrade> for Supervisor {
    type Result = MessageResult<GetLastUpgrade>;

    fn handle(&mut self, _: GetLastUpgrade, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.last_upgrade.clone())
    }
}
