//! A directory of either flavour in which shell scripts are run, and the transcript of what they did.
//!
//! For what [`Scenario`](callboard_tests::scenario::Scenario) cannot do: starts that fail, daemons that leave the
//! terminal, run as somebody else or with mounts of their own. `supervisord` and its siblings are on the path, the
//! fixture's directory is the current one, and `stage.sh` is at hand.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use callboard_tests::deliberate::DELIBERATE;
use callboard_tests::normalise::Run;
use callboard_tests::scenario::judge;
use callboard_tests::{CtlOutput, Daemon, Flavour, wait};

/// A row of a table: what it is about, sections after the fixtures' own, and steps to take.
pub(super) struct Row {
    /// Names it in the transcript.
    pub(super) name: &'static str,
    /// Sections of the configuration.
    pub(super) config: &'static str,
    /// What to do and note.
    pub(super) steps: fn(&mut Bench),
}

/// A prepared daemon and the transcript of what was seen of it.
pub(super) struct Bench {
    /// The daemon, started by nothing but the steps.
    pub(super) daemon: Daemon,
    lines: Vec<String>,
}

impl Bench {
    /// Prepares the directory.
    pub(super) fn new(flavour: Flavour, config: &str) -> Self {
        Self {
            daemon: Daemon::prepare(flavour, config),
            lines: Vec::new(),
        }
    }

    /// Runs a script without noting anything; one that hangs ends with status 124.
    pub(super) fn quietly(&self, script: &str) -> CtlOutput {
        let script = format!(". \"$FIXTURES/stage.sh\"\n{script}");
        self.daemon
            .run(Path::new("timeout"), &["60", "sh", "-c", &script])
    }

    /// Runs a script, notes its output and exit status, and answers the latter.
    pub(super) fn sh(&mut self, script: &str) -> i32 {
        let output = self.quietly(script);
        self.lines.push(format!("$ {script} -> {}", output.code));
        let marked = [("out", &output.stdout), ("err", &output.stderr)];
        for (mark, text) in marked {
            let text = self.mask(text);
            let lines = text.lines().filter(|line| !is_of_python(line));
            self.lines
                .extend(lines.map(|line| format!("  {mark}| {line}")));
        }
        output.code
    }

    /// Starts the daemon by a script that ends when it has left for the background, and waits until it answers.
    pub(super) fn start(&mut self, script: &str) {
        self.start_with_log(script, "supervisord.log");
    }

    /// As [`Bench::start`], with another activity log.
    pub(super) fn start_with_log(&mut self, script: &str, log: &str) {
        let code = self.sh(script);
        assert_eq!(code, 0, "it does not start");
        self.daemon.wait_until_up();
        self.daemon
            .wait_file(log, "INFO supervisord started with pid ");
        wait::until("the pidfile", || self.recorded_pid().ok_or("none"));
    }

    /// Sends the daemon a signal.
    pub(super) fn signal(&mut self, name: &str) {
        let pid = self.recorded_pid().expect("the pidfile holds a number");
        let output = self.quietly(&format!("kill -{name} {pid}"));
        assert_eq!(output.code, 0, "{output:?}");
    }

    /// Ends the daemon and notes what it leaves.
    pub(super) fn stop(&mut self) {
        self.signal("TERM");
        self.gone();
    }

    /// Waits until a program that sleeps has been executed: a child of the original that has not become its program yet
    /// ignores SIGTERM.
    pub(super) fn sleeps(&self) {
        wait::until_true("a program that sleeps", || {
            let rows = self.daemon.processes();
            (
                rows.iter().any(|row| row.name == "sleep"),
                format!("{rows:?}"),
            )
        });
    }

    /// Waits until the daemon and its children are gone.
    pub(super) fn gone(&mut self) {
        self.daemon.assert_nothing_left();
    }

    /// The number in the pidfile, if there is one.
    pub(super) fn recorded_pid(&self) -> Option<i32> {
        self.daemon.read("supervisord.pid").trim().parse().ok()
    }

