//! The bus as it is handed to another daemon in this same operating system process.

use actix::{AsyncContext as _, Context, Handler, Message, MessageResult};
use protocol::events::EventType;
use serde::{Deserialize, Serialize};

use super::ticks::Ticks;
use super::{Bus, BusHandle, Stranded, count};
use crate::upgrade::{Continue, Ping};

/// Everything about the bus but who has subscribed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BusSnapshot {
    /// The number of the next event.
    pub next_serial: u64,
    /// The slices of the ticks raised last, while anybody wants ticks.
    ticks: Option<[i64; 3]>,
    /// How many events of each type there were.
    counts: Vec<(String, u64)>,
    /// Events that were on their way into files when the daemon died.
    #[serde(default)]
    stranded: Vec<Stranded>,
}

/// Hands out what was stranded.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
struct DeliverLate(Vec<Stranded>);

/// Tells which ticks came last, if anybody wants ticks.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Option<[i64; 3]>")]
struct TakeTicks {
    /// Raise none from now on, until [`Continue`].
    hold: bool,
}

/// Goes on with the ticks of another daemon.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
struct GoOnTicking([i64; 3]);

impl BusSnapshot {
    /// A bus whose next event gets this number or a greater one, and that has these to hand out.
    pub fn after_death(next_serial: u64, stranded: Vec<Stranded>) -> Self {
        Self {
            next_serial,
            ticks: None,
            counts: Vec::new(),
            stranded,
        }
    }
}

impl BusHandle {
    /// What there is to know. With `hold` no ticks are raised until [`carry_on`](Self::carry_on).
    pub async fn snapshot(&self, hold: bool) -> BusSnapshot {
        // The bus is there as long as a handle is.
        let ticks = self.addr.send(TakeTicks { hold }).await;
        let ticks = ticks.unwrap_or_default();
        BusSnapshot {
            next_serial: self.next_serial.get(),
            ticks,
            counts: self
                .counts()
                .filter(|(_, count)| *count > 0)
                .map(|(event_type, count)| (event_type.name().to_owned(), count))
                .collect(),
            // Who takes a snapshot has waited until everything has arrived.
            stranded: Vec::new(),
        }
    }

    /// Waits until the bus has delivered what it was given so far.
    pub async fn settle(&self) {
        let _ = self.addr.send(Ping).await;
    }

    /// Raises ticks again.
    pub fn carry_on(&self) {
        self.addr.do_send(Continue);
    }

    /// Goes on where another daemon has stopped; to be called when those who want ticks have
    /// subscribed.
    pub fn resume(&self, snapshot: &BusSnapshot) {
        self.number_from(snapshot.next_serial);
        for (name, count) in &snapshot.counts {
            if let Some(event_type) = EventType::from_name(name) {
                self.counts[event_type as usize].set(*count);
            }
        }
        if !snapshot.stranded.is_empty() {
            self.under_way.number_after(&snapshot.stranded);
            self.addr.do_send(DeliverLate(snapshot.stranded.clone()));
        }
        if let Some(ticks) = snapshot.ticks {
            self.addr.do_send(GoOnTicking(ticks));
        }
    }
}

impl Bus {
    /// Raises ticks that have become due, and sleeps until the next one.
    fn catch_up(&mut self, ctx: &mut Context<Self>) {
        for event in self.ticks.due() {
            count(&self.counts, event.event_type());
            self.deliver(&event, None);
        }
        self.schedule_tick(ctx);
    }
}

impl Handler<DeliverLate> for Bus {
    type Result = ();

    fn handle(&mut self, DeliverLate(stranded): DeliverLate, _: &mut Context<Self>) {
        for event in stranded {
            self.deliver_late(event);
        }
    }
}

impl Handler<TakeTicks> for Bus {
    type Result = MessageResult<TakeTicks>;

    fn handle(&mut self, request: TakeTicks, ctx: &mut Context<Self>) -> Self::Result {
        let ticks = self.tick_timer.is_some().then_some(self.ticks.0);
        self.ticks_held = request.hold;
        if let Some(timer) = self.tick_timer.filter(|_| request.hold) {
            ctx.cancel_future(timer);
        }
        MessageResult(ticks)
    }
}

impl Handler<GoOnTicking> for Bus {
    type Result = ();

    fn handle(&mut self, GoOnTicking(slices): GoOnTicking, ctx: &mut Context<Self>) {
        if self.tick_timer.is_some() {
            self.ticks = Ticks(slices);
            self.catch_up(ctx);
        }
    }
}

impl Handler<Continue> for Bus {
    type Result = ();

    fn handle(&mut self, _: Continue, ctx: &mut Context<Self>) {
        self.ticks_held = false;
        if self.tick_timer.is_some() {
            self.catch_up(ctx);
        }
    }
}

impl Handler<Ping> for Bus {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Context<Self>) {}
}
