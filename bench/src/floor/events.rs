//! Events to listeners: one thread, epoll, READY, event, RESULT.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::error::{About, Error};
use crate::floor::own;
use crate::workload::output::message;

const ANSWER: &str = "RESULT 2\nOK";

/// A listener, and how much of its present answer has come.
struct Listener {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    answered: usize,
}

impl Listener {
    fn start(dir: &Path, number: usize) -> Result<Self, Error> {
        let record = dir.join(format!("record.{number}"));
        let mut command = own("workload", &["listen", &record.to_string_lossy()])?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().about("start a listener")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| Error::Answer("no pipes".to_owned()))?;
        Ok(Self {
            child,
            stdin,
            stdout,
            answered: ANSWER.len(),
        })
    }

    /// Reads what has come; answers whether the listener waits for an event.
    fn is_ready(&mut self) -> Result<bool, Error> {
        let mut buffer = [0; 64];
        self.answered += self.stdout.read(&mut buffer).about("read an answer")?;
        Ok(self.answered == ANSWER.len() + "READY\n".len())
    }

    fn send(&mut self, serial: usize, data: &str) -> Result<(), Error> {
        let payload = format!("processname:emit groupname:emit pid:12345\n{data}");
        let event = format!(
            "ver:3.0 server:supervisor serial:{serial} pool:listen poolserial:{serial} \
             eventname:PROCESS_COMMUNICATION_STDOUT len:{}\n{payload}",
            payload.len()
        );
        self.answered = 0;
        self.stdin
            .write_all(event.as_bytes())
            .about("send an event")
    }

    fn end(mut self) -> Result<(), Error> {
        drop(self.stdin);
        self.child.kill().about("kill a listener")?;
        self.child.wait().about("wait for a listener")?;
        Ok(())
    }
}

/// Sends `count` events to a pool; prints events per second.
pub(super) fn ping_pong(dir: &Path, listeners: usize, count: usize) -> Result<(), Error> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).about("make an epoll")?;
    let mut pool = Vec::new();
    for number in 0..listeners {
        let listener = Listener::start(dir, number)?;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, number as u64);
        epoll
            .add(&listener.stdout, event)
            .about("watch a listener")?;
        pool.push(listener);
    }
    let mut ready = [EpollEvent::empty(); 16];
    let (mut sent, mut answered) = (0, 0);
    let mut start = Instant::now();
    while answered < count + listeners {
        let events = epoll.wait(&mut ready, EpollTimeout::NONE).about("wait")?;
        for event in &ready[..events] {
            let listener = &mut pool[event.data() as usize];
            if !listener.is_ready()? {
                continue;
            }
            answered += 1;
            if sent == 0 {
                start = Instant::now();
            }
            if sent < count {
                sent += 1;
                listener.send(sent, &message(sent))?;
            }
        }
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    for listener in pool {
        listener.end()?;
    }
    crate::print(&rate.to_string());
    Ok(())
}

/// Hands tagged messages of a program to a listener as they come.
pub(super) fn relay(dir: &Path, rate: usize, count: usize) -> Result<(), Error> {
    let mut listener = Listener::start(dir, 0)?;
    let mut emitter = own("workload", &["pace", &rate.to_string(), &count.to_string()])?;
    let mut emitter = emitter
        .stdout(Stdio::piped())
        .spawn()
        .about("start a program")?;
    let output = emitter.stdout.take();
    let output = output.ok_or_else(|| Error::Answer("no pipe".to_owned()))?;
    let mut output = BufReader::new(output);
    let mut message = Vec::new();
    for serial in 0..count {
        // Each of the two tags ends with `>`, and nothing else does.
        message.clear();
        output
            .read_until(b'>', &mut message)
            .about("read a message")?;
        output
            .read_until(b'>', &mut message)
            .about("read a message")?;
        while !listener.is_ready()? {}
        let text = String::from_utf8_lossy(&message);
        let data = text.split(['>', '<']).nth(2).unwrap_or_default();
        listener.send(serial, data)?;
    }
    while !listener.is_ready()? {}
    listener.end()?;
    emitter.kill().about("kill a program")?;
    emitter.wait().about("wait for a program")?;
    Ok(())
}
