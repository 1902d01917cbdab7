//! Who asks: Basic authentication, and the owners of processes on Unix sockets.
//!
//! Without `[user:x]` sections there is at most one user per server, who may do everything, as in Supervisor. With them
//! everybody has to be somebody, on every server.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::model::{Account, Credentials};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use nix::unistd::geteuid;
use tokio::time::sleep;

use super::password::BadHash;
use super::people::{Overrun, Person, Verifier};
use super::sockets::Client;
use super::turns::Origin;
use crate::access::Caller;

/// How long somebody waits who gave a wrong password, where there are accounts, or came when too many were waiting.
const PENALTY: Duration = Duration::from_millis(500);

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    /// No credentials, or wrong ones, of this user.
    #[error("no valid credentials")]
    Unauthorized(Option<String>),
    /// Credentials that cannot be decoded.
    #[error("malformed credentials")]
    Malformed,
    /// Too many want to log in at once.
    #[error("too many want to log in at once")]
    Overrun,
}

/// What a password is wrong with, and whose it is.
#[derive(Debug, thiserror::Error)]
#[error("Section [{section}] cannot be used: {problem}")]
pub struct BadPassword {
    section: String,
    problem: BadHash,
}

/// The people of all servers.
#[derive(Debug, Clone)]
pub(super) struct Accounts {
    people: Rc<[Person]>,
    peers: Rc<[(u32, Caller)]>,
    verifier: Rc<Verifier>,
    exist: bool,
}

impl Accounts {
    /// The people of the `[user:x]` sections.
    ///
    /// # Errors
    /// The first password that cannot be used.
    pub(super) fn new(accounts: &[Account]) -> Result<Self, BadPassword> {
        let person = |account: &Account| {
            let person = Person::of_account(account)?;
            Some(person.map_err(|problem| BadPassword {
                section: format!("user:{}", account.name),
                problem,
            }))
        };
        let people: Result<Vec<_>, _> = accounts.iter().filter_map(person).collect();
        let peers = accounts.iter().flat_map(|account| {
            let caller = Caller::of(account);
            let users = account.unix_users.iter();
            users.map(move |uid| (*uid, caller.clone()))
        });
        Ok(Self {
            people: people?.into(),
            peers: peers.collect(),
            verifier: Verifier::new(),
            exist: !accounts.is_empty(),
        })
    }

    /// Whether there are any.
    pub(super) const fn exist(&self) -> bool {
        self.exist
    }

    /// Whom the owner of a process is: an account that names him; else root and our own user are admins.
    fn peer(&self, uid: u32) -> Option<Caller> {
        let named = self.peers.iter().find(|(known, _)| *known == uid);
        named.map(|(_, caller)| caller.clone()).or_else(|| {
            let trusted = uid == 0 || uid == geteuid().as_raw();
            trusted.then(|| Caller::admin(&format!("uid {uid}")))
        })
    }
}

/// The way into one server.
#[derive(Debug)]
pub(super) struct Gate {
    accounts: Accounts,
    /// The user that the server's own section names.
    own: Option<Person>,
    anybody: Caller,
}

