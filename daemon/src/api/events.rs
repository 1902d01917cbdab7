//! Events as they happen, for everybody who looks.
//!
//! One observer of the bus serves all streams: an event becomes text once, whoever wants it. A stream that is not read
//! keeps so much and is then cut off; nobody waits for it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::rc::{Rc, Weak};

use bytes::{Bytes, BytesMut};
use protocol::events::{Event, EventSet, EventType, StateDetail};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::schema::{Asked, object, to_json};
use super::source::{BEGINNING, HEARTBEAT, SIGN_OF_LIFE, write_event};
use crate::bus::{BusHandle, Observation, Observer};
use crate::upgrade::Blob;

/// The most a stream keeps for a client that does not read, in bytes.
const PATIENCE: usize = 2 * 1024 * 1024;

/// What an event costs besides its text.
const OVERHEAD: usize = 64;

/// About how much goes out at once.
const PIECE: usize = 64 * 1024;

object! {
    /// An event.
    pub(super) struct EventBody<'a> {
        /// Its type.
        eventname: &'static str,
        /// When it was raised, in Unix time.
        time: f64,
        /// What its first line says.
        fields: Fields<'a>,
        /// What follows the first line.
        data: &'a str,
    }
}

object! {
    /// What the first line of an event says.
    pub(super) struct Fields<'a> {
        /// Name of the process.
        processname: Asked<&'a str>,
        /// Name of the group.
        groupname: Asked<&'a str>,
        /// The state it was in before.
        from_state: Asked<&'static str>,
        /// Failed starts so far.
        tries: Asked<u32>,
        /// Whether `exitcodes` lists the exit status.
        expected: Asked<bool>,
        /// The process id.
        pid: Asked<i32>,
        /// Where it wrote.
        channel: Asked<&'static str>,
        /// The type that was given to sendRemoteCommEvent.
        r#type: Asked<&'a str>,
        /// Start of the period, in Unix time.
        when: Asked<i64>,
    }
}

/// Hands events to streams.
#[derive(Debug)]
pub(super) struct Hub {
    bus: BusHandle,
    clients: RefCell<Vec<Client>>,
    observation: RefCell<Option<Observation>>,
    next: Cell<u64>,
    cut_off: Cell<u64>,
}

#[derive(Debug)]
struct Client {
    id: u64,
    events: EventSet,
    queue: Rc<Queue>,
}

/// What a client has not been sent yet.
#[derive(Debug, Default)]
struct Queue {
    frames: RefCell<VecDeque<Bytes>>,
    weight: Cell<usize>,
    arrived: Notify,
    overrun: Notify,
    is_over: Cell<bool>,
}

/// A client's end.
pub(crate) struct EventStream {
    id: u64,
    events: EventSet,
    queue: Rc<Queue>,
    hub: Rc<Hub>,
}

/// A stream for another program in this same process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EventsSnapshot {
    /// Names of the types of events it is for.
    types: Vec<String>,
    /// What has not been sent.
    queued: Blob,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event stream {}", self.id)
    }
}

impl Hub {
    pub(super) const fn new(bus: BusHandle) -> Self {
        Self {
            bus,
            clients: RefCell::new(Vec::new()),
            observation: RefCell::new(None),
            next: Cell::new(0),
            cut_off: Cell::new(0),
        }
    }

    /// A stream of all events of these types from now on.
    pub(super) fn stream(self: &Rc<Self>, events: EventSet) -> EventStream {
        self.stream_after(BEGINNING, events)
    }

    /// The stream that another program has had. Events from now on follow what it has not sent.
    pub(super) fn resume(self: &Rc<Self>, snapshot: EventsSnapshot) -> EventStream {
        let types = snapshot.types.iter();
        let events = types.filter_map(|name| EventType::from_name(name));
        self.stream_after(snapshot.queued.0.into(), events.collect())
    }

    fn stream_after(self: &Rc<Self>, first: Bytes, events: EventSet) -> EventStream {
        let id = self.next.get();
        self.next.set(id + 1);
        let queue = Rc::new(Queue::default());
        if !first.is_empty() {
            queue.push(first);
        }
        self.clients.borrow_mut().push(Client {
            id,
            events,
            queue: Rc::clone(&queue),
        });
        self.watch();
        EventStream {
            id,
            events,
            queue,
            hub: Rc::clone(self),
        }
    }

