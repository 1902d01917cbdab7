//! The one timer of a process: armed and disarmed by the lifecycle, still while all is at rest.

use std::time::{Duration, Instant};

use actix::{AsyncContext as _, Context, SpawnHandle};

use super::actor::Process;
use super::lifecycle::Input;
use crate::sys::clock;

/// A timer that is armed.
pub(super) struct Timer {
    /// When it fires.
    pub(super) at: Instant,
    /// `None`: it is not wound.
    handle: Option<SpawnHandle>,
}

impl Timer {
    /// One that fires then, once it is wound.
    pub(super) fn at(at: Instant) -> Self {
        Self { at, handle: None }
    }
}

impl Process {
    /// Sets the timer, replacing what it was set to.
    pub(super) fn arm(&mut self, after: Duration, ctx: &mut Context<Self>) {
        self.disarm(ctx);
        self.timer = Some(Timer::at(clock::now() + after));
        self.wind_timer(ctx);
    }

    /// Cancels it.
    pub(super) fn disarm(&mut self, ctx: &mut Context<Self>) {
        if let Some(handle) = self.timer.take().and_then(|timer| timer.handle) {
            ctx.cancel_future(handle);
        }
    }

    /// Lets the timer run. If it ends while all is at rest, it has to be wound again.
    pub(super) fn wind_timer(&mut self, ctx: &mut Context<Self>) {
        let Some(timer) = &mut self.timer else { return };
        if let Some(handle) = timer.handle.take() {
            ctx.cancel_future(handle);
        }
        let at = timer.at;
        let left = at.saturating_duration_since(clock::now());
        let ended = move |process: &mut Self, ctx: &mut Context<Self>| process.timer_ended(at, ctx);
        timer.handle = Some(ctx.run_later(left, ended));
    }

    /// A timer that is cancelled in the very turn in which it is due ends all the same: actix looks at what is cancelled
    /// later than at what is due.
    fn timer_ended(&mut self, at: Instant, ctx: &mut Context<Self>) {
        let is_armed = self.timer.as_ref().is_some_and(|timer| timer.at == at);
        if is_armed && !self.services.gate.is_closed() {
            self.timer = None;
            self.feed(Input::TimerFired, ctx);
        }
    }
}
