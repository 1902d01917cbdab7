//! How much memory is too much, for whom.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Limits in bytes. Names come out sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Limits {
    /// By process: `process` or `group:process`.
    pub(crate) programs: BTreeMap<String, i64>,
    /// By group.
    pub(crate) groups: BTreeMap<String, i64>,
    /// For every process.
    pub(crate) any: Option<i64>,
}

impl Limits {
    /// The limits that apply to a process, in the order they are checked: its bare name's, its full name's, its group's,
    /// everybody's.
    pub(crate) fn applicable(&self, group: &str, process: &str) -> impl Iterator<Item = i64> {
        let full_name = format!("{group}:{process}");
        let limits = [
            self.programs.get(process).copied(),
            self.programs.get(&full_name).copied(),
            self.groups.get(group).copied(),
            self.any,
        ];
        limits.into_iter().flatten()
    }

    /// What is about to be checked, a line each; a lone empty line if nothing is.
    pub(crate) fn announcement(&self) -> String {
        let mut text = String::new();
        for (what, limits) in [("programs", &self.programs), ("groups", &self.groups)] {
            if !limits.is_empty() {
                let limits: Vec<_> = limits
                    .iter()
                    .map(|(name, size)| format!("{name}={size}"))
                    .collect();
                // Writing to a string cannot fail.
                let _ = writeln!(text, "Checking {what} {}", limits.join(", "));
            }
        }
        if let Some(size) = self.any {
            let _ = writeln!(text, "Checking any={size}");
        }
        if text.is_empty() {
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            programs: [("g:b".into(), 2), ("b".into(), 1)].into(),
            groups: [("g".into(), 3)].into(),
            any: Some(4),
        }
    }

    #[test]
    fn the_limits_of_a_process_come_in_order() {
        let rows: [(&str, &str, &[i64]); 4] = [
            ("g", "b", &[1, 2, 3, 4]),
            ("h", "b", &[1, 4]),
            ("g", "c", &[3, 4]),
            ("h", "c", &[4]),
        ];
        for (group, process, want) in rows {
            let found: Vec<_> = limits().applicable(group, process).collect();
            assert_eq!(found, want, "{group}:{process}");
        }
    }

    #[test]
    fn the_announcement_is_exact() {
        let text = "Checking programs b=1, g:b=2\nChecking groups g=3\nChecking any=4\n";
        assert_eq!(limits().announcement(), text);
        assert_eq!(Limits::default().announcement(), "\n");
    }
}
