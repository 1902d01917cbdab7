//! Events that wait for delivery.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::notice::Notice;

/// How much the waiting events may take, in bytes, before the next has to wait outside.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A bounded queue that hands out batches, and what is left when time is up.
#[derive(Debug)]
pub(crate) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Instant, Notice)>,
    bytes: usize,
    /// What is being delivered.
    current: Arc<[Notice]>,
    /// Who sends events is gone, and takes none back.
    abandoned: bool,
    /// Nothing more is accepted; when waiting for deliveries ends.
    closed: Option<Instant>,
    /// Everything was handed out and dealt with.
    finished: bool,
}

impl State {
    fn is_full(&self, capacity: usize) -> bool {
        self.waiting.len() >= capacity || self.bytes >= MAX_BYTES
    }

    fn take(&mut self, count: usize) -> Vec<Notice> {
        let count = count.min(self.waiting.len());
        let batch: Vec<_> = self
            .waiting
            .drain(..count)
            .map(|(_, notice)| notice)
            .collect();
        self.bytes -= batch.iter().map(Notice::size).sum::<usize>();
        batch
    }
}

impl Queue {
    /// A queue for so many events.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Adds an event, once there is room. Returns whether it was taken: not so after the queue was closed. Of an abandoned queue
    /// it is the last one, and needs no room.
    pub(crate) fn push(&self, notice: Notice) -> bool {
        let mut state = self.lock();
        while state.is_full(self.capacity) && state.closed.is_none() && !state.abandoned {
            state = self.wait_for_change(state, None);
        }
        if state.closed.is_some() {
            return false;
        }
        state.bytes += notice.size();
        state.waiting.push_back((Instant::now(), notice));
        self.changed.notify_all();
        true
    }

    /// Notes that nobody sends events any more, nor would send one again.
    pub(crate) fn abandon(&self) {
        self.lock().abandoned = true;
        self.changed.notify_all();
    }

    /// The next events, up to `count`; fewer when the first has waited for `interval` or the queue is closed. `None`: it is
    /// closed and empty.
    pub(crate) fn take(&self, count: usize, interval: Duration) -> Option<Arc<[Notice]>> {
        let mut state = self.lock();
        state.current = Arc::default();
        loop {
            let closed = state.closed.is_some();
            let due = match state.waiting.front() {
                None if closed => return None,
                None => None,
                Some(_) if closed || state.waiting.len() >= count => break,
                Some((since, _)) => Some(*since + interval),
            };
            if due.is_some_and(|due| due <= Instant::now()) {
                break;
            }
            state = self.wait_for_change(state, due);
        }
        let batch: Arc<[Notice]> = state.take(count).into();
        state.current = Arc::clone(&batch);
        self.changed.notify_all();
        Some(batch)
    }

    /// Waits before another attempt; `false`: the queue was closed, there is no time for one.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut state = self.lock();
        while state.closed.is_none() {
            if Instant::now() >= end {
                return true;
            }
            state = self.wait_for_change(state, Some(end));
        }
        false
    }

    /// Ends it: what waits is to be delivered until `deadline`. The first deadline counts.
    pub(crate) fn close(&self, deadline: Instant) {
        self.lock().closed.get_or_insert(deadline);
        self.changed.notify_all();
    }

    /// Notes that everything was dealt with.
    pub(crate) fn finish(&self) {
        let mut state = self.lock();
        state.finished = true;
        state.current = Arc::default();
        self.changed.notify_all();
    }

    /// Waits until everything was dealt with after the queue was closed, or its deadline is over. Returns what is left.
    pub(crate) fn wait(&self) -> Vec<Notice> {
        let mut state = self.lock();
        while !state.finished {
            let deadline = state.closed;
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                break;
            }
            state = self.wait_for_change(state, deadline);
        }
        let mut left = state.current.to_vec();
        let rest = state.waiting.len();
        left.extend(state.take(rest));
        left
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_change<'a>(
        &self,
        state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        let Some(until) = until else {
            return self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        let time = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout(state, time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;
    use std::thread;

    const LONG: Duration = Duration::from_secs(1000);

    fn numbered(number: usize) -> Notice {
        notice("TICK_5", &format!("when:{number}"))
    }

    fn numbers(notices: &[Notice]) -> Vec<String> {
        notices.iter().map(|notice| notice.field("when")).collect()
    }

    #[test]
    fn a_full_batch_does_not_wait() {
        let queue = Queue::new(10);
        for number in 0..5 {
            queue.push(numbered(number));
        }
        let batch = queue.take(3, LONG).expect("it is open");
        assert_eq!(numbers(&batch), ["0", "1", "2"]);
        let batch = queue.take(3, Duration::ZERO).expect("it is open");
        assert_eq!(numbers(&batch), ["3", "4"]);
    }

    #[test]
    fn a_full_queue_holds_up_who_fills_it() {
        let queue = Queue::new(1);
        queue.push(numbered(0));
        thread::scope(|scope| {
            scope.spawn(|| queue.push(numbered(1)));
            for number in ["0", "1"] {
                let batch = queue.take(1, LONG).expect("it is open");
                assert_eq!(numbers(&batch), [number]);
            }
        });
    }

    #[test]
    fn the_last_event_needs_no_room() {
        let queue = Queue::new(1);
        queue.push(numbered(0));
        thread::scope(|scope| {
            let pushing = scope.spawn(|| queue.push(numbered(1)));
            queue.abandon();
            assert!(pushing.join().expect("no panic"));
        });
        queue.close(Instant::now());
        assert_eq!(numbers(&queue.wait()), ["0", "1"]);
    }

    #[test]
    fn what_is_big_fills_it_sooner() {
        let mut state = State::default();
        assert!(!state.is_full(1));
        state.bytes = MAX_BYTES;
        assert!(state.is_full(1000));
    }

    #[test]
    fn what_is_left_at_the_end_is_not_lost() {
        let queue = Queue::new(10);
        for number in 0..4 {
            queue.push(numbered(number));
        }
        let _batch = queue.take(2, LONG);
        queue.close(Instant::now());
        assert!(!queue.pause(LONG));
        assert_eq!(numbers(&queue.wait()), ["0", "1", "2", "3"]);
    }

    #[test]
    fn a_closed_queue_is_emptied() {
        let queue = Queue::new(10);
        queue.push(numbered(0));
        queue.close(Instant::now() + LONG);
        assert!(queue.take(3, LONG).is_some());
        assert!(queue.take(3, LONG).is_none());
        queue.finish();
        assert_eq!(queue.wait(), []);
        assert!(!queue.push(numbered(1)));
    }
}
