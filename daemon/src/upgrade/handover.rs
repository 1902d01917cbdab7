//! execve(2) from both sides: what the next program finds, and the way back.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::driver::{UpgradeError, unix_now};
use super::program::environment;
use super::state::State;
use super::{LastUpgrade, Program, VERSION};
use crate::api::Api;
use crate::http::Resting;
use crate::keeper::legacy::{Anew, Death};
use crate::keeper::{Keeper, Legacy};
use crate::logs::activity::ActivityLog;
use crate::supervisor::{Boot, Supervisor};
use crate::sys::handover::{
    Inherited, execute, execute_file, forget_variable, is_open, keep_across_exec, number,
    own_executable, repeat_signal,
};
use crate::sys::signal;

/// Holds the descriptor of the document for the next program.
const STATE: &str = "CALLBOARD_STATE";

/// Holds the descriptors of the program before and of the document that is good for that.
const FALLBACK: &str = "CALLBOARD_FALLBACK";

/// Tells the program before why it is back.
const FAILURE: &str = "CALLBOARD_FAILURE";

/// Becomes the next program. `descriptors` stay open, `document` among them.
///
/// # Errors
/// Nothing has happened then.
pub(super) fn pass_on(
    program: &Program,
    document: &File,
    descriptors: &[RawFd],
) -> Result<Infallible, UpgradeError> {
    let own = own_executable().map_err(UpgradeError::Resources)?;
    let state = number(document);
    let kept = [descriptors, &[number(&own), state]].concat();
    let variables = [
        (STATE, state.to_string()),
        (FALLBACK, format!("{}:{state}", number(&own))),
    ];
    keep_across_exec(&kept, true).map_err(UpgradeError::Resources)?;
    let path = CString::new(program.path.as_os_str().as_bytes()).unwrap_or_default();
    let Err(errno) = execute(&path, &program.argv, &environment(&variables));
    // They were open a moment ago.
    let _ = keep_across_exec(&kept, false);
    Err(UpgradeError::Execute {
        program: program.path.display().to_string(),
        errno,
    })
}

/// What the program before has left.
#[derive(Debug)]
pub struct Handover {
    state: RawFd,
    fallback: Option<Fallback>,
    failure: Option<String>,
}

#[derive(Debug, Clone, Copy)]
struct Fallback {
    program: RawFd,
    state: RawFd,
}

/// What was before this program.
#[derive(Default)]
pub enum Past {
    /// Nothing.
    #[default]
    Nothing,
    /// A daemon in this same process, or one that has died: it goes on.
    Life(Box<Resumption>),
    /// One that has died and left nothing to go on with.
    Anew(Anew),
}

/// How to go on.
#[derive(Debug)]
pub struct Resumption {
    /// What there was.
    pub state: State,
    /// The descriptors that have come with it.
    pub inherited: Inherited,
    /// The version that has left it.
    from: String,
    origin: Origin,
    /// The line to the keeper, if there is one.
    pub keeper: Keeper,
}

/// How the daemon before came to its end.
#[derive(Debug)]
enum Origin {
    /// It became this program.
    Upgrade(Handover),
    /// It has died; so many children had ended by the time this program came to them.
    Death { death: Death, ended: usize },
}

impl Past {
    /// What was before this program. To be called first of all, while there is one thread.
    ///
    /// # Errors
    /// There was something that cannot be gone on with.
    pub fn find() -> Result<Self, String> {
        if let Some(legacy) = Legacy::find() {
            return match legacy.anew() {
                Some(anew) => Ok(Self::Anew(anew)),
                None => Resumption::of(legacy).map(|life| Self::Life(Box::new(life))),
            };
        }
        match Handover::find() {
            Some(handover) => handover.read().map(|life| Self::Life(Box::new(life))),
            None => Ok(Self::Nothing),
        }
    }

    /// What relative paths meant there.
    pub fn start_dir(&self) -> Option<PathBuf> {
        match self {
            Self::Nothing => None,
            Self::Life(past) => Some(past.state.start_dir.clone()),
            Self::Anew(anew) => Some(anew.start_dir.clone()),
        }
    }

    /// Whether there is a daemon to go on with.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Life(_))
    }
}

impl Handover {
    /// What the program before has left, if there was one. To be called first of all, while there
    /// is one thread.
    pub fn find() -> Option<Self> {
        let variable = |name| {
            let value = std::env::var(name).ok();
            forget_variable(name);
            value
        };
        let (state, fallback) = (variable(STATE), variable(FALLBACK));
        let failure = variable(FAILURE);
        let fallback = fallback.and_then(|numbers| {
            let (program, state) = numbers.split_once(':')?;
            Some(Fallback {
                program: program.parse().ok()?,
                state: state.parse().ok()?,
            })
        });
        Some(Self {
            state: state?.parse().unwrap_or(-1),
            fallback,
            failure,
        })
    }

    /// Reads the state. A program that cannot becomes the one before again.
    ///
    /// # Errors
    /// There is no way forward and none back.
    pub fn read(self) -> Result<Resumption, String> {
        match self.try_to_read() {
            Ok((state, from)) => Ok(Resumption::after_upgrade(state, from, self)),
            Err(reason) => Err(self.fall_back(reason)),
        }
    }

    fn try_to_read(&self) -> Result<(State, String), String> {
        let document = fs::read(format!("/proc/self/fd/{}", self.state));
        let document = document.map_err(|error| format!("there is no state: {error}"))?;
        let (state, from) = State::read(&document).map_err(|error| error.to_string())?;
        match state.descriptors().iter().all(|fd| is_open(*fd)) {
            true => Ok((state, from)),
            false => Err("descriptors are missing".to_owned()),
        }
    }

