//! Starting the daemon again, with everything that the one before has left.

use std::ffi::CString;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::ffi::OsStrExt as _;

use super::super::legacy;
use super::super::wire::{Ending, Left};
use super::{Host, Life};
use crate::sys::handover::{execute, keep_across_exec, memory_file};
use crate::sys::{packets, parent, residence};
use crate::upgrade::environment;

/// The keeper's own program, whatever has become of its file since.
const OWN: &std::ffi::CStr = c"/proc/self/exe";

/// The exit code of shells where a program cannot be executed.
const NOT_EXECUTABLE: i32 = 127;

impl Host {
    /// Starts a successor; if that fails it is tried again later.
    pub(super) fn start(&mut self) {
        match self.try_to_start() {
            Ok(life) => {
                self.life = Some(life);
                self.adopted.all_untold();
                self.tell();
                // What has been written down for it.
                let _ = residence::give_back();
            }
            Err(_) => self.pause.begin(None),
        }
    }

    fn try_to_start(&self) -> std::io::Result<Life> {
        let file = memory_file(&self.left().write())?;
        let (line, theirs) = packets::pair()?;
        let mut kept = self.store.descriptors();
        kept.extend([file.as_raw_fd(), theirs.as_raw_fd()]);
        let variables = [legacy::variable(&file, &theirs)];
        let envp = environment(&variables);
        let path = CString::new(self.program.path.as_os_str().as_bytes()).unwrap_or_default();
        let pid = match parent::fork()? {
            Some(pid) => pid,
            None => self.become_daemon(&path, &kept, &envp),
        };
        Ok(Life {
            pid,
            line,
            up_since: None,
            cut_since: None,
        })
    }

    /// In the child. The program as it is installed, unless that has just failed.
    fn become_daemon(&self, path: &CString, kept: &[RawFd], envp: &[CString]) -> ! {
        let argv = &self.program.argv;
        if keep_across_exec(kept, true).is_ok() {
            if !self.pause.wants_another() {
                let Err(_) = execute(path, argv, envp);
            }
            let Err(_) = execute(OWN, argv, envp);
        }
        parent::exit(NOT_EXECUTABLE)
    }

    fn left(&self) -> Left {
        let nothing = Ending {
            pid: 0,
            status: 0,
            peak_memory: 0,
            cpu: std::time::Duration::ZERO,
            at: std::time::Duration::ZERO,
        };
        Left {
            death: self.death.unwrap_or(nothing),
            start_dir: self.start_dir.clone(),
            note: self.note.clone(),
            records: self.store.left(),
        }
    }
}
