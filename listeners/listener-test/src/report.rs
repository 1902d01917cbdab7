//! What was found, for people and for machines.

use std::io::Write;

use serde_json::{Value, json};

use crate::cases::{Case, Verdict};
use crate::fault::{Fault, Weight};
use crate::options::Options;

/// How much output of a listener is shown, in characters.
const SHOWN: usize = 200;

/// The findings of a run, written as they come or, in JSON, at the end.
pub(crate) struct Report<'a, W> {
    out: W,
    options: &'a Options,
    checks: Vec<Value>,
    failed: usize,
}

impl<'a, W: Write> Report<'a, W> {
    /// An empty report.
    pub(crate) const fn new(options: &'a Options, out: W) -> Self {
        Self {
            out,
            options,
            checks: Vec::new(),
            failed: 0,
        }
    }

    /// Adds a check. Returns whether it makes sense to go on: a listener that does not start well fails everywhere.
    pub(crate) fn add(&mut self, case: &Case, verdict: Verdict) -> bool {
        let failed = self.fails(&verdict);
        self.failed += usize::from(failed);
        if !self.options.json {
            let text = text(case, &verdict, failed);
            // The exit code tells the result to whoever does not read it.
            let _ = self.out.write_all(text.as_bytes());
        }
        self.checks.push(value(case, &verdict, failed));
        !(failed && case.name == "start")
    }

    /// Writes the end. Returns whether the listener passed.
    pub(crate) fn finish(mut self) -> bool {
        let passed = self.failed == 0;
        let checks = self.checks.len();
        // As above.
        let _ = if self.options.json {
            let report = json!({
                "command": self.options.command,
                "passed": passed,
                "checks": self.checks,
            });
            writeln!(self.out, "{report}")
        } else if passed {
            writeln!(self.out, "passed, {checks} checks")
        } else {
            writeln!(self.out, "failed {} of {checks} checks", self.failed)
        };
        passed
    }

    fn fails(&self, verdict: &Verdict) -> bool {
        let counts = |fault: &Fault| self.options.strict || fault.kind.weight() == Weight::Wrong;
        match verdict {
            Verdict::Checked(faults) => faults.iter().any(counts),
            Verdict::NoEvents => false,
        }
    }
}

fn text(case: &Case, verdict: &Verdict, failed: bool) -> String {
    let (mark, faults) = match verdict {
        Verdict::NoEvents => ("skip", &[][..]),
        Verdict::Checked(faults) if failed => ("FAIL", faults.as_slice()),
        Verdict::Checked(faults) if faults.is_empty() => ("ok", &[][..]),
        Verdict::Checked(faults) => ("note", faults.as_slice()),
    };
    let mut text = format!("{mark:<5} {:<10} {}\n", case.name, case.what);
    for fault in faults {
        for (label, line) in lines(fault) {
            text.push_str(&format!("      {label}{line}\n"));
        }
    }
    text
}

/// What there is to say about a fault, each with its label.
fn lines(fault: &Fault) -> Vec<(&'static str, String)> {
    let mut lines = vec![("", fault.kind.what().to_owned())];
    if let Some(symptom) = fault.symptom {
        lines.push(("it shows so: ", symptom.what().to_owned()));
    }
    if let Some(event) = fault.event {
        lines.push(("event:       ", event.to_owned()));
    }
    if !fault.output.is_empty() {
        lines.push(("it wrote:    ", shown(&fault.output)));
    }
    if let Some(ending) = &fault.ending {
        lines.push(("it ended:    ", ending.clone()));
    }
    if let Some(error) = fault.errors.lines().last() {
        lines.push(("last error:  ", error.to_owned()));
    }
    lines.push(("repair:      ", fault.kind.hint().to_owned()));
    lines
}

/// Output on one line, in quotes, not too long.
fn shown(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?} and more", &text[..end]),
        None => format!("{text:?}"),
    }
}

fn value(case: &Case, verdict: &Verdict, failed: bool) -> Value {
    let (skipped, faults) = match verdict {
        Verdict::NoEvents => (true, &[][..]),
        Verdict::Checked(faults) => (false, faults.as_slice()),
    };
    let faults: Vec<_> = faults.iter().map(fault_value).collect();
    json!({
        "check": case.name,
        "what": case.what,
        "passed": !failed,
        "skipped": skipped,
        "faults": faults,
    })
}

fn fault_value(fault: &Fault) -> Value {
    json!({
        "code": fault.kind.code(),
        "weight": match fault.kind.weight() {
            Weight::Wrong => "wrong",
            Weight::Advice => "advice",
        },
        "what": fault.kind.what(),
        "hint": fault.kind.hint(),
        "symptom": fault.symptom.map(|symptom| symptom.code()),
        "event": fault.event,
        "output": String::from_utf8_lossy(&fault.output),
        "ending": fault.ending,
        "stderr": fault.errors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;
    use crate::fault::Kind;

    fn run(options: &Options, verdicts: &[Verdict]) -> (bool, bool, String) {
        let mut out = Vec::new();
        let mut report = Report::new(options, &mut out);
        let mut on = true;
        for (case, verdict) in CASES.iter().zip(verdicts) {
            on = report.add(case, verdict.clone());
        }
        let passed = report.finish();
        (on, passed, String::from_utf8(out).expect("text"))
    }

    fn one(kind: Kind) -> Verdict {
        let mut fault = Fault::new(kind).wrote(b"hi\n");
        fault.errors = "Traceback\nKeyError: 'len'".into();
        Verdict::Checked(vec![fault])
    }

    #[test]
    fn people_read_what_to_do() {
        let options = Options::default();
        let verdicts = [
            Verdict::Checked(Vec::new()),
            one(Kind::TextAfterReady),
            Verdict::NoEvents,
        ];
        let (_, passed, text) = run(&options, &verdicts);
        assert!(!passed);
        assert!(text.starts_with("ok    start      says READY, and then nothing\nFAIL  types"));
        assert!(
            text.contains("      it wrote:    \"hi\\n\"\n      last error:  KeyError: 'len'\n")
        );
        assert!(text.contains("      repair:      standard output belongs"));
        assert!(text.contains("\nskip  several"));
        assert!(text.ends_with("failed 1 of 3 checks\n"));
    }

    #[test]
    fn advice_fails_only_the_strict() {
        let options = Options::default();
        let (_, passed, text) = run(&options, &[one(Kind::EndsBadly)]);
        assert!(passed);
        assert!(text.starts_with("note  start"));
        let strict = Options {
            strict: true,
            ..options
        };
        assert!(!run(&strict, &[one(Kind::EndsBadly)]).1);
    }

    #[test]
    fn machines_read_codes() {
        let options = Options {
            json: true,
            command: vec!["cat".into()],
            ..Options::default()
        };
        let (on, passed, text) = run(&options, &[one(Kind::NotReady)]);
        assert_eq!((on, passed), (false, false));
        let report: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(report["command"][0], "cat");
        assert_eq!(report["passed"], false);
        assert_eq!(report["checks"][0]["check"], "start");
        assert_eq!(report["checks"][0]["faults"][0]["code"], "not-ready");
        assert_eq!(report["checks"][0]["faults"][0]["output"], "hi\n");
    }

    #[test]
    fn long_output_is_cut() {
        let text = shown("é".repeat(500).as_bytes());
        assert!(text.ends_with("\" and more"), "{text}");
    }
}
