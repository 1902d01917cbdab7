//! Passwords as they stand in the configuration, and whether somebody knows them.

use argon2::password_hash::{self, PasswordHash, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params};
use sha1::{Digest as _, Sha1};

/// What marks a stored password as the hexadecimal SHA-1 of the real one.
const SHA: &str = "{SHA}";

/// What marks it as an Argon2 hash in PHC format.
const ARGON2: &str = "$argon2";

/// A password that cannot be compared with anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadHash {
    /// It is none.
    #[error("the password is no valid Argon2 hash ({0}); supervisorctl hash-password makes them")]
    Invalid(password_hash::Error),
    /// To compare with it would keep the machine busy.
    #[error(
        "the password is an Argon2 hash that takes too much to compare with: m={memory} KiB, t={passes}; m may be \
         {MEMORY} and m times t {EFFORT} at most"
    )]
    Costly {
        /// KiB.
        memory: u32,
        /// How often they are gone through.
        passes: u32,
    },
}

/// The most memory that a comparison may take, in KiB: 1 GiB.
const MEMORY: u32 = 1024 * 1024;

/// The most memory times passes, in KiB: some seconds.
const EFFORT: u32 = 2 * MEMORY;

/// A password as configured.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    /// As it is.
    Plain(String),
    /// Its SHA-1 in hexadecimal.
    Sha1(String),
    /// Its Argon2 hash in PHC format; takes long and much memory to compare with.
    Argon2(String),
}

impl Stored {
    /// Reads what the configuration has.
    ///
    /// # Errors
    /// When it looks like an Argon2 hash and is none, or one that nobody should compare with.
    pub(super) fn parse(text: &str) -> Result<Self, BadHash> {
        if let Some(hash) = text.strip_prefix(SHA) {
            return Ok(Self::Sha1(hash.to_ascii_lowercase()));
        }
        if text.starts_with(ARGON2) {
            return check(text).map(|()| Self::Argon2(text.to_owned()));
        }
        Ok(Self::Plain(text.to_owned()))
    }

    /// Whether it is `password`.
    pub(super) fn matches(&self, password: &str) -> bool {
        match self {
            Self::Plain(stored) => same(stored, password),
            Self::Sha1(hash) => same(hash, &hex(Sha1::digest(password).as_slice())),
            Self::Argon2(hash) => PasswordHash::new(hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            }),
        }
    }

    /// Whether to compare with it takes long.
    pub(super) const fn is_slow(&self) -> bool {
        matches!(self, Self::Argon2(_))
    }
}

/// Whether a hash has all that is needed to compare with it.
fn check(text: &str) -> Result<(), BadHash> {
    let (memory, passes) = cost(text).map_err(BadHash::Invalid)?;
    if memory > MEMORY || memory.saturating_mul(passes) > EFFORT {
        return Err(BadHash::Costly { memory, passes });
    }
    Ok(())
}

/// The memory in KiB and the passes of a hash that can be compared with.
fn cost(text: &str) -> Result<(u32, u32), password_hash::Error> {
    let hash = PasswordHash::new(text)?;
    Algorithm::try_from(hash.algorithm)?;
    let params = Params::try_from(&hash)?;
    match (hash.salt, hash.hash) {
        (Some(_), Some(_)) => Ok((params.m_cost(), params.t_cost())),
        _ => Err(password_hash::Error::PhcStringField),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares in a time that depends on nothing but the lengths.
pub(super) fn same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha1::digest(one), Sha1::digest(other));
    one.iter()
        .zip(other.iter())
        .fold(0, |difference, (one, other)| difference | (one ^ other))
        == 0
}

#[cfg(test)]
pub(super) mod tests {
    use argon2::Version;
    use argon2::password_hash::{PasswordHasher as _, SaltString};

    use super::*;

    /// An Argon2id hash, made for speed.
    pub(in crate::http) fn hashed(password: &str) -> String {
        let params = Params::new(8, 1, 1, None).unwrap();
        let salt = SaltString::encode_b64(b"salt of sixteen.").unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon2.hash_password(password.as_bytes(), &salt);
        hash.unwrap().to_string()
    }

    #[test]
    fn passwords_are_compared_in_each_form() {
        let hashed = hashed("thepassword");
        let rows = [
            ("thepassword", "thepassword", true),
            ("thepassword", "the password", false),
            ("", "", true),
            (
                "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d",
                "thepassword",
                true,
            ),
            (
                "{SHA}82AB876D1387BFAFE46CC1C8A2EF074EAE50CB1D",
                "thepassword",
                true,
            ),
            (
                "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d",
                "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d",
                false,
            ),
            (&hashed, "thepassword", true),
            (&hashed, "thepassword ", false),
            (&hashed, &hashed, false),
        ];
        for (stored, password, expected) in rows {
            let stored = Stored::parse(stored).unwrap();
            assert_eq!(stored.matches(password), expected, "{stored:?} {password}");
        }
    }

    #[test]
    fn costly_hashes_are_refused() {
        let cheap = hashed("x");
        let rows = [
            ("m=65536,t=3,p=4", true),
            ("m=1048576,t=2,p=4", true),
            ("m=1048577,t=1,p=1", false),
            ("m=1048576,t=3,p=4", false),
            ("m=8,t=4294967295,p=1", false),
        ];
        for (params, fine) in rows {
            let text = cheap.replace("m=8,t=1,p=1", params);
            assert_eq!(Stored::parse(&text).is_ok(), fine, "{params}");
        }
    }

    #[test]
    fn broken_hashes_are_refused() {
        let whole = hashed("x");
        let without_hash = whole.rsplit_once('$').unwrap().0;
        let other = whole.replace("argon2id", "argon2x");
        for text in ["$argon2id$", "$argon2id$v=19$m=8", without_hash, &other] {
            assert!(Stored::parse(text).is_err(), "{text}");
        }
    }
}
