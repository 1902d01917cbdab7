//! From a command line to a running daemon, and round again for a restart.
//!
//! The order is Supervisor's: configuration, user, limits, log, sockets, daemonize, pidfile, main
//! loop. Two steps differ on purpose: old AUTO logs are removed after the sockets are open, so
//! that a second daemon started by mistake leaves the first one's alone, and the process that was
//! started returns only when the daemon is up.

mod error;
mod kept;
mod server_url;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, System};
use config::cli::CommandLine;
use config::model::{ActivityLog as LogTarget, Config, DaemonConfig, Environment, FcgiSocket};
use nix::unistd::Uid;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::{mpsc, oneshot};

use crate::access::Caller;
use crate::api::Api;
use crate::bus::{Abandoned, BusHandle};
use crate::http::{self, BoundServer};
use crate::keeper::Keeper;
use crate::keeper::legacy::Anew;
use crate::logs::activity::{ActivityLog, Settings};
use crate::logs::auto;
use crate::logs::rotate::Rotation;
use crate::process::Services;
use crate::process::children::Children;
use crate::process::fcgi::{self, FcgiSockets};
use crate::process::launch::BaseEnvironment;
use crate::process::reader::Reader;
use crate::rpc::{Meter, RpcContext};
use crate::supervisor::{Boot, OsSignal, Outcome, Supervisor};
use crate::sys::daemonize::{Readiness, Role, daemonize};
use crate::sys::kernel::Linux;
use crate::sys::limits;
use crate::sys::pidfile::PidFile;
use crate::sys::{fds, privileges, residence, signal, spawn};
use crate::terminal::complain;
use crate::upgrade::{Driver, Gate, Program, Resumption};
pub use error::StartupError;
use server_url::server_url;

/// How long the daemon waits, each time, before it gives back what only the start needed. One
/// program is up long before the first, thousands are before the last.
const SETTLING: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_secs(4),
];

/// Runs the daemon until it is told to exit. Returns early in the process that was started when
/// the daemon has left the terminal.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn run(command_line: CommandLine, environment: Environment) -> Result<(), StartupError> {
    if let Some(warning) = config::locate::search_warning(&command_line) {
        complain(warning);
    }
    let config = config::load_to_serve(&command_line, &environment, &http::Judge::Server)?;
    let program = Program::running().map_err(StartupError::Runtime)?;
    let instance = Instance::new(command_line, environment, program, Keeper::default());
    let ended = instance.run(config);
    instance.log.close();
    ended
}

/// The same for a daemon that the keeper has started without anything to go on with.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn begin_anew(
    command_line: CommandLine,
    environment: Environment,
    anew: Anew,
) -> Result<(), StartupError> {
    let config = config::load_to_serve(&command_line, &environment, &http::Judge::Server)?;
    let program = Program::running().map_err(StartupError::Runtime)?;
    let instance = Instance::new(command_line, environment, program, anew.keeper.clone());
    anew.tell(&instance.log);
    let ended = instance.run(config);
    instance.log.close();
    ended
}

/// Goes on where another daemon has stopped that was this very process, until told to exit.
///
/// # Errors
/// Whatever ends it.
pub fn resume(
    command_line: CommandLine,
    environment: Environment,
    resumption: Resumption,
) -> Result<(), StartupError> {
    if let Err(error) = fds::are_available() {
        let reason = resumption.fall_back(error.to_string());
        return Err(StartupError::Resume(reason));
    }
    let state = &resumption.state;
    let command_line = CommandLine {
        start_dir: state.start_dir.clone(),
        ..command_line
    };
    let program = Program::at(state.program.clone());
    let keeper = resumption.keeper.clone();
    let instance = Instance::new(command_line, environment, program, keeper);
    let ended = instance.go_on(resumption);
    instance.log.close();
    ended
}

/// What outlasts a restart.
struct Instance {
    command_line: CommandLine,
    environment: Environment,
    log: ActivityLog,
    next_serial: Rc<Cell<u64>>,
    /// A signal has asked for the end: it counts even in the moment between two rounds.
    exit_requested: Rc<Cell<bool>>,
    /// What it becomes by an upgrade.
    program: Program,
    /// The line to the keeper.
    keeper: RefCell<Keeper>,
}

/// One life of the main loop.
struct Round {
    config: Config,
    prepared: Prepared,
    /// Where it goes on.
    past: Option<Resumption>,
    has_pidfile: bool,
}

/// What is in order before there is a daemon.
struct Prepared {
    servers: Vec<BoundServer>,
    fcgi: FcgiSockets,
}

impl Instance {
    fn new(
        command_line: CommandLine,
        environment: Environment,
        program: Program,
        keeper: Keeper,
    ) -> Self {
        Self {
            command_line,
            environment,
            log: ActivityLog::holding(),
            next_serial: Rc::default(),
            exit_requested: Rc::default(),
            program,
            keeper: RefCell::new(keeper),
        }
    }