    /// Notes a text.
    pub(super) fn note(&mut self, text: &str) {
        let text = self.mask(text);
        self.lines.extend(text.lines().map(str::to_owned));
    }

    /// Notes a file, line by line.
    pub(super) fn file(&mut self, name: &str) {
        let content = format!("{name}: {:?}", self.daemon.read(name));
        self.note(&content);
    }

    /// Notes the activity log in its order, from level INFO.
    pub(super) fn log(&mut self) {
        self.log_of("supervisord.log");
    }

    /// Notes another activity log in its order, from level INFO.
    pub(super) fn log_of(&mut self, name: &str) {
        let run = self.run();
        let log = self.daemon.read(name);
        let lines: Vec<_> = log
            .lines()
            .map(|line| run.log_line(line))
            .filter(|line| !line.starts_with("DEBG ") && !line.starts_with("TRAC "))
            // A row's sections override the fixtures': ours says so, for each option.
            .filter(|line| !line.contains(" is set again in line "))
            .map(|line| format!("  log| {}", self.mask(&line)))
            .collect();
        self.lines.extend(lines);
    }

    fn run(&self) -> Run<'_> {
        Run {
            dir: self.daemon.dir(),
            port: self.daemon.port(),
        }
    }

    fn mask(&self, text: &str) -> String {
        let mut programs = self.daemon.flavour().command("supervisord");
        programs.pop();
        let text = text.replace(&(programs.display().to_string() + "/"), "");
        let text = self.run().text(&text);
        match self.recorded_pid() {
            Some(pid) => text.replace(&pid.to_string(), "<pid>"),
            None => text,
        }
    }
}

/// A step that fails shows what went before.
impl Drop for Bench {
    fn drop(&mut self) {
        if thread::panicking() {
            let flavour = self.daemon.flavour();
            let lines = self.lines.join("\n");
            eprintln!("transcript of {flavour:?} so far:\n{lines}");
        }
    }
}

/// Warnings that only the interpreter of the original prints.
fn is_of_python(line: &str) -> bool {
    line.contains("UserWarning") || line.trim_start().starts_with("self.warnings")
}

/// Runs all rows with the original and with ours and fails unless they agree but for the deliberate differences,
/// which go by the table's name.
pub(super) fn compare(table: &str, rows: &[Row]) {
    let transcripts = Mutex::new(vec![Vec::new(); rows.len()]);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((index, row)) = take(rows, &next) {
                    let pair = both(row);
                    transcripts.lock().expect("no row has failed")[index] = pair;
                }
            });
        }
    });
    let pairs = transcripts.into_inner().expect("no row has failed");
    let [original, ours] = [0, 1].map(|side| {
        pairs
            .iter()
            .flat_map(|pair| pair[side].clone())
            .collect::<Vec<_>>()
    });
    let deliberate = match Flavour::under_test() {
        Flavour::Original => &[],
        Flavour::Ours => DELIBERATE,
    };
    if let Err(report) = judge(table, &original, &ours, deliberate) {
        panic!("{report}");
    }
}

/// Rows under way at a time: most of their time is waiting.
const WORKERS: usize = 3;

fn take<'a>(rows: &'a [Row], next: &AtomicUsize) -> Option<(usize, &'a Row)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, rows.get(index)?))
}

/// The row's transcripts: the original's, and that of what is under test.
fn both(row: &Row) -> Vec<Vec<String>> {
    thread::scope(|scope| {
        let sides = [Flavour::Original, Flavour::under_test()]
            .map(|flavour| scope.spawn(move || transcript(row, flavour)));
        let joined = sides.map(|side| {
            side.join().unwrap_or_else(|panic| {
                eprintln!("row {:?} failed", row.name);
                std::panic::resume_unwind(panic)
            })
        });
        joined.into()
    })
}

fn transcript(row: &Row, flavour: Flavour) -> Vec<String> {
    let mut bench = Bench::new(flavour, row.config);
    bench.lines.push(format!("== {}", row.name));
    (row.steps)(&mut bench);
    std::mem::take(&mut bench.lines)
}
