//! Becoming another user at start, for good.

use nix::unistd::{Uid, setgid, setgroups, setuid};

use super::identity::{Change, IdentityError, identity_of};

/// Becomes the user `uid` with its groups; changes nothing if it is the current one.
///
/// Environment variables such as HOME stay as they are. To be called before there are threads.
pub fn become_user(uid: Uid) -> Result<(), IdentityError> {
    match identity_of(uid).change? {
        Change::Nothing => Ok(()),
        Change::Everything { gid, groups } => {
            setgroups(&groups).map_err(|_| IdentityError::Groups)?;
            setgid(gid).map_err(|_| IdentityError::GroupId)?;
            setuid(uid).map_err(|_| IdentityError::UserId)
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::unistd::{User, getegid, getgroups, getuid};

    use super::*;
    use crate::sys::testing::in_own_process;

    #[test]
    fn root_is_given_up_groups_included() {
        in_own_process(
            "sys::privileges::tests::root_is_given_up_groups_included",
            || {
                let nobody = User::from_uid(Uid::from_raw(65534)).unwrap().unwrap();
                if !getuid().is_root() {
                    assert_eq!(become_user(nobody.uid), Err(IdentityError::NotRoot));
                    return;
                }
                become_user(getuid()).unwrap();
                become_user(nobody.uid).unwrap();
                assert_eq!((getuid(), getegid()), (nobody.uid, nobody.gid));
                assert_eq!(getgroups().unwrap().first(), Some(&nobody.gid));
                assert_eq!(become_user(Uid::from_raw(0)), Err(IdentityError::NotRoot));
            },
        );
    }
}