    /// Round after round, until the daemon is to exit.
    fn run(&self, config: Config) -> Result<(), StartupError> {
        let next = self.begin(config, true)?;
        self.go_round(next)
    }

    /// The rounds of a daemon that goes on in the middle of one.
    fn go_on(&self, mut resumption: Resumption) -> Result<(), StartupError> {
        let is_heir = resumption.is_after_death();
        let Resumption {
            state, inherited, ..
        } = &mut resumption;
        let config = state.supervisor.config.clone();
        if let Err(error) = self.open_log(&config.daemon) {
            self.log.close();
            complain(error);
        }
        self.log.resume(std::mem::take(&mut state.log));
        let serve = if is_heir { http::inherit } else { http::resume };
        let prepared = Prepared {
            servers: serve(&config, &state.servers, inherited, &self.log),
            fcgi: FcgiSockets::default(),
        };
        prepared.fcgi.know(std::mem::take(&mut state.hosts));
        let outcome = self.round(config, prepared, None, Some(resumption))?;
        self.go_round(next_round(outcome))
    }

    fn go_round(&self, mut next: Option<Config>) -> Result<(), StartupError> {
        while let Some(config) = next {
            // There may be no terminal any more to tell it.
            let tell = |error: &StartupError| self.log.critical(error);
            next = self.begin(config, false).inspect_err(tell)?;
        }
        Ok(())
    }

    /// One round from start to end; the configuration of the next if there is to be one.
    fn begin(&self, config: Config, first: bool) -> Result<Option<Config>, StartupError> {
        let prepared = self.prepare(&config, first)?;
        let mut readiness = None;
        // Whom the keeper has started is where it belongs already.
        let first = first && !self.keeper().is_there();
        if first && !config.daemon.nodaemon {
            readiness = self.detach(&config.daemon)?;
            if readiness.is_none() {
                let servers = prepared.servers.into_iter();
                servers.for_each(BoundServer::abandon);
                return Ok(None);
            }
        }
        let (config, prepared) = match first {
            true => self.split(config, prepared)?,
            false => (config, prepared),
        };
        self.round(config, prepared, readiness, None)
            .map(next_round)
    }

    /// Everything that can fail before there is a daemon: its caller still sees why.
    fn prepare(&self, config: &Config, first: bool) -> Result<Prepared, StartupError> {
        let daemon = &config.daemon;
        for notice in &config.notices {
            self.log.log(notice.level, &notice.text);
        }
        // Supervisor raises the limits as the user it has become, who may do less.
        let raised = match first {
            true => limits::raise(daemon.minfds, daemon.minprocs),
            false => Ok(Vec::new()),
        };
        self.become_user(daemon)?;
        for line in raised? {
            self.log.info(line);
        }
        self.open_log(daemon)?;
        let servers = http::bind(
            &config.servers,
            &config.accounts,
            &config.rpc_interfaces,
            &self.log,
        )?;
        if !daemon.nocleanup {
            for complaint in auto::clean_up(&daemon.childlogdir, &daemon.identifier) {
                self.log.warn(complaint);
            }
        }
        Ok(Prepared {
            servers,
            fcgi: self.try_fcgi_sockets(config)?,
        })
    }

    /// Opens each `[fcgi-program:x]` socket once, so that one that cannot be is told at start, and
    /// that no host has to be looked up later.
    fn try_fcgi_sockets(&self, config: &Config) -> Result<FcgiSockets, StartupError> {
        let sockets = FcgiSockets::default();
        let mut tried: Option<&Arc<FcgiSocket>> = None;
        let processes = config.groups.iter().flat_map(|group| &group.processes);
        for socket in processes.filter_map(|process| process.fcgi.as_ref()) {
            if tried.is_none_or(|tried| !Arc::ptr_eq(tried, socket)) {
                sockets
                    .open(socket, &self.log)
                    .map_err(|error| StartupError::Socket {
                        url: fcgi::url(socket),
                        error,
                    })?;
                tried = Some(socket);
            }
        }
        Ok(sockets)
    }

    fn become_user(&self, daemon: &DaemonConfig) -> Result<(), StartupError> {
        match &daemon.user {
            Some(user) => {
                privileges::become_user(user.uid)?;
                let uid = user.uid;
                self.log
                    .info(format_args!("Set uid to user {uid} succeeded"));
            }
            None if Uid::current().is_root() => self.log.critical(
                "Supervisor is running as root.  Privileges were not dropped because no user is \
                 specified in the config file.  If you intend to run as root, you can set \
                 user=root in the config file to avoid this message.",
            ),
            None => {}
        }
        Ok(())
    }

