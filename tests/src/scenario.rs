//! The differential runner: the same steps against two daemons, and what differs afterwards.

use std::fmt::Write;
use std::thread;

use serde_json::{Value, json};

use crate::daemon::{CtlOutput, Daemon, full_name};
use crate::deliberate::{DELIBERATE, Deliberate, Side};
use crate::diff::{self, Line};
use crate::events::Event;
use crate::flavour::Flavour;
use crate::normalise::Run;

/// A configuration and steps to take with it.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Names it in [`DELIBERATE`].
    pub name: &'static str,
    /// Sections after the fixtures' own.
    pub config: &'static str,
    /// What to do and record.
    pub steps: fn(&mut Session),
}

/// A daemon and the transcript of what was seen of it.
pub struct Session {
    /// The daemon under the steps.
    pub daemon: Daemon,
    /// The flavour of supervisorctl used.
    ctl: Flavour,
    lines: Vec<String>,
}

impl Session {
    /// Starts a daemon whose transcript is empty.
    pub fn start(config: &str, daemon: Flavour, ctl: Flavour) -> Self {
        Self {
            daemon: Daemon::start(daemon, config),
            ctl,
            lines: Vec::new(),
        }
    }

    /// The flavour of supervisorctl used.
    pub fn tool(&self) -> Flavour {
        self.ctl
    }

    /// Ends the transcript: one line each.
    pub fn into_lines(mut self) -> Vec<String> {
        let lines = std::mem::take(&mut self.lines);
        let split = lines.iter().flat_map(|line| line.split('\n'));
        split.map(str::to_owned).collect()
    }

