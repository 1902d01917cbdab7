//! What an operator may act on.

use protocol::glob;
use protocol::namespec::Namespec;

use super::deed::Target;

/// A name as supervisorctl takes it, in which wildcards may stand.
#[derive(Debug)]
pub(super) struct Pattern {
    group: String,
    /// `*` for a bare name: whoever may act on a group of one may act on a group of several.
    process: String,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Self {
        let (group, process) = text.split_once(':').unwrap_or((text, "*"));
        Self {
            group: group.to_owned(),
            process: match process {
                "" => "*".to_owned(),
                process => process.to_owned(),
            },
        }
    }

    /// Whether everything that is meant by `target` is covered.
    pub(super) fn covers(&self, target: &Target<'_>) -> bool {
        let whole_group = self.process == "*";
        match *target {
            Target::All => whole_group && self.group == "*",
            Target::Group(group) => whole_group && glob::matches(&self.group, group),
            Target::Named(name) => match Namespec::parse(name) {
                Namespec { group, process } if glob::matches(&self.group, group) => {
                    process.map_or(whole_group, |process| glob::matches(&self.process, process))
                }
                _ => false,
            },
        }
    }
}
