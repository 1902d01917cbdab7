//! Users and groups.

use nix::unistd::{Gid, Group, Uid, User};

use super::words::TEXT;
use super::{Context, Invalid, ValueType};
use crate::model::UserConfig;
use crate::python::{int, strip};

/// Who is to own a socket.
pub(crate) type Owner = (Uid, Option<Gid>);

pub(crate) const USER: ValueType<UserConfig> = ValueType {
    name: "user",
    accepts: "a user name or id that exists",
    convert: |text, context| {
        Ok(UserConfig {
            spelled: text.to_owned(),
            uid: context.uid(text)?,
        })
    },
};

/// A user who is looked up later than other values.
pub(crate) const USER_LATER: ValueType<String> = ValueType {
    name: USER.name,
    accepts: USER.accepts,
    ..TEXT
};

pub(crate) const PEOPLE: ValueType<Vec<u32>> = ValueType {
    name: "users",
    accepts: "names or ids of users that exist, separated by commas",
    convert: |text, context| {
        let names = text.split(',').map(strip).filter(|name| !name.is_empty());
        names.map(|name| Ok(context.uid(name)?.as_raw())).collect()
    },
};

pub(crate) const OWNER: ValueType<Owner> = ValueType {
    name: "user[:group]",
    accepts: "a user and perhaps a group, by name or id",
    convert: |text, context| owner(text, context).ok_or_else(|| Invalid::Owner(text.to_owned())),
};

impl Context<'_> {
    /// The id of a user who exists.
    fn uid(&self, text: &str) -> Result<Uid, Invalid> {
        if let Some(known) = self.users.borrow().get(text) {
            return known.clone();
        }
        let uid = look_up_user(text);
        self.users.borrow_mut().insert(text.to_owned(), uid.clone());
        uid
    }
}

fn look_up_user(text: &str) -> Result<Uid, Invalid> {
    match int(text, 10) {
        Some(number) => u32::try_from(number)
            .ok()
            .and_then(|number| User::from_uid(Uid::from_raw(number)).ok()?)
            .map(|user| user.uid)
            .ok_or_else(|| Invalid::UserId(text.to_owned())),
        None => User::from_name(text)
            .ok()
            .flatten()
            .map(|user| user.uid)
            .ok_or_else(|| Invalid::UserName(text.to_owned())),
    }
}

fn owner(text: &str, context: &Context<'_>) -> Option<Owner> {
    match text.split_once(':') {
        None => Some((context.uid(text).ok()?, None)),
        Some((user, group)) => Some((context.uid(user).ok()?, Some(gid(group)?))),
    }
}

/// The id of a group that exists.
fn gid(text: &str) -> Option<Gid> {
    let group = match int(text, 10) {
        Some(number) => Group::from_gid(Gid::from_raw(u32::try_from(number).ok()?)),
        None => Group::from_name(text),
    };
    Some(group.ok()??.gid)
}

/// The main group of a user.
pub(crate) fn gid_of(uid: Uid) -> Option<Gid> {
    Some(User::from_uid(uid).ok()??.gid)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn people_must_exist() {
        let context = Context::new(Path::new("/"), None);
        let user = |text: &str| match (USER.convert)(text, &context) {
            Ok(user) => format!("{} {}", user.spelled, user.uid),
            Err(error) => error.to_string(),
        };
        assert_eq!(user("root"), "root 0");
        assert_eq!(user("0"), "0 0");
        for _ in 0..2 {
            assert_eq!(user("no-such-user"), "Invalid user name no-such-user");
        }
        assert_eq!(user("54321987"), "Invalid user id 54321987");
        assert_eq!(user("-1"), "Invalid user id -1");
        let owner = |text: &str| (OWNER.convert)(text, &context);
        assert_eq!(owner("root"), Ok((Uid::from_raw(0), None)));
        assert_eq!(
            owner("0:root"),
            Ok((Uid::from_raw(0), Some(Gid::from_raw(0))))
        );
        assert_eq!(
            owner("root:no-such-group").map_err(|error| error.to_string()),
            Err("Invalid user:group definition root:no-such-group".to_owned())
        );
    }
}