impl Gate {
    /// The gate of the server with these credentials in its section.
    ///
    /// # Errors
    /// When its password cannot be used.
    pub(super) fn new(
        accounts: &Accounts,
        section: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Self, BadPassword> {
        let anybody = Caller::anybody();
        let own = credentials.map(|credentials| {
            let caller = match accounts.exist() {
                true => Caller::admin(&credentials.username),
                false => anybody.clone(),
            };
            Person::of_section(credentials, caller)
        });
        let own = own.transpose().map_err(|problem| BadPassword {
            section: section.to_owned(),
            problem,
        })?;
        Ok(Self {
            accounts: accounts.clone(),
            own,
            anybody,
        })
    }

    /// Whether nobody is asked who he is.
    pub(super) const fn is_open(&self) -> bool {
        self.own.is_none() && !self.accounts.exist()
    }

    /// Who sends a request. A password that is given counts, and must be right; without one the owner of the process at
    /// the other end of a Unix socket does, where there are accounts.
    ///
    /// # Errors
    /// When it is nobody, or nobody can tell.
    pub(super) async fn admit(
        &self,
        client: &Client,
        headers: &HeaderMap,
    ) -> Result<Caller, Denied> {
        if self.is_open() {
            return Ok(self.anybody.clone());
        }
        if let Some(header) = headers.get(AUTHORIZATION) {
            return self.by_password(header, Origin::of(client)).await;
        }
        match client {
            Client::Unix(Some(peer)) if self.accounts.exist() => self.accounts.peer(peer.uid()),
            Client::Unix(_) | Client::Tcp(_) => None,
        }
        .ok_or(Denied::Unauthorized(None))
    }

    async fn by_password(&self, header: &HeaderValue, origin: Origin) -> Result<Caller, Denied> {
        let (name, password) = read(header)?;
        let verifier = &self.accounts.verifier;
        let mut slow = false;
        for person in self.people().filter(|person| person.is_called(&name)) {
            slow |= person.is_slow();
            match verifier.verify(person, &password, origin).await {
                Ok(true) => return Ok(person.caller()),
                Ok(false) => {}
                Err(Overrun) => return Err(overrun().await),
            }
        }
        // A name that does not exist takes as long as a wrong password.
        let decoy = self.people().find(|person| person.is_slow() && !slow);
        if let Some(decoy) = decoy
            && let Err(Overrun) = verifier.pretend(decoy, &password, origin).await
        {
            return Err(overrun().await);
        }
        if self.accounts.exist() {
            sleep(PENALTY).await;
        }
        Err(Denied::Unauthorized(Some(name)))
    }

    fn people(&self) -> impl Iterator<Item = &Person> {
        self.own.iter().chain(self.accounts.people.iter())
    }
}

/// Refuses, but not so quickly that trying again at once would fill every place that becomes free.
async fn overrun() -> Denied {
    sleep(PENALTY).await;
    Denied::Overrun
}

/// User name and password of an `Authorization` header.
fn read(header: &HeaderValue) -> Result<(String, String), Denied> {
    let header = header.to_str().map_err(|_| Denied::Malformed)?;
    let unknown = || Denied::Unauthorized(None);
    let (scheme, encoded) = header.split_once(' ').ok_or_else(unknown)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unknown());
    }
    let decoded = STANDARD.decode(encoded.trim());
    let decoded = decoded.map_err(|_| Denied::Malformed)?;
    let decoded = String::from_utf8(decoded).map_err(|_| Denied::Malformed)?;
    let (name, password) = decoded.split_once(':').ok_or_else(unknown)?;
    Ok((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use config::model::Role;

    use super::super::password::tests::hashed;
    use super::*;
    use crate::access::Deed;

    fn account(name: &str, role: Role, password: Option<&str>, uids: &[u32]) -> Account {
        Account {
            name: name.to_owned(),
            role,
            password: password.map(str::to_owned),
            programs: Vec::new(),
            unix_users: uids.to_vec(),
        }
    }

    fn gate(accounts: &[Account], password: Option<&str>) -> Gate {
        let credentials = password.map(|password| Credentials {
            username: "ann".to_owned(),
            password: password.to_owned(),
        });
        let accounts = Accounts::new(accounts).unwrap();
        Gate::new(&accounts, "server", credentials.as_ref()).unwrap()
    }

    /// On a clock that jumps ahead whenever everybody waits.
    fn admit(gate: &Gate, header: Option<&str>) -> Result<String, Denied> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let header = header.map(|header| (AUTHORIZATION, header.parse().unwrap()));
        let headers = header.into_iter().collect();
        let client = Client::Tcp(([127, 0, 0, 1], 1).into());
        let caller = runtime.block_on(gate.admit(&client, &headers))?;
        let may = caller.may(&Deed::Administer("shutdown"));
        Ok(format!("{caller}{}", if may { "!" } else { "" }))
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    fn unauthorized(name: &str) -> Result<String, Denied> {
        Err(Denied::Unauthorized(Some(name.to_owned())))
    }

    #[test]
    fn without_accounts_anybody_is_somebody_and_credentials_are_asked_for() {
        let anybody = || Ok("anybody!".to_owned());
        assert_eq!(admit(&gate(&[], None), None), anybody());
        assert_eq!(admit(&gate(&[], None), Some("nonsense")), anybody());
        let gate = gate(&[], Some("open:sesame"));
        let rows = [
            ("ann:open:sesame", anybody()),
            ("ann:open", unauthorized("ann")),
            ("bob:open:sesame", unauthorized("bob")),
            ("ann", Err(Denied::Unauthorized(None))),
            (":", unauthorized("")),
        ];
        for (sent, expected) in rows {
            assert_eq!(admit(&gate, Some(&basic(sent))), expected, "{sent}");
        }
    }

    #[test]
    fn headers_of_other_kinds_are_refused() {
        let gate = gate(&[], Some("x"));
        let rows = [
            (None, Denied::Unauthorized(None)),
            (Some("Basic"), Denied::Unauthorized(None)),
            (Some("Bearer YW5uOng="), Denied::Unauthorized(None)),
            (Some("Basic YW5uOng"), Denied::Malformed),
            (Some("Basic ?"), Denied::Malformed),
            (Some("Basic /w=="), Denied::Malformed),
        ];
        for (header, expected) in rows {
            assert_eq!(admit(&gate, header), Err(expected), "{header:?}");
        }
        assert!(admit(&gate, Some("bAsIc YW5uOng=")).is_ok());
    }

    #[test]
    fn accounts_and_the_sections_own_user_log_in_by_password() {
        let accounts = [
            account("bob", Role::ReadOnly, Some("b"), &[]),
            account("eve", Role::Admin, Some(&hashed("e")), &[]),
            account("kim", Role::Admin, None, &[7]),
        ];
        let gate = gate(&accounts, Some("a"));
        let rows = [
            ("ann:a", Ok("ann!".to_owned())),
            ("bob:b", Ok("bob".to_owned())),
            ("eve:e", Ok("eve!".to_owned())),
            ("eve:e", Ok("eve!".to_owned())),
            ("eve:b", unauthorized("eve")),
            ("bob:e", unauthorized("bob")),
            ("kim:", unauthorized("kim")),
            ("zoe:e", unauthorized("zoe")),
        ];
        for (sent, expected) in rows {
            assert_eq!(admit(&gate, Some(&basic(sent))), expected, "{sent}");
        }
        assert_eq!(admit(&gate, None), Err(Denied::Unauthorized(None)));
    }

    #[test]
    fn owners_of_processes_are_who_they_are_named_as() {
        let own = geteuid().as_raw();
        let accounts = [
            account("kim", Role::ReadOnly, None, &[70_000, 70_001]),
            account("low", Role::ReadOnly, None, &[0]),
        ];
        let peers = |accounts: &[Account], uid| {
            let accounts = Accounts::new(accounts).unwrap();
            accounts.peer(uid).map(|caller| caller.to_string())
        };
        assert_eq!(peers(&accounts, 70_001).as_deref(), Some("kim"));
        assert_eq!(peers(&accounts, 70_002), None);
        assert_eq!(peers(&accounts, 0).as_deref(), Some("low"));
        assert_eq!(peers(&accounts[..1], 0).as_deref(), Some("uid 0"));
        let ours = if own == 0 {
            "low".to_owned()
        } else {
            format!("uid {own}")
        };
        assert_eq!(peers(&accounts, own), Some(ours));
    }

    #[test]
    fn hashes_that_are_none_are_refused_with_their_section() {
        let accounts = [account("ann", Role::Admin, Some("$argon2id$x"), &[])];
        let problem = Accounts::new(&accounts).unwrap_err().to_string();
        assert!(
            problem.starts_with("Section [user:ann] cannot be used"),
            "{problem}"
        );
    }
}
