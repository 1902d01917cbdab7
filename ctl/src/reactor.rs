//! The event loop everything that waits runs on, and Ctrl-C.

use std::cell::RefCell;
use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// Runs futures to their end on this thread.
///
/// At first Ctrl-C ends the program, as usual. Once [`Reactor::watch_interrupts`] has been called it only ends what is
/// running.
pub(crate) struct Reactor {
    runtime: Runtime,
    interrupts: RefCell<Option<Signal>>,
}

impl Reactor {
    /// An event loop.
    ///
    /// # Errors
    /// When the operating system has none to give.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            interrupts: RefCell::new(None),
        })
    }

    /// Makes Ctrl-C a failure of what is being waited for.
    pub(crate) fn watch_interrupts(&self) -> Result<(), Failure> {
        let mut interrupts = self.interrupts.borrow_mut();
        if interrupts.is_none() {
            let _context = self.runtime.enter();
            *interrupts = Some(signal(SignalKind::interrupt()).map_err(Failure::Input)?);
        }
        Ok(())
    }

    /// Waits for `work`.
    ///
    /// # Errors
    /// As `work`, or when it has been interrupted.
    pub(crate) fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut interrupts = self.interrupts.borrow_mut();
        match interrupts.as_mut() {
            None => self.runtime.block_on(work),
            Some(interrupts) => self.runtime.block_on(async {
                tokio::select! {
                    result = work => result,
                    _ = interrupts.recv() => Err(Failure::Interrupted),
                }
            }),
        }
    }
}
