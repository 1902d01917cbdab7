//! Many programs in one daemon, each with steps of its own: the original takes seconds for a transition, so
//! the rows of a board are played side by side.
//!
//! A step waits for a condition, then acts. The transcript of a row holds what its steps noted, the events a
//! recording listener was told of its program, the lines of the activity log which name it, and what it wrote.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use callboard_tests::deliberate::DELIBERATE;
use callboard_tests::normalise::Run;
use callboard_tests::scenario::judge;
use callboard_tests::{Daemon, Event, Flavour, procfs, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// Between two looks at a board: each costs both daemons and this process some milliseconds.
const TURN: Duration = Duration::from_millis(100);

/// A program and what happens to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The program's name; no other word of the log may be equal to it.
    pub(super) name: &'static str,
    /// The options of its section.
    pub(super) options: &'static str,
    /// What is done, in order.
    pub(super) steps: &'static [Step],
}

/// Something to wait for or to do. `@` in a text stands for the program's name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The listener was told of this state so often.
    Told(&'static str, usize),
    /// The process is in this state.
    Is(&'static str),
    /// The log holds the text so often.
    Logged(&'static str, usize),
    /// The program's standard output begins with the text.
    Wrote(&'static str),
    /// Calls a method with the program's name and perhaps another argument; the answer is noted.
    Call(&'static str, Option<&'static str>),
    /// Sends the process a signal from outside.
    Kill(Signal),
    /// Notes `getProcessInfo`.
    Info,
    /// Notes what the process looks like from outside, once its command runs.
    Probe(&'static str),
    /// The process whose pid the program wrote to the file `@.child` is gone. Whether it is at the end of the
    /// board is noted anyhow.
    ChildGone,
}

/// `startProcess`, without waiting.
pub(super) const START: Step = Step::Call("startProcess", None);
/// `stopProcess`, without waiting.
pub(super) const STOP: Step = Step::Call("stopProcess", None);

/// `sendProcessStdin`.
pub(super) const fn send(text: &'static str) -> Step {
    Step::Call("sendProcessStdin", Some(text))
}

/// `signalProcess`.
pub(super) const fn signal(name: &'static str) -> Step {
    Step::Call("signalProcess", Some(name))
}

/// A row of a board.
pub(super) const fn row(name: &'static str, options: &'static str, steps: &'static [Step]) -> Row {
    Row {
        name,
        options,
        steps,
    }
}

/// The configuration of a board's programs and of the listener.
pub(super) fn config(rows: &[Row]) -> String {
    const RECORDER: &str = "[eventlistener:recorder]\ncommand=%(ENV_LISTENER)s %(here)s/events\n\
                            events=PROCESS_STATE\nbuffer_size=10000\n";
    RECORDER.to_owned() + &programs(rows)
}

/// The configuration of a board's programs.
pub(super) fn programs(rows: &[Row]) -> String {
    rows.iter().map(section).collect()
}

fn section(row: &Row) -> String {
    let Row { name, options, .. } = row;
    let mut text = format!("[program:{name}]\n{options}\n");
    for stream in ["stdout", "stderr"] {
        if !options.contains(&format!("{stream}_logfile")) {
            text += &format!("{stream}_logfile=%(here)s/{name}.{stream}\n");
        }
    }
    text
}

/// Plays something with the original and with ours and fails unless the transcripts agree but for the
/// deliberate differences.
pub(super) fn compare(name: &str, play: impl Fn(Flavour) -> Vec<String> + Sync) {
    let (original, ours) = thread::scope(|scope| {
        let original = scope.spawn(|| play(Flavour::Original));
        let ours = scope.spawn(|| play(Flavour::under_test()));
        (join(original), join(ours))
    });
    let table = match Flavour::under_test() {
        Flavour::Original => &[],
        Flavour::Ours => DELIBERATE,
    };
    if let Err(report) = judge(name, &original, &ours, table) {
        panic!("{report}");
    }
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What is known of all processes at one moment.
struct Snapshot {
    infos: BTreeMap<String, Value>,
    events: Vec<Event>,
    log: String,
}

impl Snapshot {
    fn take(daemon: &Daemon) -> Self {
        // Processes are looked at last: what was told of them is no news then.
        let (events, log) = (daemon.events("events"), daemon.log());
        let infos = daemon.call("getAllProcessInfo", json!([]));
        let named = infos.as_array().into_iter().flatten().map(|info| {
            let name = info["name"].as_str().unwrap_or_default();
            (name.to_owned(), info.clone())
        });
        Self {
            infos: named.collect(),
            events,
            log,
        }
    }

    fn pid(&self, name: &str) -> i32 {
        self.infos
            .get(name)
            .and_then(|info| info["pid"].as_i64())
            .unwrap_or_default() as i32
    }
}

/// A row under way.
struct Play<'a> {
    row: &'a Row,
    done: usize,
    /// Something was done since the snapshot was taken: nothing can be told from it any more.
    stale: bool,
    notes: Vec<String>,
}

impl Play<'_> {
    /// Takes the next step if its time has come; answers whether it did.
    fn advance(&mut self, daemon: &Daemon, seen: &Snapshot) -> bool {
        let Some(step) = self.row.steps.get(self.done) else {
            return false;
        };
        let ready = self.is_due(daemon, seen, *step);
        if ready {
            self.done += 1;
            self.act(daemon, seen, *step);
        }
        ready
    }

    /// Whether what the step waits for has come; steps that wait for nothing are due at once.
    fn is_due(&self, daemon: &Daemon, seen: &Snapshot, step: Step) -> bool {
        let name = self.row.name;
        match step {
            Step::Call(..) | Step::Info => true,
            _ if self.stale => false,
            Step::Told(state, times) => {
                let wanted = format!("PROCESS_STATE_{state}");
                let told = seen
                    .events
                    .iter()
                    .filter(|event| event.process() == name && event.name() == wanted);
                told.count() >= times
            }
            Step::Is(state) => seen.infos[name]["statename"] == state,
            Step::Logged(text, times) => {
                seen.log.matches(&text.replace('@', name)).count() >= times
            }
            Step::Wrote(text) => daemon.read(&format!("{name}.stdout")).starts_with(text),
            Step::Probe(command) => {
                procfs::row(seen.pid(name)).is_some_and(|row| row.name == command)
            }
            Step::Kill(_) => seen.pid(name) != 0,
            Step::ChildGone => child_alive(daemon, name) == Some(false),
        }
    }

    fn act(&mut self, daemon: &Daemon, seen: &Snapshot, step: Step) {
        let name = self.row.name;
        match step {
            Step::Told(..) | Step::Is(_) | Step::Logged(..) | Step::Wrote(_) | Step::ChildGone => {}
            Step::Call(method, argument) => {
                self.stale = true;
                self.notes.push(call(daemon, name, method, argument));
            }
            Step::Kill(signal) => {
                self.stale = true;
                kill(Pid::from_raw(seen.pid(name)), signal).expect("the process lives");
            }
            Step::Info => self.notes.push(info(daemon, name)),
            Step::Probe(_) => self
                .notes
                .extend(super::probe::look(daemon, seen.pid(name))),
        }
    }
}

fn call(daemon: &Daemon, name: &str, method: &str, argument: Option<&str>) -> String {
    let params = match (method, argument) {
        ("startProcess" | "stopProcess", None) => json!([name, false]),
        (_, None) => json!([name]),
        (_, Some(argument)) => json!([name, argument]),
    };
    match daemon.rpc(method, params) {
        Ok(value) => format!("{method} {argument:?} -> {value}"),
        Err(fault) => {
            let text = without_reason(fault.text);
            format!("{method} {argument:?} -> {} {text}", fault.code)
        }
    }
}

fn info(daemon: &Daemon, name: &str) -> String {
    let info = run(daemon).value(&daemon.info(name));
    let fields = [
        "statename",
        "exitstatus",
        "spawnerr",
        "description",
        "pid",
        "start",
        "stop",
    ];
    fields
        .iter()
        .map(|field| format!("{field} {} ", info[field]))
        .collect()
}

/// Whether the process whose pid the program wrote to a file lives.
fn child_alive(daemon: &Daemon, name: &str) -> Option<bool> {
    let pid = daemon.read(&format!("{name}.child"));
    Some(procfs::is_alive(pid.trim().parse().ok()?))
}

/// What belongs to this daemon's run, for masking.
pub(super) fn run(daemon: &Daemon) -> Run<'_> {
    Run {
        dir: daemon.dir(),
        port: daemon.port(),
    }
}

/// Plays all rows to their end and answers their transcripts.
pub(super) fn play(daemon: &Daemon, rows: &[Row]) -> Vec<String> {
    let mut plays: Vec<_> = rows
        .iter()
        .map(|row| Play {
            row,
            done: 0,
            stale: false,
            notes: Vec::new(),
        })
        .collect();
    wait::until("all rows to come to their end", || {
        thread::sleep(TURN);
        let seen = Snapshot::take(daemon);
        for play in &mut plays {
            play.stale = false;
            while play.advance(daemon, &seen) {}
        }
        let waiting: Vec<_> = plays
            .iter()
            .filter_map(|play| Some((play.row.name, play.row.steps.get(play.done)?)))
            .map(|(name, step)| format!("{name}: {step:?} at {}", seen.infos[name]))
            .collect();
        if waiting.is_empty() {
            Ok(())
        } else {
            Err(waiting)
        }
    });
    let told = daemon.events("events");
    plays
        .iter()
        .flat_map(|play| transcript(daemon, play, &told))
        .collect()
}

fn transcript(daemon: &Daemon, play: &Play<'_>, told: &[Event]) -> Vec<String> {
    let name = play.row.name;
    let mut lines = vec![format!("== {name}")];
    lines.extend(play.notes.iter().cloned());
    lines.push(info(daemon, name));
    lines.extend(child_alive(daemon, name).map(|alive| format!("child alive: {alive}")));
    let events = told.iter().filter(|event| event.process() == name);
    lines.extend(events.map(Event::line));
    lines.extend(log_lines(daemon, name));
    for stream in ["stdout", "stderr"] {
        let text = fs::read(daemon.path(&format!("{name}.{stream}"))).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        lines.extend(text.lines().map(|line| format!("{stream}| {line}")));
    }
    let run = run(daemon);
    lines.iter().map(|line| run.text(line)).collect()
}

/// The lines of the activity log which name the process. How often SIGKILL is repeated is a matter of time.
fn log_lines(daemon: &Daemon, name: &str) -> Vec<String> {
    const DEBUG: [&str; 4] = [
        "DEBG killing ",
        "DEBG sending ",
        "DEBG Attempted ",
        "DEBG unable ",
    ];
    let run = run(daemon);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_told = |line: &String| {
        !line.starts_with("DEBG ") || DEBUG.iter().any(|start| line.starts_with(start))
    };
    let is_repeated = |line: &str| line.ends_with("SIGKILL") || line.starts_with("DEBG unable ");
    let mut lines: Vec<String> = Vec::new();
    for line in daemon.log().lines() {
        let line = without_reason(run.log_line(line));
        let names = line.split(|c| !is_part(c)).any(|word| word == name);
        if names && is_told(&line) && !(is_repeated(&line) && lines.contains(&line)) {
            lines.push(line);
        }
    }
    lines
}

/// Leaves out the words of the system: the original adds a traceback, or a number.
fn without_reason(line: String) -> String {
    const ENDS: [(&str, &str); 3] = [
        ("CRIT unknown problem ", " ("),
        ("FAILED: unknown problem ", " ("),
        ("DEBG unable to signal ", ": "),
    ];
    let cut = ENDS.iter().find_map(|(start, end)| {
        let rest = line.strip_prefix(start)?;
        Some(format!("{start}{}", rest.split_once(end)?.0))
    });
    cut.unwrap_or(line)
}
