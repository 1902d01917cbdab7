//! Who a child is to run as: user, group and supplementary groups, looked up before the fork.

use std::ffi::CString;

use nix::unistd::{Gid, Uid, User, getgrouplist, getuid};
use thiserror::Error;

/// What becoming a user amounts to for this daemon.
///
/// A refusal is kept as a value because Supervisor finds it out in the child: the process gets a
/// pid, complains on its stderr and exits with 127.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub(super) uid: Uid,
    pub(super) change: Result<Change, IdentityError>,
}

/// What has to be changed to become the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing, groups included: it is the current user.
    Nothing,
    /// Everything: supplementary groups (primary group first), group, user.
    Everything { gid: Gid, groups: Vec<Gid> },
}

/// Why a user cannot be become. The texts are Supervisor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// The user database does not know the uid.
    #[error("Can't find uid {0}")]
    UnknownUid(Uid),
    /// Only root may change its user.
    #[error("Can't drop privilege as nonroot user")]
    NotRoot,
    /// The groups could not be found or set.
    #[error("Could not set groups of effective user")]
    Groups,
    /// The group could not be set.
    #[error("Could not set group id of effective user")]
    GroupId,
    /// The user could not be set; the cause as errno.
    #[error("Could not set user id of effective user")]
    UserId,
}

/// Looks up what it takes to become the user `uid`.
///
/// Asks the user and group databases, which may be slow where they are remote: callers that start
/// many processes keep the answer.
pub fn identity_of(uid: Uid) -> Identity {
    Identity {
        uid,
        change: change_to(uid),
    }
}

fn change_to(uid: Uid) -> Result<Change, IdentityError> {
    let user = match User::from_uid(uid) {
        Ok(Some(user)) => user,
        Ok(None) | Err(_) => return Err(IdentityError::UnknownUid(uid)),
    };
    if uid == getuid() {
        return Ok(Change::Nothing);
    }
    if !getuid().is_root() {
        return Err(IdentityError::NotRoot);
    }
    let name = CString::new(user.name).map_err(|_| IdentityError::Groups)?;
    let groups = getgrouplist(&name, user.gid).map_err(|_| IdentityError::Groups)?;
    Ok(Change::Everything {
        gid: user.gid,
        groups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::in_own_process;

    const NOBODY: Uid = Uid::from_raw(65534);

    #[test]
    fn as_root_another_user_is_a_full_change_and_oneself_none() {
        if !getuid().is_root() {
            assert_eq!(
                identity_of(Uid::from_raw(0)).change,
                Err(IdentityError::NotRoot)
            );
            return;
        }
        assert_eq!(identity_of(getuid()).change, Ok(Change::Nothing));
        let Ok(Change::Everything { gid, groups }) = identity_of(NOBODY).change else {
            panic!("{:?}", identity_of(NOBODY));
        };
        assert_eq!(groups.first(), Some(&gid), "the primary group comes first");
    }

    #[test]
    fn an_unknown_user_is_named() {
        let error = identity_of(Uid::from_raw(4_000_123)).change.unwrap_err();
        assert_eq!(error.to_string(), "Can't find uid 4000123");
    }

    #[test]
    fn without_root_only_the_current_user_is_allowed() {
        in_own_process(
            "sys::identity::tests::without_root_only_the_current_user_is_allowed",
            || {
                if getuid().is_root() {
                    nix::unistd::setuid(NOBODY).unwrap();
                }
                assert_eq!(identity_of(getuid()).change, Ok(Change::Nothing));
                let error = identity_of(Uid::from_raw(0)).change.unwrap_err();
                assert_eq!(error.to_string(), "Can't drop privilege as nonroot user");
            },
        );
    }
}
