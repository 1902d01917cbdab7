//! Rows for every state and input, and properties over random lives.

use super::*;
use proptest::prelude::*;

const PID: i32 = 7;

fn policy() -> Policy<'static> {
    Policy {
        startsecs: Duration::from_secs(1),
        startretries: 3,
        stopwaitsecs: Duration::from_secs(10),
        autorestart: AutoRestart::Unexpected,
        exitcodes: &[0],
    }
}

fn child(since: Instant) -> Child {
    Child { pid: PID, since }
}

fn at(phase: Phase) -> Machine {
    Machine {
        phase,
        ..Machine::default()
    }
}

fn ended(status: i32) -> Input {
    Input::Ended(End {
        status,
        killed: false,
    })
}

fn enter(from: ProcessState, to: ProcessState, detail: StateDetail) -> Effect {
    Effect::Enter { from, to, detail }
}

/// Every phase (once for each shape it has), for a child born at `born`.
fn phases(born: Instant) -> [Phase; 11] {
    let child = child(born);
    [
        Phase::Stopped,
        Phase::Starting(None),
        Phase::Starting(Some(child)),
        Phase::Running(child),
        Phase::Backoff,
        Phase::Stopping(child),
        Phase::Exited(false),
        Phase::Exited(true),
        Phase::Fatal,
        Phase::Unknown(child, false),
        Phase::Unknown(child, true),
    ]
}

const INPUTS: [Input; 10] = [
    Input::Start,
    Input::Launched(PID),
    Input::LaunchFailed,
    Input::Stop,
    Input::SignalFailed,
    Input::Ended(End {
        status: 0,
        killed: false,
    }),
    Input::Ended(End {
        status: 1,
        killed: false,
    }),
    Input::Ended(End {
        status: -1,
        killed: true,
    }),
    Input::TimerFired,
    Input::Closing,
];

/// The state that follows, by state and input; the same order as [`phases`] and [`INPUTS`].
/// The child is two seconds old, autorestart is `unexpected`.
#[test]
fn every_state_meets_every_input() {
    use ProcessState::{Backoff, Exited, Fatal, Running, Starting, Stopped, Stopping, Unknown};
    #[rustfmt::skip]
    let table: [[ProcessState; 10]; 11] = [
        //              start     launched  failed   stop      no signal end 0    end 1     end -1    timer     closing
        /* stopped   */ [Starting, Stopped,  Stopped, Stopped,  Stopped,  Stopped, Stopped,  Stopped,  Stopped,  Stopped],
        /* launching */ [Starting, Starting, Backoff, Starting, Starting, Starting,Starting, Starting, Starting, Starting],
        /* starting  */ [Starting, Starting, Starting,Stopping, Unknown,  Exited,  Starting, Starting, Running,  Starting],
        /* running   */ [Running,  Running,  Running, Stopping, Unknown,  Exited,  Starting, Starting, Running,  Running],
        /* backoff   */ [Backoff,  Backoff,  Backoff, Stopped,  Backoff,  Backoff, Backoff,  Backoff,  Starting, Fatal],
        /* stopping  */ [Stopping, Stopping, Stopping,Stopping, Unknown,  Stopped, Stopped,  Stopped,  Stopping, Stopping],
        /* exited    */ [Starting, Exited,   Exited,  Exited,   Exited,   Exited,  Exited,   Exited,   Exited,   Exited],
        /* restarting*/ [Starting, Exited,   Exited,  Exited,   Exited,   Exited,  Exited,   Exited,   Starting, Exited],
        /* fatal     */ [Starting, Fatal,    Fatal,   Fatal,    Fatal,    Fatal,   Fatal,    Fatal,    Fatal,    Fatal],
        /* unknown   */ [Unknown,  Unknown,  Unknown, Unknown,  Unknown,  Exited,  Starting, Starting, Unknown,  Unknown],
        /* unstopped */ [Unknown,  Unknown,  Unknown, Unknown,  Unknown,  Stopped, Stopped,  Stopped,  Unknown,  Unknown],
    ];
    let born = Instant::now();
    let now = born + Duration::from_secs(2);
    for (phase, row) in phases(born).into_iter().zip(table) {
        for (input, expected) in INPUTS.into_iter().zip(row) {
            let (next, _) = at(phase).step(input, &policy(), now);
            assert_eq!(next.state(), expected, "{phase:?} on {input:?}");
        }
    }
}

#[test]
fn a_start_announces_launches_and_is_promoted_by_the_timer() {
    let now = Instant::now();
    let (machine, effects) = Machine::default().step(Input::Start, &policy(), now);
    let starting = enter(
        ProcessState::Stopped,
        ProcessState::Starting,
        StateDetail::Tries(0),
    );
    assert_eq!(effects, [starting, Effect::Launch]);
    let (machine, effects) = machine.step(Input::Launched(PID), &policy(), now);
    assert_eq!(effects, [Effect::Arm(Duration::from_secs(1))]);
    let (machine, effects) = machine.step(Input::TimerFired, &policy(), now);
    let running = enter(
        ProcessState::Starting,
        ProcessState::Running,
        StateDetail::Pid(PID),
    );
    assert_eq!(effects, [running, Effect::ReportSuccess]);
    assert_eq!(machine.child(), Some(child(now)));
}

