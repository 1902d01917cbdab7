//! Doing what the lifecycle decided: launching, signalling, setting the timer, telling.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use actix::{AsyncContext, Context};
use config::model::SignalNumber;
use nix::errno::Errno;
use nix::unistd::Pid;
use protocol::events::{Event, EventType, StateDetail};
use protocol::states::ProcessState;

use super::actor::{Live, Process, unix_now};
use super::fcgi::{self, Listening};
use super::launch::{self, LaunchError, Pipes};
use super::lifecycle::{Effect, Ending, Input, Kill};
use super::messages::{FromListener, Notice};
use super::output::Output;
use super::stdin::Stdin;

/// What `getProcessInfo` says of a process that ended before `startsecs` were over.
const TOO_QUICK: &str = "Exited too quickly (process log may have details)";

impl Process {
    pub(super) fn perform(&mut self, effect: Effect, ctx: &mut Context<Self>) {
        match effect {
            Effect::Enter { from, to, detail } => self.announce(from, to, detail),
            Effect::Launch => self.launch(ctx),
            Effect::Signal(which) => self.send_signal(which, ctx),
            Effect::Arm(after) => self.arm(after, ctx),
            Effect::Disarm => self.disarm(ctx),
            Effect::ReportSuccess => self.report_success(),
            Effect::ReportFatal => self.report_fatal(),
            Effect::ReportEnd(ending) => self.report_end(ending),
            Effect::ReportStoppedInBackoff => self.report_stopped_in_backoff(),
        }
    }

    fn announce(&mut self, from: ProcessState, to: ProcessState, detail: StateDetail) {
        let pid = self.machine.child().map_or(0, |child| child.pid);
        let no_error = &self.services.no_error;
        self.status.update(|status| {
            status.state = to;
            status.pid = pid;
            if to == ProcessState::Starting {
                status.start = unix_now();
                status.spawnerr = Arc::clone(no_error);
                status.exitstatus = 0;
            }
        });
        self.tell_pool(Notice::State(to));
        let event_type = EventType::entering(to);
        self.services.bus.raise(event_type, || Event::ProcessState {
            process: self.config.name.clone(),
            group: self.config.group.clone(),
            from,
            to,
            detail,
        });
    }

    pub(super) fn tell_pool(&self, notice: Notice) {
        if let Some((pool, member)) = &self.listener {
            pool.do_send(FromListener {
                member: *member,
                notice,
            });
        }
    }

    /// A listener that closes its standard input within an event does not get that event.
    pub(super) fn tell_pool_of_loss(&self, stdin: &Stdin) {
        if let Some((pool, member)) = self.listener.clone() {
            stdin.on_loss(move || {
                pool.do_send(FromListener {
                    member,
                    notice: Notice::Unfed { partly: true },
                });
            });
        }
    }

    fn launch(&mut self, ctx: &mut Context<Self>) {
        match self.try_launch(ctx) {
            Ok(pid) => {
                self.status.update(|status| {
                    status.pid = pid.as_raw();
                    status.record.starts += 1;
                });
                let name = &self.config.name;
                let log = &self.services.log;
                log.info(format_args!("spawned: '{name}' with pid {pid}"));
                self.feed(Input::Launched(pid.as_raw()), ctx);
            }
            Err(error) => {
                self.record_spawnerr(&error.to_string());
                self.status
                    .update(|status| status.record.failed_starts += 1);
                let log = &self.services.log;
                log.info(format_args!("spawnerr: {error}"));
                self.feed(Input::LaunchFailed, ctx);
            }
        }
    }

    fn try_launch(&mut self, ctx: &mut Context<Self>) -> Result<Pid, LaunchError> {
        let config = Arc::clone(&self.config);
        let services = Rc::clone(&self.services);
        // The socket comes first, as in Supervisor, even if there turns out to be nobody to have it.
        let socket = self.open_socket()?;
        let program = launch::resolve(&config)?;
        let pipes = Pipes::open(config.redirect_stderr, socket)
            .map_err(|e| LaunchError::pipes(&config.name, e))?;
        let files = self
            .logs
            .open(|path, error| self.tell_of_missing_log(path, &error))
            .map_err(|e| LaunchError::log(&config.name, &e))?;
        let url = services.server_url.as_deref();
        let (base, kernel) = (&services.base_environment, &*services.kernel);
        // A daemon that dies before it has noted the child down leaves word that there may be one.
        self.keep();
        let identity = self.identity.as_ref();
        let pid = launch::launch(&config, &program, &pipes, identity, base, url, kernel)?;
        services.children.adopt(pid, ctx.address().recipient());
        let ours = pipes.into_ours();
        let outputs = self
            .connect_outputs(pid.as_raw(), ours.stdout, ours.stderr, files)
            .unwrap_or_else(|error| self.give_up_on(pid, &error));
        let stdin = ours.stdin.map(Stdin::new);
        if let Some(stdin) = &stdin {
            self.tell_pool_of_loss(stdin);
        }
        let live = Live {
            stdin,
            socket: ours.socket,
            outputs,
        };
        self.tell_pool(Notice::Spawned {
            pid: pid.as_raw(),
            feed: ctx.address().recipient(),
        });
        self.live = Some(live);
        Ok(pid)
    }

