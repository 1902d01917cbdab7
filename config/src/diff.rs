//! What a reread changes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::GroupConfig;

/// Names of the groups a reread adds, changes and removes, each sorted as its configuration is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// In the new configuration only.
    pub added: Vec<String>,
    /// In both, with a difference.
    pub changed: Vec<String>,
    /// In the active configuration only.
    pub removed: Vec<String>,
}

/// Compares the active groups with newly read ones, by name and then by meaning.
pub fn diff(active: &[Arc<GroupConfig>], new: &[Arc<GroupConfig>]) -> Changes {
    let before = by_name(active);
    let after = by_name(new);
    let names = |groups: &[Arc<GroupConfig>], keep: &dyn Fn(&GroupConfig) -> bool| {
        groups
            .iter()
            .filter(|group| keep(group))
            .map(|group| group.name.clone())
            .collect()
    };
    Changes {
        added: names(new, &|group| !before.contains_key(group.name.as_str())),
        changed: names(new, &|group| {
            before
                .get(group.name.as_str())
                .is_some_and(|old| *old != group)
        }),
        removed: names(active, &|group| !after.contains_key(group.name.as_str())),
    }
}

fn by_name(groups: &[Arc<GroupConfig>]) -> HashMap<&str, &GroupConfig> {
    groups
        .iter()
        .map(|group| (group.name.as_str(), &**group))
        .collect()
}
