//! Hashes of passwords, for `[user:x]` and server sections.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, SaltString};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::console;
use crate::failure::Failure;

/// The word on the command line that asks for a hash; no configuration and no server is needed then.
pub(crate) const VERB: &str = "hash-password";

/// Bytes of salt.
const SALT_BYTES: usize = 16;

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    /// Nothing was entered.
    #[error("an empty password is none")]
    Empty,
    /// What was entered twice is not the same.
    #[error("the two passwords differ")]
    Different,
    /// The system has no random bytes for the salt.
    #[error("the system has no random bytes")]
    NoSalt,
    /// Argon2 refuses, for instance a password longer than 4 GiB.
    #[error("cannot hash this password: {0}")]
    Hash(argon2::password_hash::Error),
    /// Nobody can be asked.
    #[error(transparent)]
    Input(#[from] Failure),
}

/// Does what the command line asks for: reads a password from the terminal, twice and unseen, or else a line of
/// standard input, and prints its hash.
///
/// # Errors
/// When there is no password, or none that can be hashed.
pub(crate) fn run() -> Result<(), HashError> {
    let hash = match io::stdin().is_terminal() {
        true => ask(&mut console::read_password)?,
        false => hash(&first_line()?)?,
    };
    writeln!(io::stdout(), "{hash}").map_err(|error| Failure::Output(error).into())
}

/// Asks twice for a password and hashes it.
///
/// # Errors
/// As [`run`].
pub(crate) fn ask(
    read: &mut dyn FnMut(&str) -> Result<String, Failure>,
) -> Result<String, HashError> {
    let password = read("New password: ")?;
    if read("The same again: ")? != password {
        return Err(HashError::Different);
    }
    hash(&password)
}

fn first_line() -> Result<String, HashError> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(Failure::Input)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The Argon2id hash in PHC format, with the parameters that OWASP recommends: 19 MiB, two passes, one lane.
fn hash(password: &str) -> Result<String, HashError> {
    if password.is_empty() {
        return Err(HashError::Empty);
    }
    let mut salt = [0; SALT_BYTES];
    let filled = SystemRandom::new().fill(&mut salt);
    filled.map_err(|_| HashError::NoSalt)?;
    let salt = SaltString::encode_b64(&salt).map_err(HashError::Hash)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(HashError::Hash)?.to_string())
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHash, PasswordVerifier as _};

    use super::*;

    /// What comes of two answers.
    fn outcome(first: &str, second: &str) -> Result<String, String> {
        let mut answers = [second.to_owned(), first.to_owned()].into_iter().rev();
        let outcome = ask(&mut |_| answers.next().ok_or(Failure::EndOfInput));
        outcome.map_err(|error| error.to_string())
    }

    #[test]
    fn hashes_are_of_the_password_and_never_the_same() {
        let hashes = [(); 2].map(|()| outcome("open % sesame", "open % sesame").unwrap());
        assert_ne!(hashes[0], hashes[1]);
        for hash in hashes {
            assert!(
                hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
                "{hash}"
            );
            assert!(!hash.contains(['%', ' ', ';', '#']), "{hash}");
            let hash = PasswordHash::new(&hash).unwrap();
            let verify =
                |password: &str| Argon2::default().verify_password(password.as_bytes(), &hash);
            assert!(verify("open % sesame").is_ok());
            assert!(verify("open").is_err());
        }
    }

    #[test]
    fn what_is_no_password_is_refused() {
        let rows = [
            ("a", "b", "the two passwords differ"),
            ("", "", "an empty password is none"),
        ];
        for (first, second, problem) in rows {
            assert_eq!(outcome(first, second), Err(problem.to_owned()));
        }
    }
}
