//! Who may do what: people's roles, held against methods.
//!
//! Everything that clients ask for, by XML-RPC, JSON or the web pages, becomes a call of a method, and every call is
//! allowed or refused here.

mod deed;
mod pattern;

use std::fmt;
use std::rc::Rc;

use config::model::{Account, Role};
use protocol::faults::{Fault, FaultCode};

pub use deed::{Deed, Target};
use pattern::Pattern;

/// Somebody who asks; cheap to clone.
#[derive(Debug, Clone)]
pub struct Caller(Rc<Identity>);

#[derive(Debug)]
struct Identity {
    /// For the log; `None` where nobody has to say who he is.
    name: Option<String>,
    rights: Rights,
}

#[derive(Debug)]
enum Rights {
    Nothing,
    Everything,
    Looking,
    Operating(Vec<Pattern>),
}

impl Caller {
    /// Somebody who has not been asked yet who he is, and may do nothing.
    pub fn nobody() -> Self {
        Self(Rc::new(Identity {
            name: None,
            rights: Rights::Nothing,
        }))
    }

    /// Somebody who need not say who he is: no user is configured, so everything is allowed.
    pub fn anybody() -> Self {
        Self(Rc::new(Identity {
            name: None,
            rights: Rights::Everything,
        }))
    }

    /// Somebody who may do everything: the `username` of a server's section, or root on the Unix socket.
    pub fn admin(name: &str) -> Self {
        Self(Rc::new(Identity {
            name: Some(name.to_owned()),
            rights: Rights::Everything,
        }))
    }

    /// The user of a `[user:x]` section.
    pub fn of(account: &Account) -> Self {
        let patterns = || account.programs.iter().map(|text| Pattern::parse(text));
        Self(Rc::new(Identity {
            name: Some(account.name.clone()),
            rights: match account.role {
                Role::Admin => Rights::Everything,
                Role::ReadOnly => Rights::Looking,
                Role::Operator => Rights::Operating(patterns().collect()),
            },
        }))
    }

    /// Whether the caller has said who he is.
    pub fn is_known(&self) -> bool {
        self.0.name.is_some()
    }

    /// Whether the caller may do this.
    ///
    /// # Errors
    /// NOT_PERMITTED, saying who may not do what.
    pub fn check(&self, deed: &Deed<'_>) -> Result<(), Fault> {
        match self.may(deed) {
            true => Ok(()),
            false => Err(FaultCode::NotPermitted.about(format!("{self} may not {deed}"))),
        }
    }

    /// Whether the caller may do this.
    pub fn may(&self, deed: &Deed<'_>) -> bool {
        match (&self.0.rights, deed) {
            (Rights::Nothing, _) => false,
            (Rights::Everything, _) | (_, Deed::Look) => true,
            (Rights::Operating(patterns), Deed::Operate(target)) => {
                patterns.iter().any(|pattern| pattern.covers(target))
            }
            (Rights::Operating(_), Deed::Administer(_)) | (Rights::Looking, _) => false,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name.as_deref().unwrap_or(match self.0.rights {
            Rights::Nothing => "nobody",
            _ => "anybody",
        }))
    }
}

#[cfg(test)]
mod tests {
    use protocol::methods::Method;
    use protocol::xmlrpc::Value;

    use super::*;

    fn account(role: Role, programs: &[&str]) -> Caller {
        Caller::of(&Account {
            name: "ann".to_owned(),
            role,
            password: None,
            programs: programs.iter().map(|&text| text.to_owned()).collect(),
            unix_users: Vec::new(),
        })
    }

    fn allowed(caller: &Caller, method: Method, name: &str) -> bool {
        caller.may(&Deed::of(method, &[Value::from(name)]))
    }

    #[test]
    fn roles_are_held_against_methods() {
        use Method::{ClearLog, GetProcessInfo, Shutdown, StartProcess, StopProcessGroup};
        let rows = [
            (GetProcessInfo, true, true, true),
            (StartProcess, false, true, true),
            (StopProcessGroup, false, true, true),
            (ClearLog, false, false, true),
            (Shutdown, false, false, true),
        ];
        for (method, reader, operator, admin) in rows {
            let caller = account(Role::ReadOnly, &[]);
            assert_eq!(allowed(&caller, method, "web"), reader, "{method:?}");
            let caller = account(Role::Operator, &["web"]);
            assert_eq!(allowed(&caller, method, "web"), operator, "{method:?}");
            let caller = account(Role::Admin, &[]);
            assert_eq!(allowed(&caller, method, "web"), admin, "{method:?}");
        }
    }

    #[test]
    fn operators_have_their_programs_and_no_others() {
        let caller = account(Role::Operator, &["db", "web:worker_*", "batch:*"]);
        let rows = [
            ("db", true),
            ("db:*", true),
            ("web:worker_1", true),
            ("web:other", false),
            ("web:*", false),
            ("batch:", true),
            ("batch:a", true),
            ("*", false),
            ("", false),
        ];
        for (name, expected) in rows {
            assert_eq!(
                allowed(&caller, Method::StopProcess, name),
                expected,
                "{name}"
            );
        }
        assert!(!caller.may(&Deed::of(Method::StopAllProcesses, &[])));
        let all = account(Role::Operator, &["*"]);
        assert!(all.may(&Deed::of(Method::StopAllProcesses, &[])));
    }

    #[test]
    fn who_has_not_been_asked_may_nothing() {
        assert!(!Caller::nobody().may(&Deed::Look));
        assert!(Caller::anybody().may(&Deed::Administer("shutdown")));
    }

    #[test]
    fn refusals_say_who_may_not_do_what() {
        let caller = account(Role::ReadOnly, &[]);
        let refused = |method, arguments: &[Value]| {
            let refused = caller.check(&Deed::of(method, arguments));
            refused.unwrap_err().to_string()
        };
        assert_eq!(
            refused(Method::StartProcess, &[Value::from("web:1")]),
            "NOT_PERMITTED: ann may not act on web:1"
        );
        assert_eq!(
            refused(Method::StopAllProcesses, &[]),
            "NOT_PERMITTED: ann may not act on all processes"
        );
        assert_eq!(
            refused(Method::Shutdown, &[]),
            "NOT_PERMITTED: ann may not call shutdown"
        );
    }
}
