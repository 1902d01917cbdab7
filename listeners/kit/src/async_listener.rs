//! The loop for handlers that await.

use std::io::{self, Write as _};
use std::process::ExitCode;

use protocol::listener::{self, EventHeader, PayloadDecoder};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, Stdin, Stdout,
};

use crate::{Event, ListenError, Outcome};

/// A [`Listener`](crate::Listener) whose handler is asynchronous. Events still come one at a time; what goes on beside them
/// is up to the runtime it is used in.
///
/// ```no_run
/// use std::time::Duration;
/// use listener_kit::{AsyncListener, Outcome};
///
/// # async fn doc() -> std::process::ExitCode {
/// AsyncListener::stdio().serve(async |event| {
///     eprintln!("{} came", event.header.eventname);
///     tokio::time::sleep(Duration::from_millis(10)).await;
///     Outcome::Done
/// }).await
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncListener<R, W> {
    input: R,
    output: W,
    header: Vec<u8>,
    payload: Vec<u8>,
}

impl AsyncListener<BufReader<Stdin>, Stdout> {
    /// The listener supervisord started: standard input and output.
    pub fn stdio() -> Self {
        Self::new(BufReader::new(tokio::io::stdin()), tokio::io::stdout())
    }
}

impl<R: AsyncBufRead + Unpin, W: AsyncWrite + Unpin> AsyncListener<R, W> {
    /// A listener that reads events from `input` and answers on `output`.
    pub const fn new(input: R, output: W) -> Self {
        Self {
            input,
            output,
            header: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// [Runs](Self::run), and says what went wrong on standard error. Returns what `main` should.
    pub async fn serve(self, handle: impl AsyncFnMut(&Event<'_>) -> Outcome) -> ExitCode {
        match self.run(handle).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // There is nobody left to tell if this fails.
                let _ = writeln!(crate::log(), "{error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Handles events until the input ends or nobody reads the output any more.
    ///
    /// # Errors
    /// When a stream fails or the input is no sequence of events.
    pub async fn run(
        mut self,
        mut handle: impl AsyncFnMut(&Event<'_>) -> Outcome,
    ) -> Result<(), ListenError> {
        let mut answer = listener::READY.to_vec();
        loop {
            match self.exchange(&answer, &mut handle).await {
                Ok(Some(outcome)) => outcome.write_answer(&mut answer),
                Ok(None) => return Ok(()),
                Err(ListenError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends `answer`, READY at its end, and handles the event that follows; `None`: the input has ended.
    async fn exchange(
        &mut self,
        answer: &[u8],
        handle: &mut impl AsyncFnMut(&Event<'_>) -> Outcome,
    ) -> Result<Option<Outcome>, ListenError> {
        self.output.write_all(answer).await?;
        self.output.flush().await?;
        self.header.clear();
        self.input.read_until(b'\n', &mut self.header).await?;
        if self.header.last() != Some(&b'\n') {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&self.header);
        let header = EventHeader::parse(&line)?;
        self.payload.clear();
        if !read_payload(&mut self.input, header.len, &mut self.payload).await? {
            return Ok(None);
        }
        let payload = String::from_utf8_lossy(&self.payload);
        let event = Event {
            header,
            payload: &payload,
        };
        Ok(Some(handle(&event).await))
    }
}

/// Reads `len` characters; `false`: the input ended first.
async fn read_payload(
    input: &mut (impl AsyncBufRead + Unpin),
    len: usize,
    payload: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut decoder = PayloadDecoder::new(len);
    while !decoder.is_complete() {
        let bytes = input.fill_buf().await?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let taken = decoder.feed(bytes);
        payload.extend_from_slice(&bytes[..taken]);
        input.consume(taken);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Daemon, DaemonError, envelope};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(future)
    }

    /// Runs a listener over `input`, read in pieces of `piece` bytes; returns what it saw and wrote.
    fn play(input: &[u8], piece: usize) -> (Vec<String>, String) {
        let mut seen = Vec::new();
        let mut output = Vec::new();
        let input = BufReader::with_capacity(piece, input);
        block_on(AsyncListener::new(input, &mut output).run(async |event| {
            seen.push(event.payload.to_owned());
            Outcome::Done
        }))
        .expect("events");
        (seen, String::from_utf8(output).expect("text"))
    }

    #[test]
    fn events_are_handled_one_after_the_other() {
        let input = envelope("TICK_5", "when:5") + &envelope("REMOTE_COMMUNICATION", "type:é\n€");
        for piece in 1..20 {
            let (seen, output) = play(input.as_bytes(), piece);
            assert_eq!(seen, ["when:5", "type:é\n€"]);
            assert_eq!(output, "READY\nRESULT 2\nOKREADY\nRESULT 2\nOKREADY\n");
        }
        for end in 0..input.len() {
            assert!(play(&input.as_bytes()[..end], 64).0.len() < 2);
        }
    }

    async fn slowly(stream: UnixStream) {
        stream.set_nonblocking(true).expect("a socket");
        let stream = tokio::net::UnixStream::from_std(stream).expect("a socket");
        let (input, output) = stream.into_split();
        let listener = AsyncListener::new(BufReader::new(input), output);
        let ended = listener.run(async |event| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            match event.is_tick() {
                true => Outcome::Done,
                false => Outcome::Again,
            }
        });
        ended.await.expect("events");
    }

    #[test]
    fn handlers_may_wait() -> Result<(), DaemonError> {
        let mut daemon = Daemon::start(|stream| block_on(slowly(stream)))?;
        assert_eq!(daemon.send("TICK_5", "when:5")?, Outcome::Done);
        assert_eq!(
            daemon.send("SUPERVISOR_STATE_CHANGE_RUNNING", "")?,
            Outcome::Again
        );
        daemon.finish()
    }
}
