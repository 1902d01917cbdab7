//! Calls that may take long, and what is told while they do.

use std::time::Duration;

use client::ProcessInfo;
use protocol::namespec::Namespec;
use protocol::states::ProcessState;
use protocol::xmlrpc::Value;

use crate::failure::Failure;

/// How often progress is shown. What is done sooner shows none.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// Names shown at once; the others are counted.
const SHOWN_NAMES: usize = 5;

/// Whom a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// One process.
    Process(&'a str),
    /// All of a group.
    Group(&'a str),
    /// All there are.
    Everything,
}

/// A call that may take long.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Whom it is about.
    pub(crate) subject: Subject<'a>,
    /// The method.
    pub(crate) method: &'static str,
    /// Its parameters.
    pub(crate) params: Vec<Value>,
}

/// Who is told about calls that are under way.
pub(crate) trait Observer {
    /// An answer. Answers come in the order of the calls.
    fn answered(&mut self, answer: Result<Value, Failure>) -> Result<(), Failure>;

    /// Whether [`Observer::waiting`] is wanted: it costs the server a call a second.
    fn is_watching(&self) -> bool;

    /// Another second without all the answers.
    fn waiting(&mut self, moment: &Moment<'_>) -> Result<(), Failure>;
}

/// How things are while calls are under way.
#[derive(Debug)]
pub(crate) struct Moment<'a> {
    /// Since the calls began.
    pub(crate) elapsed: Duration,
    /// For each call, whether it is still unanswered.
    pub(crate) open: &'a [bool],
    /// What the server says about its processes; empty if it does not.
    pub(crate) processes: &'a [ProcessInfo],
}

impl Moment<'_> {
    /// The progress line.
    pub(crate) fn describe(&self, calls: &[Call<'_>]) -> String {
        let open = calls.iter().zip(self.open).filter(|(_, open)| **open);
        let names: Vec<_> = open
            .flat_map(|(call, _)| self.laggards(call.subject))
            .collect();
        progress_line(self.elapsed, &names)
    }

    /// Who keeps a call waiting, with the state; the subject itself if nobody is known to.
    fn laggards(&self, subject: Subject<'_>) -> Vec<String> {
        let is_meant = |info: &&ProcessInfo| match subject {
            Subject::Process(name) => {
                let spec = Namespec::parse(name);
                info.group == spec.group && Some(info.name.as_str()) == spec.process
            }
            Subject::Group(group) => info.group == group && is_moving(info),
            Subject::Everything => is_moving(info),
        };
        let meant = self.processes.iter().filter(is_meant);
        let names = meant.map(|info| format!("{} ({})", info.namespec(), info.statename));
        let names: Vec<_> = names.collect();
        if !names.is_empty() {
            return names;
        }
        vec![match subject {
            Subject::Process(name) => name.to_owned(),
            Subject::Group(group) => format!("{group}:*"),
            Subject::Everything => "all".to_owned(),
        }]
    }
}

/// Tells since when who is waited for.
pub(crate) fn progress_line(elapsed: Duration, names: &[String]) -> String {
    let shown = &names[..names.len().min(SHOWN_NAMES)];
    let mut line = format!("Waiting {} s for {}", elapsed.as_secs(), shown.join(", "));
    if names.len() > shown.len() {
        line += &format!(" and {} more", names.len() - shown.len());
    }
    line
}

/// Whether a process is on its way to another state.
fn is_moving(info: &ProcessInfo) -> bool {
    use ProcessState::{Backoff, Starting, Stopping};
    matches!(info.process_state(), Some(Starting | Stopping | Backoff))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(group: &str, name: &str, state: ProcessState) -> ProcessInfo {
        ProcessInfo {
            group: group.into(),
            name: name.into(),
            state: state.code(),
            statename: state.name().into(),
            ..ProcessInfo::default()
        }
    }

    fn describe(subjects: &[Subject<'_>], open: &[bool], processes: &[ProcessInfo]) -> String {
        let calls: Vec<_> = subjects
            .iter()
            .map(|subject| Call {
                subject: *subject,
                method: "m",
                params: Vec::new(),
            })
            .collect();
        let moment = Moment {
            elapsed: Duration::from_millis(12_900),
            open,
            processes,
        };
        moment.describe(&calls)
    }

    #[test]
    fn whoever_is_waited_for_is_named() {
        use ProcessState::{Backoff, Running, Starting, Stopping};
        let processes = [
            info("a", "a", Starting),
            info("b", "b", Running),
            info("g", "x", Stopping),
            info("g", "y", Running),
            info("h", "z", Backoff),
        ];
        let (a, b) = (Subject::Process("a"), Subject::Process("b:b"));
        let rows: [(&[Subject<'_>], &[bool], &str); 6] = [
            (&[a, b], &[true, true], "a (STARTING), b (RUNNING)"),
            (&[a, b], &[false, true], "b (RUNNING)"),
            (&[Subject::Process("n:n")], &[true], "n:n"),
            (&[Subject::Group("g")], &[true], "g:x (STOPPING)"),
            (&[Subject::Group("n")], &[true], "n:*"),
            (
                &[Subject::Everything],
                &[true],
                "a (STARTING), g:x (STOPPING), h:z (BACKOFF)",
            ),
        ];
        for (subjects, open, expected) in rows {
            let expected = format!("Waiting 12 s for {expected}");
            assert_eq!(describe(subjects, open, &processes), expected);
        }
        let all = describe(&[Subject::Everything], &[true], &[]);
        assert_eq!(all, "Waiting 12 s for all");
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<_> = (1..=7).map(|number| number.to_string()).collect();
        let line = progress_line(Duration::from_secs(3), &names);
        assert_eq!(line, "Waiting 3 s for 1, 2, 3, 4, 5 and 2 more");
    }
}