    fn open_log(&self, daemon: &DaemonConfig) -> Result<(), StartupError> {
        let settings = Settings {
            target: &daemon.logfile,
            rotation: Rotation::new(daemon.logfile_maxbytes, daemon.logfile_backups),
            level: daemon.loglevel,
            mirror: daemon.nodaemon && !daemon.silent,
        };
        self.log.open(&settings).map_err(|error| StartupError::Log {
            path: match &daemon.logfile {
                LogTarget::File(path) => path.display().to_string(),
                LogTarget::Syslog => "syslog".to_owned(),
            },
            error,
        })
    }

    /// Leaves the terminal. `None` in the process that was started, once the daemon is up.
    fn detach(&self, daemon: &DaemonConfig) -> Result<Option<Readiness>, StartupError> {
        self.log.info("daemonizing the supervisord process");
        let directory = daemon.directory.as_deref();
        match daemonize(directory, daemon.umask).map_err(StartupError::Fork)? {
            Role::Original(watch) => {
                let warning = watch.wait()?;
                if !warning.is_empty() {
                    complain(format_args!("Warning: {warning}"));
                }
                Ok(None)
            }
            Role::Daemon(detached) => {
                self.log.close_mirror();
                if let Some(path) = directory {
                    let path = path.display();
                    match detached.directory {
                        Ok(()) => self
                            .log
                            .info(format_args!("set current directory: '{path}'")),
                        Err(errno) => {
                            let log = &self.log;
                            log.critical(format_args!("can't chdir into '{path}': {errno}"));
                        }
                    }
                }
                Ok(Some(detached.readiness))
            }
        }
    }

    /// One life of the main loop, from an event loop of its own to the end of all processes.
    fn round(
        &self,
        config: Config,
        prepared: Prepared,
        mut readiness: Option<Readiness>,
        past: Option<Resumption>,
    ) -> Result<Outcome, StartupError> {
        // Whoever reads the pidfile may send a signal at once: it waits until it is listened for.
        signal::hold().map_err(StartupError::Fork)?;
        let pidfile = match &past {
            None => self.write_pidfile(&config.daemon),
            Some(past) if past.is_after_death() => self.write_pidfile(&config.daemon),
            Some(past) => {
                let is_ours = past.state.pidfile;
                is_ours.then(|| PidFile::known(&config.daemon.pidfile))
            }
        };
        if pidfile.is_none()
            && let Some(readiness) = &mut readiness
        {
            let path = config.daemon.pidfile.display();
            readiness.warn(&format!("could not write pidfile {path}"));
        }
        let round = Round {
            config,
            prepared,
            past,
            has_pidfile: pidfile.is_some(),
        };
        let outcome = System::new().block_on(self.live(round, &mut readiness));
        if let Some(pidfile) = pidfile {
            pidfile.remove();
        }
        match (&outcome, readiness) {
            (Err(error), Some(readiness)) => readiness.failed(&error.to_string()),
            (_, _) if self.exit_requested.get() => return outcome.map(|_| Outcome::Exit),
            (_, _) => {}
        }
        outcome
    }

    fn write_pidfile(&self, daemon: &DaemonConfig) -> Option<PidFile> {
        let path = &daemon.pidfile;
        let written = PidFile::write(path);
        match &written {
            Ok(_) => {
                let pid = std::process::id();
                self.log
                    .info(format_args!("supervisord started with pid {pid}"));
            }
            Err(_) => {
                let path = path.display();
                self.log
                    .critical(format_args!("could not write pidfile {path}"));
            }
        }
        written.ok()
    }

