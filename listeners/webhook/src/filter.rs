//! Which events are told.

use listener_kit::Event;

/// Processes and groups; without any, all events pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filter {
    /// Processes, as `process` or `group:process`.
    pub(crate) programs: Vec<String>,
    /// Groups.
    pub(crate) groups: Vec<String>,
}

impl Filter {
    /// Whether an event is about one of the processes or groups. Events about none, as ticks are, pass only if there is
    /// nothing to choose.
    pub(crate) fn wants(&self, event: &Event<'_>) -> bool {
        if self.programs.is_empty() && self.groups.is_empty() {
            return true;
        }
        let fields = event.fields();
        let group = fields.get("groupname").unwrap_or_default();
        let process = fields.get("processname").unwrap_or_default();
        let is_named = |name: &String| match name.split_once(':') {
            _ if process.is_empty() => false,
            Some((of, "*")) => of == group,
            Some((of, name)) => of == group && name == process,
            None => name == process,
        };
        let grouped = !group.is_empty() && self.groups.iter().any(|name| name == group);
        grouped || self.programs.iter().any(is_named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use listener_kit::EventHeader;

    #[test]
    fn programs_and_groups_choose() {
        let process = "processname:p groupname:g from_state:RUNNING";
        let rows = [
            ("", "", process, true),
            ("", "", "when:5", true),
            ("p", "", process, true),
            ("g:p", "", process, true),
            ("g:*", "", process, true),
            ("g", "", process, false),
            ("h:p", "", process, false),
            ("p", "", "when:5", false),
            ("", "g", process, true),
            ("", "h", process, false),
            ("", "g", "groupname:g\n", true),
            ("p", "", "groupname:p\n", false),
            ("q p", "h", process, true),
        ];
        for (programs, groups, payload, want) in rows {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
            let filter = Filter {
                programs: words(programs),
                groups: words(groups),
            };
            let header = EventHeader::parse("eventname:E len:0").expect("a header");
            let event = Event { header, payload };
            assert_eq!(filter.wants(&event), want, "{programs} {groups} {payload}");
        }
    }
}