    fn tell_of_missing_log(&self, path: &Path, error: &io::Error) {
        let (name, path) = (&self.config.name, path.display());
        let log = &self.services.log;
        log.critical(format_args!(
            "'{name}' starts without its log {path}: {error}"
        ));
    }

    /// A child that cannot be heard, its pipes being closed again, is better ended than left alone.
    fn give_up_on(&self, pid: Pid, error: &io::Error) -> Vec<Rc<Output>> {
        let (name, log) = (&self.config.name, &self.services.log);
        log.critical(format_args!(
            "cannot read the output of '{name}', killing it: {error}"
        ));
        // It exists, not having been reaped.
        let _ = self.services.kernel.kill(pid, SignalNumber::KILL.number());
        Vec::new()
    }

    /// The socket of an `[fcgi-program:x]`.
    fn open_socket(&self) -> Result<Option<Rc<Listening>>, LaunchError> {
        let Some(socket) = &self.config.fcgi else {
            return Ok(None);
        };
        let opened = self.services.fcgi.open(socket, &self.services.log);
        opened.map(Some).map_err(|error| LaunchError::Socket {
            url: fcgi::url(socket),
            error,
        })
    }

    /// Closes the pipes and logs of a child that has ended; its pool hears of it.
    pub(super) fn release(&mut self) {
        if let Some(live) = self.live.take() {
            live.outputs.iter().for_each(Output::close);
            if let Some(stdin) = &live.stdin {
                stdin.close();
            }
            self.tell_pool(Notice::Gone);
        }
    }

    fn record_spawnerr(&self, text: &str) {
        self.status
            .update(|status| status.spawnerr = Arc::from(text));
    }

    fn send_signal(&mut self, which: Kill, ctx: &mut Context<Self>) {
        let Some(child) = self.machine.child() else {
            return;
        };
        let (name, pid, log) = (&self.config.name, child.pid, &self.services.log);
        let (signal, as_group) = match which {
            Kill::Stop => (self.config.stopsignal, self.config.stopasgroup),
            Kill::Force => (SignalNumber::KILL, self.config.killasgroup),
        };
        if which == Kill::Force {
            log.warn(format_args!("killing '{name}' ({pid}) with SIGKILL"));
        }
        let group = if as_group { "process group " } else { "" };
        log.debug(format_args!(
            "killing {name} (pid {pid}) {group}with signal {signal}"
        ));
        let target = Pid::from_raw(if as_group { -pid } else { pid });
        match self.services.kernel.kill(target, signal.number()) {
            Ok(()) => {}
            // Its exit is about to be reaped; that is when the state changes.
            Err(errno @ Errno::ESRCH) => log.debug(format_args!(
                "unable to signal {name} (pid {pid}), it probably just exited on its own: {errno}"
            )),
            Err(errno) => {
                let text = format!("unknown problem killing {name} ({pid}):{errno}");
                log.critical(&text);
                self.signal_error = Some(text);
                self.feed(Input::SignalFailed, ctx);
            }
        }
    }

    fn report_success(&self) {
        let seconds = self.config.startsecs;
        self.services.log.info(format_args!(
            "success: {} entered RUNNING state, process has stayed up for > than {seconds} \
             seconds (startsecs)",
            self.config.name
        ));
    }

    fn report_fatal(&self) {
        self.services.log.info(format_args!(
            "gave up: {} entered FATAL state, too many start retries too quickly",
            self.config.name
        ));
    }

    fn report_stopped_in_backoff(&self) {
        self.services.log.debug(format_args!(
            "Attempted to kill {}, which is in BACKOFF state.",
            self.config.name
        ));
    }

    fn report_end(&mut self, ending: Ending) {
        let Some(child) = self.last_end else { return };
        let end = child.status;
        let (name, log) = (&self.config.name, &self.services.log);
        let code = end.supervisor_code();
        let mut exitstatus = code;
        match ending {
            Ending::Stopped if self.config.exitcodes.contains(&code) => {
                log.info(format_args!("stopped: {name} ({end})"));
            }
            Ending::Stopped => log.warn(format_args!("stopped: {name} ({end})")),
            Ending::TooQuick => {
                exitstatus = 0;
                self.record_spawnerr(TOO_QUICK);
                log.warn(format_args!("exited: {name} ({end}; not expected)"));
            }
            Ending::Exited(true) => log.info(format_args!("exited: {name} ({end}; expected)")),
            Ending::Exited(false) => {
                self.record_spawnerr(&format!("Bad exit code {code}"));
                log.warn(format_args!("exited: {name} ({end}; not expected)"));
            }
        }
        self.status.update(|status| {
            status.exitstatus = exitstatus;
            status.record.count_end(ending, &child, status.stop);
        });
    }
}
