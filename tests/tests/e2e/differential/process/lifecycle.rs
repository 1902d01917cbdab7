//! Every transition of a process, how it is told and logged, and what signals do.

use callboard_tests::{Daemon, Flavour, wait};
use nix::sys::signal::Signal;

use super::board::{self, Row, START, STOP, Step, row, send, signal};
use Step::{ChildGone, Info, Is, Kill, Logged, Told, Wrote};

const SLEEP: &str = "command=sleep 1000";

/// A program that exits with the status it is sent.
macro_rules! exits {
    ($options:literal) => {
        concat!("command=sh -c 'read status; exit $status'\n", $options)
    };
}

/// A program that runs commands of the shell, then says that it is armed and stays.
macro_rules! armed {
    ($commands:literal, $options:literal) => {
        concat!(
            "command=sh -c '",
            $commands,
            "; echo armed; while :; do sleep 0.2; done'\n",
            $options
        )
    };
}

/// A program with a child of its own, whose pid it writes to a file.
macro_rules! family {
    ($options:literal) => {
        concat!("command=sh -c 'sleep 1000 & echo $! > %(here)s/%(program_name)s.child; echo armed; wait'\n", $options)
    };
}

/// The same, deaf to SIGTERM together with its child.
macro_rules! deaf_family {
    ($options:literal) => {
        armed!(
            "trap \"\" TERM; sleep 1000 & echo $! > %(here)s/%(program_name)s.child",
            $options
        )
    };
}

/// Starts and stops.
#[rustfmt::skip]
const STARTS: &[Row] = &[
    // STOPPED → STARTING → RUNNING → STOPPING → STOPPED, by autostart and by request; refusals in between.
    row("plain", SLEEP, &[
        Told("RUNNING", 1), Info, START, STOP, Told("STOPPED", 1), Info, STOP,
        START, START, Told("RUNNING", 2), STOP, Told("STOPPED", 2),
    ]),
    row("never", "command=sleep 1000\nautostart=false", &[Info, STOP, signal("HUP")]),
    row("zero", "command=sleep 1000\nstartsecs=0", &[Told("RUNNING", 1), STOP, Told("STOPPED", 1)]),
    row("negative", "command=sleep 1000\nstartsecs=-5", &[Told("RUNNING", 1), STOP, Told("STOPPED", 1)]),
    row("longer", "command=sleep 1000\nstartsecs=2", &[Told("RUNNING", 1)]),
    // STARTING → STOPPING; STARTING refuses start and takes signals.
    row("slow", "command=sleep 1000\nstartsecs=1000", &[
        Is("STARTING"), Info, START, signal("WINCH"), STOP, Told("STOPPED", 1),
    ]),
];

/// Failed starts.
#[rustfmt::skip]
const RETRIES: &[Row] = &[
    // STARTING → BACKOFF whatever the exit code, however autorestart is set; BACKOFF → STARTING and
    // BACKOFF → FATAL after startretries; FATAL → STARTING with a fresh count, and refuses stop and signal.
    row("early", "command=sleep 0.5\nstartretries=1\nstartsecs=20", &[
        Told("FATAL", 1), Info, START, Told("FATAL", 2), STOP, signal("HUP"),
    ]),
    row("early2", "command=sh -c 'exit 2'\nstartretries=0\nexitcodes=2\nautorestart=false\nstartsecs=20", &[
        Told("FATAL", 1),
    ]),
    row("earlykill", "command=sh -c 'kill -KILL $$'\nstartretries=0\nautorestart=true\nstartsecs=20", &[
        Told("FATAL", 1),
    ]),
    row("thrice", "command=false\nstartsecs=20\nstartretries=3", &[Told("FATAL", 1)]),
    row("negretries", "command=false\nstartsecs=20\nstartretries=-3", &[Told("FATAL", 1)]),
    // A spawn error is retried the same way, even without startsecs.
    row("missing", "command=/nonexistent/missing\nstartretries=1\nstartsecs=0", &[Told("FATAL", 1), START]),
    // Success resets the count: STARTING (tries 1) → RUNNING → EXITED → STARTING (tries 0).
    row("recovers", "command=sh -c 'mkdir %(here)s/once && exit 1; read status; exit $status'\nstartsecs=4", &[
        Told("RUNNING", 1), send("3\n"), Told("RUNNING", 2),
    ]),
    // BACKOFF refuses start and signal, and is stopped without a signal; the fifth wait is long enough to see.
    row("backed", "command=false\nstartsecs=20\nstartretries=100", &[
        Told("BACKOFF", 5), START, signal("HUP"), Info, STOP, Told("STOPPED", 1), Info, STOP,
    ]),
];