    fn run(&self) -> Run<'_> {
        Run {
            dir: self.daemon.dir(),
            port: self.daemon.port(),
        }
    }

    /// Notes a line.
    pub fn note(&mut self, text: &str) {
        let masked = self.run().text(text);
        self.lines.extend(masked.split('\n').map(str::to_owned));
    }

    /// Calls a method and notes call and answer.
    pub fn rpc(&mut self, method: &str, params: Value) {
        let answer = match self.daemon.try_call(&full_name(method), &params) {
            Ok(Ok(value)) => render(&sort_outcomes(self.run().value(&value))),
            Ok(Err(fault)) => self
                .run()
                .text(&format!("fault {} {}", fault.code, fault.text)),
            Err(error) => error.to_string(),
        };
        self.lines.push(format!("{method}{params} -> {answer}"));
    }

    /// Runs supervisorctl and notes words, output and exit status.
    pub fn ctl(&mut self, words: &[&str]) {
        let output = self.daemon.ctl_of(self.ctl, words);
        self.note_output(&format!("supervisorctl {}", words.join(" ")), &output);
    }

    /// Runs supervisorctl's shell on some input and notes its output.
    pub fn shell(&mut self, input: &str) {
        let output = self.daemon.ctl_shell(self.ctl, input);
        self.note_output(&format!("supervisorctl < {input:?}"), &output);
    }

    /// Notes the outcome of a program. What follows a tab is the explanation of a form in a help text, whose
    /// wording is free.
    pub fn note_output(&mut self, title: &str, output: &CtlOutput) {
        let run = self.run();
        let mut lines = vec![format!("$ {title} -> exit {}", output.code)];
        let stdout = run.text(&output.stdout);
        let mut stdout: Vec<_> = stdout
            .lines()
            .map(|line| format!("  out| {}", without_explanation(line)))
            .collect();
        if title.ends_with("all") || title.contains(":*") {
            // Processes handled together finish in any order.
            stdout.sort();
        }
        lines.extend(stdout);
        lines.extend(
            run.text(&output.stderr)
                .lines()
                .map(|line| format!("  err| {line}")),
        );
        self.lines.extend(lines);
    }

    /// Posts a raw body to `/RPC2` and notes status and body, byte for byte.
    pub fn raw(&mut self, body: &str) {
        let reply = self
            .daemon
            .address()
            .post("/RPC2", &[], body.as_bytes())
            .expect("an HTTP answer");
        self.note(&format!(
            "raw {body:?} -> {} {:?}\n{}",
            reply.status,
            reply.header("Content-Type"),
            reply.text()
        ));
    }

    /// Notes the events of a record in the order of delivery, up to the first called `last`.
    pub fn events_until(&mut self, record: &str, last: &str) {
        self.daemon
            .wait_event(record, last, |event| event.name() == last);
        let events = self.daemon.events(record);
        let end = events
            .iter()
            .position(|event| event.name() == last)
            .map_or(0, |index| index + 1);
        let lines: Vec<_> = events[..end]
            .iter()
            .map(|event| self.event(event))
            .collect();
        self.lines.extend(lines);
    }

    /// Notes the events of a record process by process: between processes the order is a race. Header
    /// numbers are left out for the same reason.
    pub fn events_by_process(&mut self, record: &str) {
        let mut events = self.daemon.events(record);
        events.sort_by_key(|event| event.process().to_owned());
        let run = self.run();
        let lines: Vec<_> = events
            .iter()
            .map(|event| format!("{} {}", event.name(), run.text(&event.payload)))
            .collect();
        self.lines.extend(
            lines
                .iter()
                .flat_map(|text| text.split('\n'))
                .map(str::to_owned),
        );
    }

    fn event(&self, event: &Event) -> String {
        // The header's length counts digits of pids.
        let (header, _length) = event
            .header
            .rsplit_once(" len:")
            .unwrap_or((&event.header, ""));
        format!("{header} {:?}", self.run().text(&event.payload))
    }

    /// Notes the lines of the activity log which `wanted` chooses, sorted: their order is a race.
    pub fn log(&mut self, wanted: impl Fn(&str) -> bool) {
        let run = self.run();
        let log = self.daemon.log();
        let mut lines: Vec<_> = log
            .lines()
            .map(|line| run.log_line(line))
            .filter(|line| wanted(line))
            .collect();
        lines.sort();
        self.lines.extend(lines);
    }

    /// Notes the log's lines of level INFO and above, except those about waiting: whether a stop was
    /// waited for is a race.
    pub fn log_from_info(&mut self) {
        let levels = ["CRIT ", "ERRO ", "WARN ", "INFO "];
        self.log(|line| {
            levels.iter().any(|level| line.starts_with(level))
                && !line.starts_with("INFO waiting for ")
        });
    }

    /// Notes the names of the files in the fixture's directory and below.
    pub fn files(&mut self) {
        let mut names = Vec::new();
        collect(self.daemon.dir(), &mut names);
        let run = self.run();
        let mut names: Vec<_> = names.iter().map(|name| run.text(name)).collect();
        names.sort();
        self.lines
            .extend(names.into_iter().map(|name| format!("file {name}")));
    }

    /// Ends the daemon by RPC and notes how it went.
    pub fn shut_down(&mut self) {
        self.rpc("shutdown", json!([]));
        let status = self.daemon.wait_exit();
        self.note(&format!("exit status {:?}", status.code()));
        self.daemon.assert_nothing_left();
    }
}

/// A step that fails shows what went before.
impl Drop for Session {
    fn drop(&mut self) {
        if thread::panicking() {
            let flavour = self.daemon.flavour();
            eprintln!(
                "transcript of {flavour:?} so far:\n{}",
                self.lines.join("\n")
            );
        }
    }
}

fn collect(directory: &std::path::Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), names);
        } else {
            names.push(entry.path().display().to_string());
        }
    }
}

fn without_explanation(line: &str) -> String {
    line.split_once('\t').map_or_else(
        || line.to_owned(),
        |(form, _)| format!("{}\t...", form.trim_end()),
    )
}

/// Puts the outcomes of a group in the order of their names: they come as the processes finish.
fn sort_outcomes(mut value: Value) -> Value {
    if let Some(rows) = value
        .as_array_mut()
        .filter(|rows| rows.iter().all(|row| row["status"].is_number()))
    {
        rows.sort_by_key(|row| row["name"].to_string());
    }
    value
}

/// A value on one line, or an array of structs one per line.
fn render(value: &Value) -> String {
    match value.as_array() {
        Some(items) if items.iter().any(Value::is_object) => {
            items.iter().map(|item| format!("\n    {item}")).collect()
        }
        _ => value.to_string(),
    }
}