    /// Streams at the moment.
    pub(super) fn clients(&self) -> usize {
        self.clients.borrow().len()
    }

    /// Streams that were cut off so far.
    pub(super) fn cut_off(&self) -> u64 {
        self.cut_off.get()
    }

    fn leave(self: &Rc<Self>, id: u64) {
        self.clients.borrow_mut().retain(|client| client.id != id);
        self.watch();
    }

    /// Watches what the clients want, and nothing if there are none.
    fn watch(self: &Rc<Self>) {
        let wanted = {
            let clients = self.clients.borrow();
            let events = clients.iter().map(|client| client.events);
            events.reduce(EventSet::union)
        };
        let observation = wanted.map(|events| {
            let observer: Weak<Self> = Rc::downgrade(self);
            self.bus.observe(events, observer)
        });
        self.observation.replace(observation);
    }
}

impl Observer for Hub {
    fn observe(&self, event: &Event, raised: i64) {
        let event_type = event.event_type();
        let mut frame: Option<Bytes> = None;
        for client in self.clients.borrow().iter() {
            if client.events.wants(event_type) {
                let frame = frame.get_or_insert_with(|| render(event, raised));
                if !client.queue.push(frame.clone()) {
                    self.cut_off.set(self.cut_off.get() + 1);
                }
            }
        }
    }
}

impl Queue {
    /// Keeps a frame; false if that is just now too much.
    fn push(&self, frame: Bytes) -> bool {
        if self.is_over.get() {
            return true;
        }
        let weight = self.weight.get() + frame.len() + OVERHEAD;
        let frames = &mut *self.frames.borrow_mut();
        if weight > PATIENCE {
            *frames = VecDeque::new();
            self.is_over.set(true);
            self.overrun.notify_one();
            return false;
        }
        self.weight.set(weight);
        frames.push_back(frame);
        self.arrived.notify_one();
        true
    }

    /// Some of what is there, as one piece.
    fn take(&self) -> Option<Bytes> {
        let frames = &mut *self.frames.borrow_mut();
        let first = frames.pop_front()?;
        let mut weight = self.weight.get().saturating_sub(first.len() + OVERHEAD);
        let mut piece = BytesMut::new();
        while let Some(next) = frames.front().filter(|_| piece.len() < PIECE) {
            if piece.is_empty() {
                piece.extend_from_slice(&first);
            }
            piece.extend_from_slice(next);
            weight = weight.saturating_sub(next.len() + OVERHEAD);
            frames.pop_front();
        }
        if frames.is_empty() {
            // A quiet stream needs no memory.
            *frames = VecDeque::new();
        }
        self.weight.set(weight);
        Some(match piece.is_empty() {
            true => first,
            false => piece.freeze(),
        })
    }
}

impl EventStream {
    /// For another program; `None` when it is cut off.
    pub(super) fn snapshot(&self) -> Option<EventsSnapshot> {
        let Queue {
            frames, is_over, ..
        } = &*self.queue;
        let types = EventType::all().filter(|event_type| self.events.wants(*event_type));
        (!is_over.get()).then(|| EventsSnapshot {
            types: types
                .map(|event_type| event_type.name().to_owned())
                .collect(),
            queued: Blob(frames.borrow().iter().flatten().copied().collect()),
        })
    }

    /// The next events, or a sign of life.
    pub(super) async fn next(&mut self) -> Bytes {
        loop {
            if let Some(piece) = self.queue.take() {
                return piece;
            }
            if timeout(HEARTBEAT, self.queue.arrived.notified())
                .await
                .is_err()
            {
                return SIGN_OF_LIFE;
            }
        }
    }

    pub(super) fn ready(&mut self) -> Option<Bytes> {
        self.queue.take()
    }

    pub(super) fn cut_off(&self) -> impl Future<Output = ()> + use<> {
        let queue = Rc::clone(&self.queue);
        async move { queue.overrun.notified().await }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.hub.leave(self.id);
    }
}