/// Exits and what follows.
#[rustfmt::skip]
const EXITS: &[Row] = &[
    // RUNNING → EXITED: expected or not, by exitcodes; a death by signal never is. EXITED → STARTING by request.
    row("exit0", exits!("startsecs=0\nautorestart=false"), &[
        Told("RUNNING", 1), send("0\n"), Told("EXITED", 1), Info, STOP, signal("HUP"), START, Told("RUNNING", 2),
    ]),
    row("exit2", exits!("startsecs=0\nautorestart=false"), &[
        Told("RUNNING", 1), send("2\n"), Told("EXITED", 1), Info, START, Told("RUNNING", 2),
    ]),
    row("exit255", exits!("startsecs=0\nautorestart=false"), &[Told("RUNNING", 1), send("255\n"), Told("EXITED", 1)]),
    row("codes", exits!("startsecs=0\nautorestart=false\nexitcodes=0,2, 70"), &[
        Told("RUNNING", 1), send("70\n"), Told("EXITED", 1),
    ]),
    row("nocodes", exits!("startsecs=0\nautorestart=false\nexitcodes="), &[
        Told("RUNNING", 1), send("0\n"), Told("EXITED", 1),
    ]),
    row("slain", "command=sleep 1000\nstartsecs=0\nautorestart=false\nexitcodes=0,9,137", &[
        Told("RUNNING", 1), Kill(Signal::SIGKILL), Told("EXITED", 1),
    ]),
    // The wait status: a core is dumped where the system allows it, real-time signals have few names.
    row("core", "command=sh -c 'ulimit -c unlimited; read x; kill -ABRT $$'\nstartsecs=0\nautorestart=false\n\
                 directory=%(here)s", &[Told("RUNNING", 1), send("x\n"), Told("EXITED", 1)]),
    row("rtmin", "command=sh -c 'read x; kill -34 $$'\nstartsecs=0\nautorestart=false", &[
        Told("RUNNING", 1), send("x\n"), Told("EXITED", 1),
    ]),
    row("rtfive", "command=sh -c 'read x; kill -39 $$'\nstartsecs=0\nautorestart=false", &[
        Told("RUNNING", 1), send("x\n"), Told("EXITED", 1),
    ]),
    row("rtmax", "command=sh -c 'read x; kill -64 $$'\nstartsecs=0\nautorestart=false", &[
        Told("RUNNING", 1), send("x\n"), Told("EXITED", 1),
    ]),
    // EXITED → STARTING by itself: always, after an unexpected exit, never after a stop.
    row("always", exits!("autorestart=true"), &[
        Told("RUNNING", 1), send("0\n"), Told("RUNNING", 2), send("1\n"), Told("RUNNING", 3), Info,
        STOP, Told("STOPPED", 1), Info,
    ]),
    row("unexpected", exits!("autorestart=unexpected\nexitcodes=4"), &[
        Told("RUNNING", 1), send("0\n"), Told("RUNNING", 2), Kill(Signal::SIGTERM), Told("RUNNING", 3),
        send("4\n"), Told("EXITED", 3), Info,
    ]),
];

/// Stops, with what the program makes of the signal.
#[rustfmt::skip]
const STOPS: &[Row] = &[
    // STOPPING → STOPPED: the level depends on exitcodes.
    row("polite", armed!("trap \"exit 0\" TERM", ""), &[
        Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1), Info,
    ]),
    row("rude", armed!("trap \"exit 5\" INT", "stopsignal=INT"), &[
        Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1), Info,
    ]),
    row("listed", armed!("trap \"exit 5\" HUP", "stopsignal=HUP\nexitcodes=5"), &[
        Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1),
    ]),
    row("usr2", "command=sleep 1000\nstopsignal=USR2", &[Told("RUNNING", 1), STOP, Told("STOPPED", 1)]),
    row("quit", "command=sleep 1000\nstopsignal=QUIT", &[Told("RUNNING", 1), STOP, Told("STOPPED", 1)]),
    row("killsig", "command=sleep 1000\nstopsignal=KILL", &[Told("RUNNING", 1), STOP, Told("STOPPED", 1)]),
    // STOPPING → STOPPING: SIGKILL after stopwaitsecs. STOPPING refuses stop, takes signals, and is not started
    // (`already running`).
    row("deaf", armed!("trap \"\" TERM", "stopwaitsecs=2"), &[
        Wrote("armed"), Told("RUNNING", 1), STOP, STOP, START, signal("WINCH"), Told("STOPPED", 1), Info,
        START, Told("RUNNING", 2),
    ]),
    row("nowait", armed!("trap \"\" TERM", "stopwaitsecs=0"), &[
        Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1),
    ]),
    // It left its process group, so no signal for the group arrives: ESRCH is no failure, and SIGKILL is
    // repeated every stopwaitsecs.
    row("deserter", "command=%(ENV_PYTHON)s -c 'import os, time; os.setpgid(0, os.getpgid(os.getppid())); \
                     print(\"armed\", flush=True); time.sleep(1000)'\nstopasgroup=true\nstopwaitsecs=1\nstartsecs=0", &[
        Wrote("armed"), Told("RUNNING", 1), STOP, Logged("unable to signal @ ", 3), Logged("killing '@'", 2), Info,
        Kill(Signal::SIGKILL), Told("STOPPED", 1),
    ]),
];

