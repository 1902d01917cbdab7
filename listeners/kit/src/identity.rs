//! Which of the supervised processes this one is.

use std::env;

/// The names supervisord gave this process; empty when it runs outside of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    group: String,
    process: String,
}

impl Identity {
    /// The process called `process` of `group`.
    pub fn new(group: impl Into<String>, process: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            process: process.into(),
        }
    }

    /// Reads the environment supervisord sets up.
    pub fn from_env() -> Self {
        let name = |key| env::var(key).unwrap_or_default();
        Self::new(
            name("SUPERVISOR_GROUP_NAME"),
            name("SUPERVISOR_PROCESS_NAME"),
        )
    }

    /// Whether this is that process: to stop it would stop the one who would start it again.
    pub fn is(&self, group: &str, process: &str) -> bool {
        !self.process.is_empty() && self.group == group && self.process == process
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself() {
        let me = Identity::new("memmon", "memmon_0");
        assert!(me.is("memmon", "memmon_0"));
        assert!(!me.is("memmon", "memmon_1"));
        assert!(!me.is("other", "memmon_0"));
        assert!(!Identity::default().is("", ""));
    }
}
