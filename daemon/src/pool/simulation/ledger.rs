//! What listeners got, and what became of it.

use protocol::listener::{EventHeader, payload_len};

/// What is known of the events and listeners of a run. What is wrong is written down: whoever notices it may be an actor,
/// whose panics nobody sees.
pub(super) struct Ledger {
    events: Vec<Event>,
    is_single: bool,
    /// The newest event that a listener has got.
    newest: Option<u64>,
    complaints: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Event {
    poolserial: Option<u64>,
    /// A listener has got it.
    seen: bool,
    /// Who is working on it.
    holder: Option<usize>,
    /// How often a listener was done with it.
    handled: u32,
}

impl Ledger {
    pub(super) fn new(members: usize) -> Self {
        Self {
            events: Vec::new(),
            is_single: members == 1,
            newest: None,
            complaints: Vec::new(),
        }
    }

    /// The serial of a new event.
    pub(super) fn raise(&mut self) -> u64 {
        self.events.push(Event::default());
        self.events.len() as u64 - 1
    }

    pub(super) fn complain(&mut self, what: String) {
        self.complaints.push(what);
    }

    /// A listener has got these bytes; the serial of what is in them.
    pub(super) fn fed(&mut self, member: usize, bytes: &[u8]) -> Option<u64> {
        let serial = self.understand(member, bytes);
        serial.map_err(|complaint| self.complain(complaint)).ok()
    }

    fn understand(&mut self, member: usize, bytes: &[u8]) -> Result<u64, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let (line, payload) = text.split_once('\n').ok_or("no header")?;
        let header = EventHeader::parse(line).map_err(|error| error.to_string())?;
        let serial = header.serial;
        if (header.len, header.pool, header.server) != (payload_len(payload), "team", "me") {
            return Err(format!("wrong header: {line}"));
        }
        if payload.split(' ').next() != Some(&serial.to_string()) {
            return Err(format!("{serial} with the payload {payload}"));
        }
        let event = self
            .events
            .get_mut(serial as usize)
            .ok_or("a strange event")?;
        if *event.poolserial.get_or_insert(header.poolserial) != header.poolserial {
            return Err(format!("{serial} is renumbered"));
        }
        if let Some(holder) = event.holder.replace(member) {
            return Err(format!("{serial} is with {holder} and {member}"));
        }
        let is_first = !std::mem::replace(&mut event.seen, true);
        let is_late = self.newest.is_some_and(|newest| newest > serial);
        // Several listeners may look at their mail in any order.
        if self.is_single && is_first && is_late {
            return Err(format!("{serial} comes after {:?}", self.newest));
        }
        self.newest = self.newest.max(Some(serial));
        Ok(serial)
    }

    /// The listener is done with the event.
    pub(super) fn handled(&mut self, serial: u64) {
        self.released(serial);
        self.events[serial as usize].handled += 1;
    }

    /// The event is nobody's any more.
    pub(super) fn released(&mut self, serial: u64) {
        self.events[serial as usize].holder = None;
    }

    /// All listeners have gone.
    pub(super) fn forget_holders(&mut self) {
        self.events.iter_mut().for_each(|event| event.holder = None);
    }

    pub(super) fn judge(&self) {
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
    }

    /// All events have been handled or thrown away; each handled once, unless the daemon has crashed.
    pub(super) fn balance(&self, discarded: u64, crashed: bool) {
        let handled = self.events.iter().filter(|event| event.handled > 0);
        assert_eq!(handled.count() as u64 + discarded, self.events.len() as u64);
        let often = |(_, event): &(usize, &Event)| event.handled > 1 && !crashed;
        let often = self.events.iter().enumerate().find(often);
        assert!(often.is_none(), "handled more than once: {often:?}");
    }
}
