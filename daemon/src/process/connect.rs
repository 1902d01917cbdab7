//! The outputs of a process as a whole: connected to a new child, reopened, cleared.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use protocol::events::Channel;

use super::actor::Process;
use super::lane::Lane;
use super::log_files::LogFiles;
use super::output::Output;
use crate::logs::rotate::RotatingFile;

impl Process {
    /// Starts to read from a new child.
    ///
    /// # Errors
    /// When the event loop cannot watch its pipes.
    pub(super) fn connect_outputs(
        &self,
        pid: i32,
        stdout: OwnedFd,
        stderr: Option<OwnedFd>,
        files: LogFiles,
    ) -> io::Result<Vec<Rc<Output>>> {
        let stdout = (stdout, self.lane(Channel::Stdout, pid, files.stdout));
        let stderr = stderr.map(|pipe| (pipe, self.lane(Channel::Stderr, pid, files.stderr)));
        std::iter::once(stdout)
            .chain(stderr)
            .map(|(pipe, lane)| Output::start(pipe, lane, &self.services.reader))
            .collect()
    }

    pub(super) fn lane(&self, channel: Channel, pid: i32, file: Option<RotatingFile>) -> Lane {
        let pool = match channel {
            Channel::Stdout => self.listener.clone(),
            Channel::Stderr => None,
        };
        Lane::new(&self.config, &self.services, channel, pid, file, pool)
    }

    fn outputs(&self) -> impl Iterator<Item = &Rc<Output>> {
        self.live.iter().flat_map(|live| &live.outputs)
    }

    /// Reads what the child has left in its pipes.
    pub(super) fn drain_outputs(&self) {
        self.outputs().for_each(|output| output.drain());
    }

    /// Reopens the logs of the live child; those of a stopped process are not open.
    pub(super) fn reopen_logs(&self) {
        for output in self.outputs() {
            output.lane.borrow_mut().reopen();
        }
    }

    /// Removes and reopens the logs; those of a stopped process are emptied as well.
    pub(super) fn clear_logs(&self) -> io::Result<()> {
        match self.live {
            None => self.logs.clear(),
            Some(_) => self
                .outputs()
                .map(|output| output.lane.borrow_mut().clear())
                .fold(Ok(()), Result::and),
        }
    }
}
