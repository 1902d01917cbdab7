//! The bus: takes every event, numbers those that a pool wants, hands them to the pools, and shows them to observers.

mod abandoned;
mod observers;
pub mod snapshot;
mod ticks;
mod under_way;

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use actix::{Actor, Addr, Context, Handler, Message, Recipient, SpawnHandle};
use protocol::events::{Event, EventSet, EventType};

pub use abandoned::Abandoned;
pub use observers::Observer;
use observers::Observers;
use ticks::Ticks;
use under_way::UnderWay;
pub use under_way::{Stranded, Ticket};

use crate::keeper::Keeper;

/// How many events of each type there were.
type Counts = [Cell<u64>; EventType::COUNT];

/// An event as pools get it.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Number among all events that a pool has accepted, from 0.
    pub serial: u64,
    /// Its type.
    pub event_type: EventType,
    /// Its payload.
    pub payload: String,
    /// When it was raised: Unix time in milliseconds, for people.
    pub raised: i64,
}

/// Hands an event to a pool that has subscribed to it. A durable pool says when it has it, if there is a ticket.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Deliver(pub Arc<Envelope>, pub Ticket);

/// Raises events and subscribes pools; clones share the bus.
#[derive(Debug, Clone)]
pub struct BusHandle {
    addr: Addr<Bus>,
    wanted: Rc<Cell<EventSet>>,
    next_serial: Rc<Cell<u64>>,
    observers: Observers,
    counts: Rc<Counts>,
    under_way: UnderWay,
}

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Observation {
    bus: BusHandle,
    id: u64,
}

impl BusHandle {
    /// Starts a bus whose numbers go on from `next_serial`, a number shared with its successors.
    pub fn start(next_serial: Rc<Cell<u64>>) -> Self {
        Self::start_with(next_serial, Keeper::default())
    }

    /// The same; the keeper is told how far the numbers have gone.
    pub fn start_with(next_serial: Rc<Cell<u64>>, keeper: Keeper) -> Self {
        let wanted = Rc::new(Cell::new(EventSet::default()));
        let observers = Observers::default();
        let counts = Rc::new([const { Cell::new(0) }; EventType::COUNT]);
        let under_way = UnderWay::new(keeper.clone());
        let bus = Bus {
            subscribers: Vec::new(),
            observers: observers.clone(),
            counts: Rc::clone(&counts),
            wanted: Rc::clone(&wanted),
            next_serial: Rc::clone(&next_serial),
            keeper,
            under_way: under_way.clone(),
            ticks: Ticks::default(),
            tick_timer: None,
            ticks_held: false,
        };
        Self {
            addr: bus.start(),
            wanted,
            next_serial,
            observers,
            counts,
            under_way,
        }
    }

    /// Gives later events this number or a greater one: a pool has older events up to there.
    pub fn number_from(&self, serial: u64) {
        self.next_serial.set(self.next_serial.get().max(serial));
    }

    /// Whether anybody has subscribed to this type or watches it: ask before composing an expensive event.
    pub fn wants(&self, event_type: EventType) -> bool {
        self.wanted.get().wants(event_type)
    }

    /// Raises an event. Never waits; an event that nobody wants is counted and dropped here.
    pub fn notify(&self, event: Event) {
        self.raise(event.event_type(), || event);
    }

    /// Raises an event that is composed only if somebody wants its type. Never waits.
    pub fn raise(&self, event_type: EventType, compose: impl FnOnce() -> Event) {
        count(&self.counts, event_type);
        if self.wants(event_type) {
            let event = compose();
            let ticket = self.under_way.depart(&event);
            self.addr.do_send(Notify(event, ticket));
        }
    }

    /// How many events of each concrete type were raised. Output, messages and ticks are not raised while nobody wants
    /// them.
    pub fn counts(&self) -> impl Iterator<Item = (EventType, u64)> {
        let is_concrete = |event_type: &EventType| {
            !EventType::all().any(|child| child.parent() == Some(*event_type))
        };
        EventType::all()
            .filter(is_concrete)
            .map(|event_type| (event_type, self.counts[event_type as usize].get()))
    }

    /// Shows every later event of these types to `observer`, as long as the answer is kept.
    pub fn observe(&self, events: EventSet, observer: Weak<dyn Observer>) -> Observation {
        self.wanted.set(self.wanted.get().union(events));
        let id = self.observers.add(events, observer);
        self.addr.do_send(Reconsider);
        Observation {
            bus: self.clone(),
            id,
        }
    }

    /// Delivers every later event of these types to `pool`, which may have files for them.
    pub fn subscribe(
        &self,
        name: &str,
        events: EventSet,
        pool: Recipient<Deliver>,
        is_durable: bool,
    ) {
        // At once, so that an event raised right after this call is not dropped by `notify`.
        self.wanted.set(self.wanted.get().union(events));
        if is_durable {
            let wanted = self.under_way.wanted();
            self.under_way.set_wanted(wanted.union(events));
        }
        self.addr.do_send(Subscribe(Subscriber {
            name: name.to_owned(),
            events,
            pool,
            is_durable,
        }));
    }

    /// A durable pool has an event.
    pub fn arrived(&self, ticket: Ticket) {
        self.under_way.arrived(ticket);
    }

    /// Ends the subscription of the pool of this name.
    pub fn unsubscribe(&self, name: &str) {
        self.addr.do_send(Unsubscribe(name.to_owned()));
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.bus.observers.remove(self.id);
        self.bus.addr.do_send(Reconsider);
    }
}