#[test]
fn without_startsecs_a_launched_process_is_running() {
    let now = Instant::now();
    let policy = Policy {
        startsecs: Duration::ZERO,
        ..policy()
    };
    let (machine, effects) = at(Phase::Starting(None)).step(Input::Launched(PID), &policy, now);
    assert_eq!(machine.state(), ProcessState::Running);
    assert!(effects.contains(&Effect::ReportSuccess));
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Arm(_)))
    );
}

#[test]
fn an_end_before_startsecs_backs_off_whatever_the_status() {
    let now = Instant::now();
    for status in [0, 2, -1] {
        let machine = at(Phase::Starting(Some(child(now))));
        let (machine, effects) = machine.step(ended(status), &policy(), now);
        assert_eq!(machine.failures, 1);
        let backoff = enter(
            ProcessState::Starting,
            ProcessState::Backoff,
            StateDetail::Tries(1),
        );
        let report = Effect::ReportEnd(Ending::TooQuick);
        let wait = Effect::Arm(Duration::from_secs(1));
        assert_eq!(effects, [Effect::Disarm, backoff, report, wait]);
    }
}

#[test]
fn the_retry_after_the_last_gives_up() {
    let now = Instant::now();
    let mut machine = at(Phase::Starting(None));
    let mut waits = Vec::new();
    while machine.state() == ProcessState::Starting {
        let (next, effects) = machine.step(Input::LaunchFailed, &policy(), now);
        waits.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Arm(wait) => Some(wait.as_secs()),
            _ => None,
        }));
        machine = next.step(Input::TimerFired, &policy(), now).0;
    }
    assert_eq!(waits, [1, 2, 3]);
    assert_eq!(machine.state(), ProcessState::Fatal);
    assert_eq!(machine.failures, 0);
}

#[test]
fn a_stop_in_backoff_forgets_the_failures() {
    let machine = Machine {
        failures: 2,
        ..at(Phase::Backoff)
    };
    let (machine, effects) = machine.step(Input::Stop, &policy(), Instant::now());
    assert_eq!(machine.failures, 0);
    let stopped = enter(
        ProcessState::Backoff,
        ProcessState::Stopped,
        StateDetail::Pid(0),
    );
    assert_eq!(
        effects,
        [Effect::Disarm, Effect::ReportStoppedInBackoff, stopped]
    );
}

#[test]
fn a_stop_escalates_every_stopwaitsecs() {
    let now = Instant::now();
    let (machine, effects) = at(Phase::Running(child(now))).step(Input::Stop, &policy(), now);
    let stopping = enter(
        ProcessState::Running,
        ProcessState::Stopping,
        StateDetail::Pid(PID),
    );
    let wait = Effect::Arm(Duration::from_secs(10));
    assert_eq!(effects, [stopping, wait, Effect::Signal(Kill::Stop)]);
    let (machine, effects) = machine.step(Input::TimerFired, &policy(), now);
    assert_eq!(effects, [wait, Effect::Signal(Kill::Force)]);
    let (_, effects) = machine.step(Input::TimerFired, &policy(), now);
    assert_eq!(effects, [wait, Effect::Signal(Kill::Force)]);
}

#[test]
fn without_stopwaitsecs_kills_are_still_apart() {
    let now = Instant::now();
    let policy = Policy {
        stopwaitsecs: Duration::ZERO,
        ..policy()
    };
    let machine = at(Phase::Stopping(child(now)));
    let (_, effects) = machine.step(Input::TimerFired, &policy, now);
    let again = Effect::Arm(Duration::from_secs(1));
    assert_eq!(effects, [again, Effect::Signal(Kill::Force)]);
}

#[test]
fn autorestart_decides_by_the_status() {
    let rows = [
        (AutoRestart::Always, 0, true),
        (AutoRestart::Always, 3, true),
        (AutoRestart::Never, 3, false),
        (AutoRestart::Unexpected, 0, false),
        (AutoRestart::Unexpected, 3, true),
        (AutoRestart::Unexpected, -1, true),
    ];
    let born = Instant::now();
    let now = born + Duration::from_secs(5);
    for (autorestart, status, restarts) in rows {
        let policy = Policy {
            autorestart,
            ..policy()
        };
        let (machine, _) = at(Phase::Running(child(born))).step(ended(status), &policy, now);
        let starting = machine.state() == ProcessState::Starting;
        assert_eq!(starting, restarts, "{autorestart:?} {status}");
    }
}

