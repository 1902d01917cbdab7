//! Several calls at once, each over a connection of its own.

use std::cell::RefCell;

use client::{CallError, Client, ProcessInfo};
use futures_util::stream::{self, StreamExt as _};
use protocol::xmlrpc::Value;
use tokio::time::{Instant, sleep_until};

use crate::failure::Failure;
use crate::waiting::{Call, Moment, Observer, TICK};

/// Calls made at the same time. Each costs the server a connection.
const AT_ONCE: usize = 32;

/// Makes the calls and tells `observer` what comes of them.
pub(super) async fn make(
    client: &mut Client,
    calls: &[Call<'_>],
    observer: &mut dyn Observer,
) -> Result<(), Failure> {
    let mut watch = Watch::new(client.again());
    if let [call] = calls {
        let answer = client.call(call.method, &call.params);
        let answers = stream::once(answer);
        return listen(answers, &RefCell::new(vec![true]), &mut watch, observer).await;
    }
    let server = &*client;
    let open = RefCell::new(vec![true; calls.len()]);
    let answers = stream::iter(calls.iter().enumerate()).map(|(number, call)| {
        let open = &open;
        async move {
            let mut client = server.again();
            let answer = client.call(call.method, &call.params).await;
            if let Some(open) = open.borrow_mut().get_mut(number) {
                *open = false;
            }
            answer
        }
    });
    listen(answers.buffered(AT_ONCE), &open, &mut watch, observer).await
}

async fn listen(
    answers: impl stream::Stream<Item = Result<Value, CallError>>,
    open: &RefCell<Vec<bool>>,
    watch: &mut Watch,
    observer: &mut dyn Observer,
) -> Result<(), Failure> {
    let mut answers = std::pin::pin!(answers);
    loop {
        tokio::select! {
            biased;
            answer = answers.next() => match answer {
                None => return Ok(()),
                Some(answer) => observer.answered(answer.map_err(Failure::from))?,
            },
            processes = watch.next(), if observer.is_watching() => {
                let moment = Moment {
                    elapsed: watch.began.elapsed(),
                    open: &open.borrow(),
                    processes: &processes,
                };
                observer.waiting(&moment)?;
            }
        }
    }
}

/// Looks at the server once a second.
struct Watch {
    client: Client,
    began: Instant,
    next: Instant,
}

impl Watch {
    fn new(client: Client) -> Self {
        let began = Instant::now();
        Self {
            client,
            began,
            next: began + TICK,
        }
    }

    /// The processes after another second; none if the server does not tell. Dropping the future loses nothing.
    async fn next(&mut self) -> Vec<ProcessInfo> {
        sleep_until(self.next).await;
        let processes = self.client.processes().await;
        self.next = Instant::now() + TICK;
        processes.unwrap_or_default()
    }
}