fn count(counts: &Counts, event_type: EventType) {
    let count = &counts[event_type as usize];
    count.set(count.get() + 1);
}

/// The bus actor.
struct Bus {
    /// In the order of subscription, which is the order of group priority.
    subscribers: Vec<Subscriber>,
    observers: Observers,
    counts: Rc<Counts>,
    /// What anybody wants, shared with the handles.
    wanted: Rc<Cell<EventSet>>,
    next_serial: Rc<Cell<u64>>,
    keeper: Keeper,
    under_way: UnderWay,
    ticks: Ticks,
    tick_timer: Option<SpawnHandle>,
    /// None are to be raised at the moment.
    ticks_held: bool,
}

struct Subscriber {
    name: String,
    events: EventSet,
    pool: Recipient<Deliver>,
    is_durable: bool,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Notify(Event, Ticket);

#[derive(Message)]
#[rtype(result = "()")]
struct Subscribe(Subscriber);

#[derive(Message)]
#[rtype(result = "()")]
struct Unsubscribe(String);

/// What somebody watches has changed.
#[derive(Message)]
#[rtype(result = "()")]
struct Reconsider;

impl Actor for Bus {
    type Context = Context<Self>;
}

impl Bus {
    fn deliver(&self, event: &Event, ticket: Ticket) {
        self.observers.show(event, unix_millis);
        self.hand_out(event.event_type(), || event.payload(), ticket, |_| true);
    }

    /// Gives durable pools what they did not get before the daemon died.
    fn deliver_late(&self, stranded: Stranded) {
        let Stranded {
            number,
            event_type,
            payload,
        } = stranded;
        match EventType::from_name(&event_type) {
            Some(event_type) => {
                let is_durable = |subscriber: &Subscriber| subscriber.is_durable;
                self.hand_out(event_type, || payload, Some(number), is_durable);
            }
            None => self.under_way.expect(Some(number), 0),
        }
    }

    fn hand_out(
        &self,
        event_type: EventType,
        payload: impl FnOnce() -> String,
        ticket: Ticket,
        may_have: impl Fn(&Subscriber) -> bool,
    ) {
        let takes = |it: &&Subscriber| it.events.wants(event_type) && may_have(it);
        let mut takers = self.subscribers.iter().filter(takes).peekable();
        let durable = takers.clone().filter(|taker| taker.is_durable);
        self.under_way.expect(ticket, durable.count());
        if takers.peek().is_none() {
            return;
        }
        let serial = take_number(&self.next_serial);
        self.keeper.note_serial(serial);
        let envelope = Arc::new(Envelope {
            serial,
            event_type,
            payload: payload(),
            raised: unix_millis(),
        });
        for taker in takers {
            taker.pool.do_send(Deliver(Arc::clone(&envelope), ticket));
        }
    }

    fn subscriptions_changed(&mut self, ctx: &mut Context<Self>) {
        let wanted = self
            .subscribers
            .iter()
            .map(|subscriber| subscriber.events)
            .fold(self.observers.wanted(), EventSet::union);
        self.wanted.set(wanted);
        let durable = self.subscribers.iter().filter(|it| it.is_durable);
        let durable = durable.map(|subscriber| subscriber.events);
        let durable = durable.fold(EventSet::default(), EventSet::union);
        self.under_way.set_wanted(durable);
        self.schedule_tick(ctx);
    }

    /// Sleeps until the next tick that somebody wants; an idle daemon does not wake up for others.
    fn schedule_tick(&mut self, ctx: &mut Context<Self>) {
        use actix::AsyncContext as _;
        if self.ticks_held {
            return;
        }
        match self.tick_timer.take() {
            Some(timer) => {
                ctx.cancel_future(timer);
            }
            // Nobody has wanted ticks until now: what has gone by meanwhile is nobody's.
            None => self.ticks = Ticks::default(),
        }
        self.tick_timer = self.ticks.next(self.wanted.get()).map(|wait| {
            ctx.run_later(wait, |bus, ctx| {
                // It was cancelled in the turn in which it is due.
                if bus.ticks_held {
                    return;
                }
                for event in bus.ticks.due() {
                    count(&bus.counts, event.event_type());
                    bus.deliver(&event, None);
                }
                bus.schedule_tick(ctx);
            })
        });
    }
}

/// Unix time in milliseconds.
pub fn unix_millis() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

/// The next number; after 2^63-1 comes 0, as in Supervisor 4.3.0.
pub fn take_number(next: &Cell<u64>) -> u64 {
    let number = next.get();
    next.set(match number {
        0x7fff_ffff_ffff_ffff => 0,
        _ => number + 1,
    });
    number
}

impl Handler<Notify> for Bus {
    type Result = ();

    fn handle(&mut self, Notify(event, ticket): Notify, _: &mut Context<Self>) {
        self.deliver(&event, ticket);
    }
}

impl Handler<Subscribe> for Bus {
    type Result = ();

    fn handle(&mut self, Subscribe(subscriber): Subscribe, ctx: &mut Context<Self>) {
        self.subscribers.push(subscriber);
        self.subscriptions_changed(ctx);
    }
}

impl Handler<Unsubscribe> for Bus {
    type Result = ();

    fn handle(&mut self, Unsubscribe(name): Unsubscribe, ctx: &mut Context<Self>) {
        self.subscribers
            .retain(|subscriber| subscriber.name != name);
        self.subscriptions_changed(ctx);
    }
}

impl Handler<Reconsider> for Bus {
    type Result = ();

    fn handle(&mut self, _: Reconsider, ctx: &mut Context<Self>) {
        self.subscriptions_changed(ctx);
    }
}