/// The transcript of a scenario against a daemon, with a supervisorctl.
pub fn transcript(scenario: &Scenario, daemon: Flavour, ctl: Flavour) -> Vec<String> {
    let mut session = Session::start(scenario.config, daemon, ctl);
    (scenario.steps)(&mut session);
    session.into_lines()
}

/// Runs a scenario with the original and with ours, daemon and supervisorctl, and fails unless they agree
/// but for the deliberate differences.
pub fn compare(scenario: &Scenario) {
    compare_with(scenario, Flavour::under_test(), Flavour::under_test());
}

/// Compares the original pair with another pair of daemon and supervisorctl.
pub fn compare_with(scenario: &Scenario, daemon: Flavour, ctl: Flavour) {
    let (original, ours) = thread::scope(|scope| {
        let original = scope.spawn(|| transcript(scenario, Flavour::Original, Flavour::Original));
        let ours = scope.spawn(|| transcript(scenario, daemon, ctl));
        (join(original), join(ours))
    });
    // Two originals have no deliberate differences.
    let table = if daemon == Flavour::Original && ctl == Flavour::Original {
        &[]
    } else {
        DELIBERATE
    };
    if let Err(report) = judge(scenario.name, &original, &ours, table) {
        panic!("{report}");
    }
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Compares two transcripts; the error is a readable difference.
pub fn judge(
    scenario: &str,
    original: &[String],
    ours: &[String],
    table: &[Deliberate],
) -> Result<(), String> {
    let lines = diff::compare(original, ours);
    let entries: Vec<_> = table
        .iter()
        .filter(|entry| entry.scenarios.contains(&scenario))
        .collect();
    let excused = |line: &Line| entries.iter().any(|entry| excuses(entry, line));
    let idle: Vec<_> = entries
        .iter()
        .filter(|entry| !lines.iter().any(|line| excuses(entry, line)))
        .collect();
    let differs = |line: &Line| !matches!(line, Line::Both(_)) && !excused(line);
    if !lines.iter().any(differs) && idle.is_empty() {
        return Ok(());
    }
    let mut report = format!("scenario {scenario}: original (-) and ours (+) differ\n");
    for (index, line) in lines.iter().enumerate() {
        let near = lines[index.saturating_sub(2)..(index + 3).min(lines.len())]
            .iter()
            .any(differs);
        if near {
            let _ = writeln!(
                report,
                "{line}{}",
                if excused(line) { "   (deliberate)" } else { "" }
            );
        }
    }
    if !idle.is_empty() {
        report.push_str("everything:\n");
        for line in &lines {
            let _ = writeln!(report, "{line}");
        }
    }
    for entry in idle {
        let _ = writeln!(
            report,
            "deliberate difference that does not occur: {entry:?}"
        );
    }
    Err(report)
}

fn excuses(entry: &Deliberate, line: &Line) -> bool {
    match line {
        Line::Both(_) => false,
        Line::Original(text) => entry.side == Side::Original && entry.line.matches(text),
        Line::Ours(text) => entry.side == Side::Ours && entry.line.matches(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliberate::Text;

    const TABLE: &[Deliberate] = &[Deliberate {
        scenarios: &["s"],
        side: Side::Ours,
        line: Text::Has("better"),
        reason: "a test",
    }];

    fn lines(text: &str) -> Vec<String> {
        text.split('\n').map(str::to_owned).collect()
    }

    #[test]
    fn sameness_passes_and_a_difference_is_shown() {
        assert_eq!(judge("t", &lines("a\nb"), &lines("a\nb"), TABLE), Ok(()));
        let report = judge("t", &lines("a\nb"), &lines("a\nc"), TABLE).expect_err("they differ");
        assert!(report.contains("- b\n+ c"), "{report}");
    }

    #[test]
    fn a_deliberate_difference_passes_on_its_side_only() {
        assert_eq!(
            judge("s", &lines("a"), &lines("a\nbetter b"), TABLE),
            Ok(())
        );
        assert!(judge("s", &lines("a\nbetter b"), &lines("a"), TABLE).is_err());
    }

    #[test]
    fn an_entry_that_excuses_nothing_fails() {
        let report = judge("s", &lines("a"), &lines("a"), TABLE).expect_err("the entry is idle");
        assert!(report.contains("does not occur"), "{report}");
    }
}