fn render(event: &Event, raised: i64) -> Bytes {
    let name = event.event_type().name();
    let (fields, data) = dissect(event);
    #[allow(
        clippy::cast_precision_loss,
        reason = "exact to the millisecond for ages"
    )]
    let body = EventBody {
        eventname: name,
        time: raised as f64 / 1000.0,
        fields,
        data,
    };
    let json = to_json(&body);
    let mut frame = Vec::with_capacity(json.len() + name.len() + 32);
    write_event(Some(name), &String::from_utf8_lossy(&json), &mut frame);
    frame.into()
}

/// What an event says, in its first line and behind it.
fn dissect(event: &Event) -> (Fields<'_>, &str) {
    let none = Fields {
        processname: Asked(None),
        groupname: Asked(None),
        from_state: Asked(None),
        tries: Asked(None),
        expected: Asked(None),
        pid: Asked(None),
        channel: Asked(None),
        r#type: Asked(None),
        when: Asked(None),
    };
    match event {
        Event::ProcessState {
            process,
            group,
            from,
            detail,
            to: _,
        } => {
            let mut fields = Fields {
                processname: Asked(Some(process)),
                groupname: Asked(Some(group)),
                from_state: Asked(Some(from.name())),
                ..none
            };
            match *detail {
                StateDetail::Tries(tries) => fields.tries = Asked(Some(tries)),
                StateDetail::Pid(pid) => fields.pid = Asked(Some(pid)),
                StateDetail::Exit { expected, pid } => {
                    fields.expected = Asked(Some(expected));
                    fields.pid = Asked(Some(pid));
                }
                StateDetail::Nothing => {}
            }
            (fields, "")
        }
        Event::ProcessLog {
            process,
            group,
            pid,
            channel,
            data,
        }
        | Event::ProcessCommunication {
            process,
            group,
            pid,
            channel,
            data,
        } => {
            let fields = Fields {
                processname: Asked(Some(process)),
                groupname: Asked(Some(group)),
                pid: Asked(Some(*pid)),
                channel: Asked(Some(channel.name())),
                ..none
            };
            (fields, data)
        }
        Event::RemoteCommunication { kind, data } => {
            let fields = Fields {
                r#type: Asked(Some(kind)),
                ..none
            };
            (fields, data)
        }
        Event::Tick { when, .. } => {
            let when = Asked(Some(*when));
            (Fields { when, ..none }, "")
        }
        Event::GroupAdded(group) | Event::GroupRemoved(group) => {
            let groupname = Asked(Some(group.as_str()));
            (Fields { groupname, ..none }, "")
        }
        Event::SupervisorRunning | Event::SupervisorStopping => (none, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::states::ProcessState;

    #[test]
    fn events_say_what_their_payloads_say() {
        let event = Event::ProcessState {
            process: "a\"b".to_owned(),
            group: "g".to_owned(),
            from: ProcessState::Running,
            to: ProcessState::Exited,
            detail: StateDetail::Exit {
                expected: false,
                pid: 7,
            },
        };
        assert_eq!(
            render(&event, 1_500),
            "event: PROCESS_STATE_EXITED\n\
             data: {\"eventname\":\"PROCESS_STATE_EXITED\",\"time\":1.5,\"fields\":{\"processname\":\"a\\\"b\",\
             \"groupname\":\"g\",\"from_state\":\"RUNNING\",\"expected\":false,\"pid\":7},\"data\":\"\"}\n\n"
        );
    }

    #[test]
    fn queues_give_out_what_they_were_given() {
        let queue = Queue::default();
        for text in ["a", "bc", "d"] {
            assert!(queue.push(Bytes::from_static(text.as_bytes())));
        }
        assert_eq!(queue.take(), Some("abcd".into()));
        assert_eq!((queue.take(), queue.weight.get()), (None, 0));
        assert!(queue.push("alone".into()));
        assert_eq!(queue.take(), Some("alone".into()));
    }

    #[test]
    fn queues_do_not_grow_without_end() {
        let queue = Queue::default();
        let frame = Bytes::from(vec![b'x'; PATIENCE / 4]);
        let kept: Vec<_> = (0..6).map(|_| queue.push(frame.clone())).collect();
        // It is told once that it was too much; from then on nothing is kept.
        assert_eq!(kept, [true, true, true, false, true, true]);
        assert_eq!(queue.take(), None);
    }
}