    /// Becomes the program before again. Returns only if that fails.
    fn fall_back(&self, reason: String) -> String {
        let Some(Fallback { program, state }) = self.fallback else {
            return reason;
        };
        let Some(program) = Inherited::default().claim(program) else {
            return reason;
        };
        let variables = [(STATE, state.to_string()), (FAILURE, reason.clone())];
        let argv = Program::at("".into()).argv;
        let Err(errno) = execute_file(&program, &argv, &environment(&variables));
        format!("{reason}; and there is no way back: {errno}")
    }
}

impl Resumption {
    fn after_upgrade(state: State, from: String, handover: Handover) -> Self {
        let mut inherited = Inherited::default();
        let line = state.keeper.and_then(|line| inherited.claim(line));
        let keeper = line.map(Keeper::new).unwrap_or_default();
        keeper.set_mode(state.supervisor.config.daemon.programs_on_death);
        Self {
            state,
            inherited,
            from,
            origin: Origin::Upgrade(handover),
            keeper,
        }
    }

    /// How to go on after a daemon that has died.
    fn of(legacy: Legacy) -> Result<Self, String> {
        let keeper = legacy.keeper.clone();
        let (state, from, death) = legacy.read()?;
        keeper.set_mode(state.supervisor.config.daemon.programs_on_death);
        Ok(Self {
            state,
            inherited: Inherited::default(),
            from,
            origin: Origin::Death { death, ended: 0 },
            keeper,
        })
    }

    /// Whether the daemon before has died.
    pub fn is_after_death(&self) -> bool {
        matches!(self.origin, Origin::Death { .. })
    }

    /// Becomes the program before again, as long as nothing has been claimed; where that one has
    /// died, everything begins anew when this process has ended. Returns only if that fails.
    pub fn fall_back(&self, reason: String) -> String {
        let Origin::Upgrade(handover) = &self.origin else {
            self.keeper.begin_anew(&reason);
            return reason;
        };
        let Handover {
            state, fallback, ..
        } = handover;
        let further = fallback.map(|fallback| [fallback.program, fallback.state]);
        let mut kept = self.state.descriptors();
        kept.push(*state);
        kept.extend(further.into_iter().flatten());
        match keep_across_exec(&kept, true) {
            Ok(()) => handover.fall_back(reason),
            Err(error) => format!("{reason}; and there is no way back: {error}"),
        }
    }

    /// The supervisor of the groups that there were.
    pub fn revive(&mut self, boot: Boot) -> Supervisor {
        let outcome = self.outcome();
        let is_heir = self.is_after_death();
        let Self {
            state, inherited, ..
        } = self;
        let children = boot.services.children.clone();
        let bus = boot.services.bus.clone();
        let abandoned = &boot.services.abandoned;
        abandoned.resume(std::mem::take(&mut state.abandoned));
        let snapshot = state.supervisor.clone();
        if let Origin::Death { death, .. } = &self.origin {
            death.undo_launches(&boot.services.log);
        }
        let mut supervisor = Supervisor::resume(boot, snapshot, outcome, inherited);
        bus.resume(&state.bus);
        if is_heir {
            supervisor.inherit();
        }
        if let Origin::Death { ended, .. } = &mut self.origin {
            // Before anything that they could do themselves.
            *ended = self.keeper.hear(&children);
        }
        supervisor
    }

    /// The connections that there were.
    pub fn connections(&mut self, api: &Api) -> Vec<Resting> {
        let connections = std::mem::take(&mut self.state.connections);
        crate::http::awaken(connections, &mut self.inherited, api)
    }

    /// Everything is there again: tells so, and lets signals come.
    pub fn done(mut self, log: &ActivityLog) {
        self.forget_the_way_back();
        self.tell(log);
        for signal in &self.state.signals {
            repeat_signal(*signal);
        }
        if let Err(errno) = signal::let_go() {
            log.critical(format_args!("cannot take signals any more: {errno}"));
        }
    }

    fn tell(&self, log: &ActivityLog) {
        if let Origin::Death { death, ended } = &self.origin {
            return death.tell(self.state.supervisor.children(), *ended, log);
        }
        let LastUpgrade {
            failure,
            from,
            children,
            pause,
            ..
        } = self.outcome();
        match failure {
            None => log.info(format_args!(
                "upgraded in place from {from} to {VERSION}: {children} processes, pause {pause} ms"
            )),
            Some(reason) => log.critical(format_args!(
                "not upgraded, went back to {VERSION}: {reason}; {children} processes, pause {pause} ms"
            )),
        }
    }

    /// Lets go of what only a way back would need.
    fn forget_the_way_back(&mut self) {
        let unneeded = match &self.origin {
            Origin::Upgrade(handover) => {
                let further = handover.fallback;
                let further = further.map(|fallback| [fallback.program, fallback.state]);
                let further = further.into_iter().flatten();
                further.chain([handover.state]).collect()
            }
            // What several processes share has come once for each.
            Origin::Death { death, .. } => death.descriptors.clone(),
        };
        for fd in unneeded {
            drop(self.inherited.claim(fd));
        }
    }

    /// What has become of the upgrade.
    fn outcome(&self) -> LastUpgrade {
        let Origin::Upgrade(handover) = &self.origin else {
            return LastUpgrade {
                number: self.state.upgrades,
                ..LastUpgrade::default()
            };
        };
        let pause = unix_now().saturating_sub(self.state.begun);
        LastUpgrade {
            number: self.state.upgrades + 1,
            failure: handover.failure.clone(),
            from: self.from.clone(),
            children: self.state.supervisor.children(),
            pause: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
