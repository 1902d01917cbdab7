//! The people who may log in, and the slow way of finding out whether they know their password.

use std::cell::RefCell;
use std::rc::Rc;

use config::model::{Account, Credentials};
use ring::hmac;
use ring::rand::SystemRandom;

use super::password::{BadHash, Stored, same};
use super::turns::{Origin, Turns};
use crate::access::Caller;
use crate::sys::aside::aside;

/// Somebody with a password.
#[derive(Debug)]
pub(super) struct Person {
    name: String,
    stored: Stored,
    caller: Caller,
    /// The keyed hash of the right password, once it has been given: comparing with it is quick.
    known: RefCell<Option<hmac::Tag>>,
}

impl Person {
    /// Somebody of this name, who acts as `caller` with the password that the configuration has.
    pub(super) fn new(name: &str, password: &str, caller: Caller) -> Result<Self, BadHash> {
        Ok(Self {
            name: name.to_owned(),
            stored: Stored::parse(password)?,
            caller,
            known: RefCell::default(),
        })
    }

    /// The user that a server's own section names.
    pub(super) fn of_section(credentials: &Credentials, caller: Caller) -> Result<Self, BadHash> {
        Self::new(&credentials.username, &credentials.password, caller)
    }

    /// The user of an account, if it has a password.
    pub(super) fn of_account(account: &Account) -> Option<Result<Self, BadHash>> {
        let password = account.password.as_deref()?;
        Some(Self::new(&account.name, password, Caller::of(account)))
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        same(&self.name, name)
    }

    pub(super) fn caller(&self) -> Caller {
        self.caller.clone()
    }

    pub(super) const fn is_slow(&self) -> bool {
        self.stored.is_slow()
    }
}

/// Too many want to log in at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overrun;

/// Compares passwords: quick ones at once, slow ones beside the event loop, one at a time.
#[derive(Debug)]
pub(super) struct Verifier {
    turns: Turns,
    /// Lives as long as the daemon, so that what is remembered is of no use to anybody else. `None`: the system had no
    /// random bytes, and nothing is remembered.
    key: Option<hmac::Key>,
}

impl Verifier {
    pub(super) fn new() -> Rc<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Rc::new(Self {
            turns: Turns::default(),
            key: key.ok(),
        })
    }

    /// Whether `password`, which comes from `origin`, is the person's.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) async fn verify(
        &self,
        person: &Person,
        password: &str,
        origin: Origin,
    ) -> Result<bool, Overrun> {
        if !person.is_slow() {
            return Ok(person.stored.matches(password));
        }
        if self.remembers(person, password) {
            return Ok(true);
        }
        let _turn = self.turns.take(origin).await.ok_or(Overrun)?;
        // A browser asks for several things at once: the first may have been answered meanwhile.
        if self.remembers(person, password) {
            return Ok(true);
        }
        let right = compare(&person.stored, password).await;
        if right {
            let sign = |key| hmac::sign(key, password.as_bytes());
            *person.known.borrow_mut() = self.key.as_ref().map(sign);
        }
        Ok(right)
    }

    /// Takes as long as a slow comparison with the person's password that fails.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) async fn pretend(
        &self,
        person: &Person,
        password: &str,
        origin: Origin,
    ) -> Result<(), Overrun> {
        let _turn = self.turns.take(origin).await.ok_or(Overrun)?;
        compare(&person.stored, password).await;
        Ok(())
    }

    fn remembers(&self, person: &Person, password: &str) -> bool {
        match (&self.key, &*person.known.borrow()) {
            (Some(key), Some(tag)) => hmac::verify(key, password.as_bytes(), tag.as_ref()).is_ok(),
            _ => false,
        }
    }
}

async fn compare(stored: &Stored, password: &str) -> bool {
    let (stored, given) = (stored.clone(), password.to_owned());
    let compared = aside(move || stored.matches(&given)).await;
    compared.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::super::password::tests::hashed;
    use super::*;

    const HERE: Origin = Origin::User(None);

    fn run<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(test)
    }

    #[test]
    fn slow_passwords_are_remembered_when_right_and_never_when_wrong() {
        let person = Person::new("ann", &hashed("open"), Caller::anybody()).unwrap();
        let verifier = Verifier::new();
        run(async {
            assert_eq!(verifier.verify(&person, "shut", HERE).await, Ok(false));
            assert!(!verifier.remembers(&person, "shut"));
            assert_eq!(verifier.pretend(&person, "open", HERE).await, Ok(()));
            assert!(!verifier.remembers(&person, "open"));
            assert_eq!(verifier.verify(&person, "open", HERE).await, Ok(true));
            assert!(verifier.remembers(&person, "open"));
            assert!(!verifier.remembers(&person, "shut"));
            assert_eq!(verifier.verify(&person, "shut", HERE).await, Ok(false));
        });
    }

    #[test]
    fn who_is_remembered_waits_for_nobody() {
        let person = Person::new("ann", &hashed("open"), Caller::anybody()).unwrap();
        let verifier = Verifier::new();
        run(async {
            assert_eq!(verifier.verify(&person, "open", HERE).await, Ok(true));
            let turn = verifier.turns.take(HERE).await;
            assert_eq!(verifier.verify(&person, "open", HERE).await, Ok(true));
            drop(turn);
        });
    }
}