    async fn live(
        &self,
        round: Round,
        readiness: &mut Option<Readiness>,
    ) -> Result<Outcome, StartupError> {
        let Round {
            config,
            prepared,
            mut past,
            has_pidfile,
        } = round;
        let services = self.services(&config, prepared.fcgi)?;
        self.begin_to_keep(&config.daemon, past.is_some());
        let (sender, outcome) = oneshot::channel();
        let (upgrades, wishes) = mpsc::unbounded_channel();
        if config.daemon.nodaemon || matches!(config.daemon.logfile, LogTarget::Syslog) {
            actix::spawn(offer_again(self.log.clone()));
        }
        let boot = Boot {
            config: config.clone(),
            command_line: self.command_line.clone(),
            environment: self.environment.clone(),
            services: Rc::clone(&services),
            outcome: sender,
            upgrades,
        };
        let supervisor = match &mut past {
            None => Supervisor::new(boot),
            Some(past) => past.revive(boot),
        };
        let supervisor = supervisor.start();
        self.listen_for_signals(&supervisor)
            .map_err(StartupError::Runtime)?;
        if services.keeper.is_there() {
            actix::spawn(kept::attend(Rc::clone(&services), supervisor.clone()));
        }
        let context = RpcContext {
            supervisor: supervisor.clone(),
            log: self.log.clone(),
            namespaces: Rc::from(config.rpc_interfaces.as_slice()),
            meter: Meter::default(),
            caller: Caller::nobody(),
            gate: services.gate.clone(),
        };
        let api = Api::new(services.bus.clone());
        let serve = |servers, connections| http::serve(servers, connections, &context, &api);
        let connections = past.as_mut().map(|past| past.connections(&api));
        let servers = serve(prepared.servers, connections.unwrap_or_default());
        let servers = servers.map_err(StartupError::Runtime)?;
        match past.take() {
            Some(past) => past.done(&self.log),
            None => signal::let_go().map_err(StartupError::Fork)?,
        }
        self.keep_daemon(&servers, &services, &supervisor).await;
        // Between two rounds, and two daemons, nobody reaps.
        services.children.reap(&self.log).tell().await;
        if let Some(readiness) = readiness.take() {
            readiness.ready();
        }
        actix::spawn(settle());
        let driver = Driver {
            services,
            supervisor,
            program: self.program.clone(),
            start_dir: self.command_line.start_dir.clone(),
            pidfile: has_pidfile,
        };
        let again =
            |sockets, connections| serve(http::around(&config, sockets, &self.log), connections);
        let (outcome, servers) = driver.serve_wishes(wishes, outcome, servers, again).await;
        let outcome = outcome.map_err(|_| StartupError::Lost)?;
        servers.close().await;
        Ok(outcome)
    }

    /// What all processes use.
    fn services(&self, config: &Config, fcgi: FcgiSockets) -> Result<Rc<Services>, StartupError> {
        let gate = Gate::default();
        Ok(Rc::new(Services {
            log: self.log.clone(),
            bus: BusHandle::start_with(Rc::clone(&self.next_serial), self.keeper()),
            keeper: self.keeper(),
            kernel: Rc::new(Linux),
            children: Children::new(self.keeper()),
            reader: Reader::start(gate.clone()).map_err(StartupError::Runtime)?,
            gate,
            fcgi,
            abandoned: Abandoned::default(),
            base_environment: BaseEnvironment::of_this_process(),
            server_url: server_url(&config.servers),
            strip_ansi: Cell::new(config.daemon.strip_ansi),
            no_error: Arc::from(""),
        }))
    }

    /// Passes the daemon's signals on to the supervisor, from now on.
    fn listen_for_signals(&self, supervisor: &Addr<Supervisor>) -> io::Result<()> {
        let table = [
            (SignalKind::terminate(), OsSignal::Exit("SIGTERM")),
            (SignalKind::interrupt(), OsSignal::Exit("SIGINT")),
            (SignalKind::quit(), OsSignal::Exit("SIGQUIT")),
            (SignalKind::hangup(), OsSignal::Hangup),
            (SignalKind::user_defined1(), OsSignal::Upgrade),
            (SignalKind::user_defined2(), OsSignal::ReopenLogs),
            (SignalKind::child(), OsSignal::Child),
        ];
        for (kind, message) in table {
            let mut arrivals = unix::signal(kind)?;
            let supervisor = supervisor.clone();
            let exit_requested = Rc::clone(&self.exit_requested);
            actix::spawn(async move {
                while arrivals.recv().await.is_some() {
                    if matches!(message, OsSignal::Exit(_)) {
                        exit_requested.set(true);
                    }
                    supervisor.do_send(message);
                }
            });
        }
        Ok(())
    }
}

fn next_round(outcome: Outcome) -> Option<Config> {
    match outcome {
        Outcome::Exit => None,
        Outcome::Restart(next) => Some(*next),
    }
}

/// Once the start is over, gives back what only it needed.
async fn settle() {
    for pause in SETTLING {
        tokio::time::sleep(pause).await;
        // Without procfs the daemon is a little larger.
        let _ = residence::give_back();
    }
}

/// A terminal or pipe that the log is mirrored on may be slow: offers it what it has not taken
/// yet, as long as there is something.
async fn offer_again(log: ActivityLog) {
    let mut changes = log.subscribe();
    while changes.changed().await.is_ok() {
        while log.flush() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// What has to be in order before anything else: standard descriptors open, others not inherited,
/// no signal blocked. A daemon that goes on leaves them blocked until it can take them.
///
/// # Errors
/// When not even that is possible.
pub fn secure_process(goes_on: bool) -> io::Result<()> {
    fds::open_missing_standard()?;
    fds::protect_inherited()?;
    if !goes_on {
        // Whoever started us may have blocked the one that is to end us.
        signal::let_go()?;
    }
    spawn::prepare();
    Ok(())
}
