//! Delivering, again if need be.

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use listener_kit::{Outcome, log};

use crate::delivery::{Deliver, Failure};
use crate::letters::Letters;
use crate::notice::Notice;
use crate::options::Options;
use crate::queue::Queue;

/// The longest wait between two attempts, unless the server asks for a longer one.
const LONGEST: Duration = Duration::from_secs(60);

/// How long to wait after each failure.
#[derive(Debug, Clone, Copy)]
struct Pauses {
    next: Duration,
}

impl Pauses {
    /// The next pause; the one after it is twice as long.
    fn next(&mut self, asked: Option<Duration>) -> Duration {
        let pause = self.next.min(LONGEST);
        self.next = pause * 2;
        asked.unwrap_or_default().max(pause)
    }
}

/// Empties the queue.
#[derive(Debug)]
pub(crate) struct Worker<D> {
    deliver: D,
    letters: Letters,
    batch: usize,
    interval: Duration,
    retries: u32,
    wait: Duration,
}

impl<D: Deliver> Worker<D> {
    /// A worker as the options want it.
    pub(crate) fn new(options: &Options, deliver: D) -> Self {
        Self {
            deliver,
            letters: options.letters(),
            batch: options.batch,
            interval: options.interval,
            retries: options.retries,
            wait: options.wait,
        }
    }

    /// Delivers until the queue is closed and empty. Once it is closed, each event gets one attempt more.
    pub(crate) fn run(&mut self, queue: &Queue) {
        while let Some(batch) = queue.take(self.batch, self.interval) {
            if let Err(failure) = self.insist(&batch, queue) {
                self.letters.keep(&batch, &failure.to_string());
            }
        }
        queue.finish();
    }

    fn insist(&mut self, batch: &[Notice], queue: &Queue) -> Result<(), Failure> {
        let mut pauses = Pauses { next: self.wait };
        let mut retries = self.retries;
        loop {
            let failure = match self.deliver.deliver(batch) {
                Err(Failure::Passing { reason, after }) if retries > 0 => {
                    let pause = pauses.next(after);
                    say_failed(batch.len(), &reason, pause);
                    if queue.pause(pause) {
                        retries -= 1;
                        continue;
                    }
                    Failure::Lasting(reason)
                }
                Err(failure) => failure,
                Ok(()) => return Ok(()),
            };
            return Err(failure);
        }
    }
}

/// Delivers each event before it is answered.
#[derive(Debug)]
pub(crate) struct Sync<D> {
    deliver: D,
    letters: Letters,
    wait: Duration,
    pauses: Pauses,
    sleep: fn(Duration),
}

impl<D: Deliver> Sync<D> {
    /// As the options want it.
    pub(crate) fn new(options: &Options, deliver: D) -> Self {
        Self {
            deliver,
            letters: options.letters(),
            wait: options.wait,
            pauses: Pauses { next: options.wait },
            sleep: thread::sleep,
        }
    }

    /// Tries to deliver an event. One that failed is sent again by supervisord, which does so at once; the pause is here. One
    /// that was refused for good is done with if it could be kept as a dead letter.
    pub(crate) fn deliver(&mut self, notice: Notice) -> Outcome {
        let batch = [notice];
        let (reason, after) = match self.deliver.deliver(&batch) {
            Ok(()) => {
                self.pauses.next = self.wait;
                return Outcome::Done;
            }
            Err(Failure::Lasting(reason)) if self.letters.try_keep(&batch, &reason).is_ok() => {
                return Outcome::Done;
            }
            Err(Failure::Lasting(reason)) => (reason, None),
            Err(Failure::Passing { reason, after }) => (reason, after),
        };
        let pause = self.pauses.next(after);
        say_failed(1, &reason, pause);
        (self.sleep)(pause);
        Outcome::Again
    }
}