/// Who else is signalled.
#[rustfmt::skip]
const FAMILIES: &[Row] = &[
    // The stop signal goes to the process alone, or to its group with stopasgroup.
    row("alone", family!(""), &[Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1)]),
    row("whole", family!("stopasgroup=true"), &[
        Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1), ChildGone,
    ]),
    // SIGKILL goes to the group with killasgroup, which stopasgroup implies.
    row("killalone", deaf_family!("stopwaitsecs=1"), &[Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1)]),
    row("killwhole", deaf_family!("stopwaitsecs=1\nkillasgroup=true"), &[
        Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1), ChildGone,
    ]),
    row("implied", deaf_family!("stopwaitsecs=1\nstopasgroup=true"), &[
        Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1), ChildGone,
    ]),
    // killasgroup alone does not concern the stop signal.
    row("unused", family!("killasgroup=true"), &[Wrote("armed"), Told("RUNNING", 1), STOP, Told("STOPPED", 1)]),
    // A signal request reaches the process alone, even with stopasgroup.
    row("signalled", family!("stopasgroup=true\nautorestart=false"), &[
        Wrote("armed"), Told("RUNNING", 1), signal("HUP"), Told("EXITED", 1),
    ]),
];

/// Signal requests: names and numbers; the state stays, whatever the process makes of it.
#[rustfmt::skip]
const SIGNALS: &[Row] = &[
    row("names", armed!("trap \"echo hup\" HUP; trap \"echo usr1\" USR1", "autorestart=false"), &[
        Wrote("armed"), Told("RUNNING", 1),
        signal("HUP"), Wrote("armed\nhup\n"), signal("SIGUSR1"), Wrote("armed\nhup\nusr1\n"),
        signal("1"), Wrote("armed\nhup\nusr1\nhup\n"), signal("usr1"), Wrote("armed\nhup\nusr1\nhup\nusr1\n"),
        signal("0"), signal("65"), signal("-1"), signal(""), signal("WAT"), signal("SIGCLD"), signal("34"),
        Told("EXITED", 1),
    ]),
    row("hupped", "command=sleep 1000\nautorestart=false", &[Told("RUNNING", 1), signal("HUP"), Told("EXITED", 1)]),
];

/// Dies of each signal in turn; four of them only stop it.
const MORTALS: &str = "\
[program:mortal]
command=sh -c 'kill -%(process_num)d $$; exit 0'
process_name=%(program_name)s_%(process_num)02d
numprocs=31
numprocs_start=1
startsecs=0
autorestart=false
directory=%(here)s
";

/// What the log says of each death: the names of all signals, and which of them leave a core.
fn deaths(daemon: &Daemon) -> Vec<String> {
    let run = board::run(daemon);
    wait::until("all that can die to be dead", || {
        let log = daemon.log();
        let lines = log.lines().map(|line| run.log_line(line));
        let mut dead: Vec<_> = lines
            .filter(|line| line.contains(" exited: mortal_"))
            .collect();
        dead.sort();
        if dead.len() == 27 {
            Ok(dead)
        } else {
            Err(dead)
        }
    })
}

fn transitions(flavour: Flavour) -> Vec<String> {
    let rows = [STARTS, RETRIES, EXITS, STOPS, FAMILIES, SIGNALS].concat();
    let daemon = Daemon::start(flavour, &(board::config(&rows) + MORTALS));
    let mut lines = board::play(&daemon, &rows);
    lines.extend(deaths(&daemon));
    lines
}

#[test]
fn every_transition_agrees() {
    board::compare("transitions", transitions);
}
