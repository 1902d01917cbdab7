//! What writing a configuration down and reading it back takes: ids as numbers, and sharing what was
//! shared.

use std::collections::HashMap;
use std::sync::Arc;

use nix::unistd::{Gid, Uid};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{FcgiSocket, GroupConfig};

/// Lets the processes of a section share their socket again, as they do when the configuration was
/// read from its file.
pub fn share_sockets<'a>(groups: impl Iterator<Item = &'a mut Arc<GroupConfig>>) {
    let mut known: HashMap<String, Arc<FcgiSocket>> = HashMap::new();
    for group in groups {
        if group.processes.iter().all(|process| process.fcgi.is_none()) {
            continue;
        }
        for process in &mut Arc::make_mut(group).processes {
            let process = Arc::make_mut(process);
            let Some(socket) = &mut process.fcgi else {
                continue;
            };
            let shared = known
                .entry(process.section.clone())
                .or_insert_with(|| Arc::clone(socket));
            if shared == socket {
                *socket = Arc::clone(shared);
            }
        }
    }
}

/// A user id.
pub(crate) mod uid {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(uid: &Uid, serializer: S) -> Result<S::Ok, S::Error> {
        uid.as_raw().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Uid, D::Error> {
        u32::deserialize(from).map(Uid::from_raw)
    }
}

/// The owner that a socket file is given: a user, and perhaps a group.
pub(crate) mod owner {
    use super::*;

    type Owner = Option<(Uid, Option<Gid>)>;
    type Numbers = Option<(u32, Option<u32>)>;

    pub(crate) fn serialize<S: Serializer>(owner: &Owner, to: S) -> Result<S::Ok, S::Error> {
        let numbers: Numbers = owner.map(|(uid, gid)| (uid.as_raw(), gid.map(Gid::as_raw)));
        numbers.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Owner, D::Error> {
        let numbers = Numbers::deserialize(from)?;
        Ok(numbers.map(|(uid, gid)| (Uid::from_raw(uid), gid.map(Gid::from_raw))))
    }
}