#[test]
fn quick_exits_meet_a_growing_floor() {
    let now = Instant::now();
    let policy = Policy {
        startsecs: Duration::ZERO,
        ..policy()
    };
    let mut machine = at(Phase::Running(child(now)));
    let mut waits = Vec::new();
    for _ in 0..12 {
        let (next, effects) = machine.step(ended(1), &policy, now);
        waits.push(effects.iter().find_map(|effect| match effect {
            Effect::Arm(wait) => Some(wait.as_millis()),
            _ => None,
        }));
        machine = Machine {
            phase: Phase::Running(child(now)),
            ..next
        };
    }
    let none = [None; 5];
    let some = [32, 64, 128, 256, 512, 1000, 1000].map(Some);
    assert_eq!(waits, [none.as_slice(), some.as_slice()].concat());
    let killed = Input::Ended(End {
        status: -1,
        killed: true,
    });
    let (machine, _) = machine.step(killed, &policy, now);
    assert_eq!(machine.state(), ProcessState::Starting);
}

/// The transitions of the state table in Supervisor's documentation, plus the ways out of UNKNOWN.
fn documented(from: ProcessState, to: ProcessState) -> bool {
    use ProcessState::{Backoff, Exited, Fatal, Running, Starting, Stopped, Stopping, Unknown};
    matches!(
        (from, to),
        (Stopped | Exited | Fatal | Backoff, Starting)
            | (Starting, Backoff | Running | Stopping | Unknown)
            | (Running, Exited | Stopping | Unknown)
            | (Backoff, Fatal | Stopped)
            | (Stopping, Stopped | Unknown)
            | (Unknown, Exited | Stopped)
    )
}

/// A world for the machine: it has what the machine believes in.
#[derive(Default)]
struct World {
    children: u32,
    timer: bool,
}

fn arbitrary_input() -> impl Strategy<Value = u8> {
    0u8..8
}

proptest! {
    /// At most one child, only documented transitions, no timer in a state that needs none,
    /// a timer in every state that does, announced transitions that join up.
    #[test]
    fn any_life_keeps_the_invariants(
        choices in prop::collection::vec((arbitrary_input(), 0u64..1500, -1i32..3), 1..200),
        startsecs in 0u64..2,
        startretries in 0u32..4,
        restart in 0usize..3,
    ) {
        let restart = [AutoRestart::Always, AutoRestart::Never, AutoRestart::Unexpected][restart];
        let policy = Policy {
            startsecs: Duration::from_secs(startsecs),
            startretries,
            autorestart: restart,
            ..policy()
        };
        let mut now = Instant::now();
        let mut machine = Machine::default();
        let mut world = World::default();
        for (choice, millis, status) in choices {
            now += Duration::from_millis(millis);
            let Some(input) = possible(choice, status, &machine, &world) else { continue };
            if let Input::Ended(_) = input { world.children -= 1 }
            if let Input::TimerFired = input { world.timer = false }
            machine = drive(machine, input, &policy, now, &mut world);
            prop_assert_eq!(world.children, u32::from(machine.child().is_some()));
            let timed = match machine.phase {
                Phase::Starting(Some(_)) | Phase::Backoff | Phase::Stopping(_) => true,
                Phase::Exited(due) => due,
                _ => false,
            };
            prop_assert_eq!(world.timer, timed, "{:?}", machine);
        }
    }
}

/// The input of this number, if the world allows it now.
fn possible(choice: u8, status: i32, machine: &Machine, world: &World) -> Option<Input> {
    let end = End {
        status,
        killed: status == -1,
    };
    match choice {
        0 | 1 => Some(Input::Start),
        2 => Some(Input::Stop),
        3 | 4 if world.children > 0 => Some(Input::Ended(end)),
        5 | 6 if world.timer => Some(Input::TimerFired),
        7 if status == 2 => Some(Input::Closing),
        7 if machine.child().is_some() => Some(Input::SignalFailed),
        _ => None,
    }
}

/// Performs effects as the actor does, launches included (every third fails).
fn drive(
    machine: Machine,
    input: Input,
    policy: &Policy<'_>,
    now: Instant,
    world: &mut World,
) -> Machine {
    let mut state = machine.state();
    let (mut machine, effects) = machine.step(input, policy, now);
    for effect in effects {
        match effect {
            Effect::Enter { from, to, .. } => {
                assert_eq!(from, state);
                assert!(documented(from, to), "{from} to {to}");
                state = to;
            }
            Effect::Launch => {
                assert!(!machine.closing, "started while closing");
                assert_eq!(world.children, 0, "a second child");
                let fails = machine.failures % 3 == 2;
                world.children += u32::from(!fails);
                let result = if fails {
                    Input::LaunchFailed
                } else {
                    Input::Launched(PID)
                };
                machine = drive(machine, result, policy, now, world);
                state = machine.state();
            }
            Effect::Signal(_) => assert_eq!(world.children, 1, "a signal to nobody"),
            Effect::Arm(_) => world.timer = true,
            Effect::Disarm => world.timer = false,
            _ => {}
        }
    }
    assert_eq!(state, machine.state());
    machine
}