fn say_failed(count: usize, reason: &str, pause: Duration) {
    let seconds = pause.as_secs_f32();
    // A log that cannot be written cannot be complained about either.
    let _ = writeln!(
        log(),
        "cannot deliver {count} events, trying again in {seconds} s: {reason}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letters::{Letter, lines};
    use crate::notice::tests::notice;
    use std::time::Instant;

    /// Fails the first so many times with status 500, or for good; closes the queue at the last request that is expected.
    struct Script<'a> {
        queue: &'a Queue,
        failures: usize,
        for_good: bool,
        requests: usize,
        sizes: Vec<usize>,
    }

    impl Deliver for Script<'_> {
        fn deliver(&mut self, notices: &[Notice]) -> Result<(), Failure> {
            self.sizes.push(notices.len());
            if self.sizes.len() == self.requests {
                self.queue.close(Instant::now() + Duration::from_secs(30));
            }
            if self.sizes.len() > self.failures {
                return Ok(());
            }
            Err(match self.for_good {
                true => Failure::Lasting("status 400".into()),
                false => passing(),
            })
        }
    }

    fn passing() -> Failure {
        Failure::Passing {
            reason: "status 500".into(),
            after: None,
        }
    }

    fn options(words: &str) -> Options {
        let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words).expect("options")
    }

    /// Runs five events through a worker with these options; returns the sizes of its requests and its letters.
    fn run(
        words: &str,
        failures: usize,
        for_good: bool,
        requests: usize,
    ) -> (Vec<usize>, Vec<String>) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("dead");
        let options = options(&format!("-d {} {words} http://h", path.display()));
        let queue = Queue::new(10);
        for _ in 0..5 {
            queue.push(notice("TICK_5", "when:5"));
        }
        let script = Script {
            queue: &queue,
            failures,
            for_good,
            requests,
            sizes: Vec::new(),
        };
        let mut worker = Worker::new(&options, script);
        worker.run(&queue);
        let letters = lines(&path).unwrap_or_default();
        let letter = |line: &String| -> Letter { serde_json::from_str(line).expect("a letter") };
        let letters = letters.iter().map(letter);
        let errors = letters.map(|letter| format!("{} {}", letter.events.len(), letter.error));
        assert_eq!(queue.wait(), []);
        (worker.deliver.sizes, errors.collect())
    }

    #[test]
    fn events_come_in_batches() {
        assert_eq!(run("-b 2 -i 0", 0, false, 3), (vec![2, 2, 1], vec![]));
    }

    #[test]
    fn what_fails_is_tried_again() {
        assert_eq!(run("-b 5 -w 0", 2, false, 3), (vec![5, 5, 5], vec![]));
    }

    #[test]
    fn what_fails_too_often_becomes_a_letter() {
        let letters = vec!["3 status 500".to_owned()];
        assert_eq!(
            run("-b 3 -i 0 -w 0 -r 1", 2, false, 3),
            (vec![3, 3, 2], letters)
        );
    }

    #[test]
    fn what_is_refused_becomes_a_letter_at_once() {
        let letters = vec!["3 status 400".to_owned()];
        assert_eq!(run("-b 3 -i 0", 1, true, 2), (vec![3, 2], letters));
    }

    #[test]
    fn at_the_end_everything_gets_one_attempt() {
        let letters = vec!["3 status 500".to_owned(), "2 status 500".to_owned()];
        assert_eq!(run("-b 3 -w 1000", 9, false, 1), (vec![3, 2], letters));
    }

    #[test]
    fn answers_wait_for_deliveries() {
        let queue = Queue::new(1);
        let script = |failures, for_good| Script {
            queue: &queue,
            failures,
            for_good,
            requests: 0,
            sizes: Vec::new(),
        };
        let mut sync = Sync::new(&options("-S http://h"), script(2, false));
        sync.sleep = |_| {};
        let outcomes = [(); 3].map(|()| sync.deliver(notice("TICK_5", "when:5")));
        assert_eq!(outcomes, [Outcome::Again, Outcome::Again, Outcome::Done]);
        assert_eq!(sync.pauses.next, Duration::from_secs(1));

        let mut sync = Sync::new(&options("-S http://h"), script(1, true));
        sync.sleep = |_| {};
        assert_eq!(sync.deliver(notice("TICK_5", "when:5")), Outcome::Again);
        let dir = tempfile::tempdir().expect("a directory");
        let line = format!("-S -d {} http://h", dir.path().join("dead").display());
        let mut sync = Sync::new(&options(&line), script(1, true));
        assert_eq!(sync.deliver(notice("TICK_5", "when:5")), Outcome::Done);
    }

    #[test]
    fn pauses_grow_up_to_a_minute() {
        let mut pauses = Pauses {
            next: Duration::from_secs(20),
        };
        let asked = Some(Duration::from_secs(100));
        let seen = [None, None, asked, None].map(|asked| pauses.next(asked).as_secs());
        assert_eq!(seen, [20, 40, 100, 60]);
    }
}
