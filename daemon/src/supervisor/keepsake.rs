//! What of the groups outlives the daemon: noted down when they come, change and go.

use std::sync::Arc;

use config::model::{Config, GroupConfig};
use serde::{Deserialize, Serialize};

use super::actor::Supervisor;
use super::group::Group;
use super::snapshot::GroupSnapshot;
use crate::keeper::Kept;
use crate::keeper::estate::{CONFIG, group_key};
use crate::process::snapshot::ProcessSnapshot;

/// A group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptGroup {
    /// Groups with smaller numbers are older.
    pub order: u64,
    /// The name of the daemon when the group became active.
    identifier: String,
    /// What the group was made of, if that is not the group of this name in the configuration most
    /// recently read.
    config: Option<Arc<GroupConfig>>,
}

impl KeptGroup {
    /// The group with its processes, by name.
    pub fn into_snapshot(
        self,
        name: String,
        members: Vec<(String, ProcessSnapshot)>,
    ) -> GroupSnapshot {
        GroupSnapshot::without_pool(name, self.identifier, self.config, members)
    }
}

impl Supervisor {
    /// Has everything noted down but the processes, who see to that themselves.
    pub(super) fn keep_all(&self) {
        if !self.services.keeper.keeps() {
            return;
        }
        // A group before the configuration that it is not of any more.
        for group in &self.groups {
            self.keep_group(group);
        }
        if let Ok(body) = serde_json::to_vec(&self.config) {
            self.services.keeper.put(&Kept {
                key: CONFIG,
                pid: 0,
                body: &body,
                descriptors: Some(&[]),
            });
        }
    }

    /// Has a group noted down.
    pub(super) fn keep_group(&self, group: &Group) {
        if !self.services.keeper.keeps() {
            return;
        }
        let kept = KeptGroup {
            order: group.order,
            identifier: group.identifier.to_string(),
            config: (!is_newest(group, &self.config)).then(|| Arc::clone(&group.config)),
        };
        if let Ok(body) = serde_json::to_vec(&kept) {
            self.services.keeper.put(&Kept {
                key: &group_key(&group.config.name),
                pid: 0,
                body: &body,
                descriptors: Some(&[]),
            });
        }
    }

    /// Has a group noted down no more.
    pub(super) fn keep_no_group(&self, name: &str) {
        if self.services.keeper.keeps() {
            self.services.keeper.forget(&group_key(name));
        }
    }
}

/// Whether the group is made of what was read most recently.
fn is_newest(group: &Group, config: &Config) -> bool {
    let is_it = |it: &Arc<GroupConfig>| Arc::ptr_eq(it, &group.config) || *it == group.config;
    config.groups.iter().any(is_it)
}
