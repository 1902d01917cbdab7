//! A listener's process as its pool sees it, without a process.

use std::collections::VecDeque;
use std::rc::Rc;

use actix::{Actor, ActorContext as _, AsyncContext as _, Context, Handler, Message};
use bytes::Bytes;
use protocol::states::ProcessState;

use super::Stage;
use crate::process::messages::{Feed, FromListener, Notice};

/// One thing a listener does, in its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Says something that means nothing yet, or never.
    Say(&'static str),
    /// Says the end of an `OK`.
    Accept(&'static str),
    /// Says something that gives the event back.
    Reject(&'static str),
    /// Says that it can take an event.
    Ready(&'static str),
    /// Says in one breath that it accepts an event and can take the next.
    AcceptAndReady(&'static str),
    Die,
}

use Act::{Accept, AcceptAndReady, Die as End, Ready, Reject, Say};

/// How it begins; well in the first way.
const BEGINNINGS: [&[Act]; 5] = [
    &[Ready("READY\n")],
    &[Say("REA"), Ready("DY\n")],
    &[Say("hello, world\n"), End],
    &[Say("READY\nREADY\n"), End],
    &[End],
];

/// What it makes of an event; again well in the first way.
const ANSWERS: [&[Act]; 14] = [
    &[Accept("RESULT 2\nOK"), Ready("READY\n")],
    &[AcceptAndReady("RESULT 2\nOKREADY\n")],
    &[
        Say("RESU"),
        Say("LT 2\nO"),
        Accept("K"),
        Say("READ"),
        Ready("Y\n"),
    ],
    &[Reject("RESULT 4\nFAIL"), Ready("READY\n")],
    &[Reject("RESULT 4\nFAIL"), Ready("READY\n")],
    &[Say("RESULT 4\nFA"), Reject("IL"), Ready("READY\n")],
    &[Reject("RESULT 0\n"), Ready("READY\n")],
    &[Reject("RESULT x\n"), Say("READY\n"), End],
    &[Reject("Traceback (most recent call last):\n"), End],
    &[Say("RESULT 2\nO"), End],
    &[Accept("RESULT 2\nOK"), End],
    &[Accept("RESULT 2\nOKoops"), Say("!\n"), End],
    &[Say(""), Say(""), End],
    &[End],
];

/// What it mostly makes of one when it is grumpy.
const REJECTION: [&[Act]; 2] = [ANSWERS[0], ANSWERS[3]];

/// The one process of a place in the pool, run after run.
pub(super) struct Sham {
    stage: Rc<Stage>,
    member: usize,
    era: u32,
    /// `None`: there is no child.
    pid: Option<i32>,
    is_ready: bool,
    holds: Option<u64>,
    /// What it is going to do, unless it dies first.
    script: VecDeque<Act>,
}

/// It dies now.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Die;

/// Everything sent to it has arrived; to a new pool it introduces itself, too.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Introduce(pub(super) bool);

/// It is not there any more, and nobody is told.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Vanish;

impl Sham {
    pub(super) fn new(stage: Rc<Stage>, member: usize) -> Self {
        Self {
            era: stage.era.get(),
            stage,
            member,
            pid: None,
            is_ready: false,
            holds: None,
            script: VecDeque::new(),
        }
    }

    fn tell(&self, notice: Notice) {
        self.stage.tell(self.member, notice);
    }

    /// It has not gone with its daemon.
    fn is_there(&self) -> bool {
        self.era == self.stage.era.get()
    }

    fn launch(&mut self, ctx: &mut Context<Self>) {
        if !self.is_there() {
            return;
        }
        let pid = self.stage.last_pid.get() + 1;
        self.stage.last_pid.set(pid);
        self.pid = Some(pid);
        self.tell(Notice::State(ProcessState::Starting));
        let feed = ctx.address().recipient();
        self.tell(Notice::Spawned { pid, feed });
        self.play(&BEGINNINGS, 12, ctx);
        ctx.run_later(self.stage.some_time(), move |sham, _| {
            if sham.pid == Some(pid) && sham.is_there() {
                sham.tell(Notice::State(ProcessState::Running));
            }
        });
    }

    fn die(&mut self, ctx: &mut Context<Self>) {
        if !self.is_there() || self.pid.take().is_none() {
            return;
        }
        if let Some(serial) = self.holds.take() {
            self.stage.ledger.borrow_mut().released(serial);
        }
        self.is_ready = false;
        self.script.clear();
        self.tell(Notice::Gone);
        self.tell(Notice::State(ProcessState::Exited));
        ctx.run_later(self.stage.some_time(), Self::launch);
    }

    /// Plays one of the scripts; once in `times` not the first.
    fn play(&mut self, scripts: &[&'static [Act]], times: u64, ctx: &mut Context<Self>) {
        let other = self.stage.mishap(times);
        let index = if other {
            1 + self.stage.below(scripts.len() as u64 - 1)
        } else {
            0
        };
        self.script = scripts[index as usize].iter().copied().collect();
        self.go_on(ctx);
    }

    /// The next act, after a while.
    fn go_on(&self, ctx: &mut Context<Self>) {
        let pid = self.pid;
        ctx.run_later(self.stage.some_time(), move |sham, ctx| {
            if sham.pid == pid
                && sham.is_there()
                && let Some(act) = sham.script.pop_front()
            {
                sham.act(act, ctx);
            }
        });
    }

    fn act(&mut self, act: Act, ctx: &mut Context<Self>) {
        if act == End {
            return self.die(ctx);
        }
        if let (Accept(_) | AcceptAndReady(_) | Reject(_), Some(serial)) = (act, self.holds) {
            self.holds = None;
            let mut ledger = self.stage.ledger.borrow_mut();
            match act {
                Reject(_) => ledger.released(serial),
                _ => ledger.handled(serial),
            }
        }
        self.is_ready = matches!(act, Ready(_) | AcceptAndReady(_));
        if let Say(text) | Accept(text) | Reject(text) | Ready(text) | AcceptAndReady(text) = act {
            self.tell(Notice::Output(Bytes::from_static(text.as_bytes())));
        }
        if !self.script.is_empty() {
            self.go_on(ctx);
        }
    }

    fn complain(&self, what: &str) {
        let text = format!("listener {}: {what}", self.member);
        self.stage.ledger.borrow_mut().complain(text);
    }

    /// It has closed its standard input, and is of no use from now on.
    fn lose(&mut self, partly: bool, ctx: &mut Context<Self>) {
        self.is_ready = false;
        self.tell(Notice::Unfed { partly });
        self.script = [End].into();
        self.go_on(ctx);
    }
}

impl Actor for Sham {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.launch(ctx);
    }
}

impl Handler<Feed> for Sham {
    type Result = ();

    fn handle(&mut self, feed: Feed, ctx: &mut Context<Self>) {
        if self.pid != Some(feed.pid) || !self.is_there() {
            return;
        }
        if !self.is_ready || self.holds.is_some() {
            self.complain("it gets an event that it is not ready for");
        }
        if self.stage.mishap(20) {
            return self.lose(self.stage.mishap(2), ctx);
        }
        self.is_ready = false;
        self.holds = self.stage.ledger.borrow_mut().fed(self.member, &feed.event);
        if self.stage.is_grumpy && self.stage.mishap(1) && !self.stage.mishap(8) {
            return self.play(&REJECTION, 1, ctx);
        }
        self.play(&ANSWERS, 2, ctx);
    }
}

impl Handler<Die> for Sham {
    type Result = ();

    fn handle(&mut self, _: Die, ctx: &mut Context<Self>) {
        self.die(ctx);
    }
}

impl Handler<Introduce> for Sham {
    type Result = ();

    fn handle(&mut self, Introduce(anew): Introduce, ctx: &mut Context<Self>) {
        if let Some(pid) = self.pid.filter(|_| anew) {
            let feed = ctx.address().recipient();
            let notice = Notice::Resumed { pid, feed };
            // Before whatever it has said meanwhile.
            let pool = self.stage.pool.borrow();
            pool.do_send(FromListener {
                member: self.member,
                notice,
            });
        }
    }
}

impl Handler<Vanish> for Sham {
    type Result = ();

    fn handle(&mut self, _: Vanish, ctx: &mut Context<Self>) {
        self.pid = None;
        ctx.stop();
    }
}
