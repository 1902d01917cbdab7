//! Basic authentication.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::model::Credentials;
use hyper::header::{AUTHORIZATION, HeaderMap};
use sha1::{Digest as _, Sha1};

/// What marks a stored password as the hexadecimal SHA-1 of the real one.
const HASHED: &str = "{SHA}";

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    /// No credentials, or wrong ones.
    #[error("no valid credentials")]
    Unauthorized,
    /// Credentials that cannot be decoded.
    #[error("malformed credentials")]
    Malformed,
}

/// Checks the credentials of a request.
pub(super) fn check(credentials: &Credentials, headers: &HeaderMap) -> Result<(), Denied> {
    let header = headers.get(AUTHORIZATION).ok_or(Denied::Unauthorized)?;
    let header = header.to_str().map_err(|_| Denied::Malformed)?;
    let (scheme, encoded) = header.split_once(' ').ok_or(Denied::Unauthorized)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Denied::Unauthorized);
    }
    let decoded = STANDARD
        .decode(encoded.trim())
        .map_err(|_| Denied::Malformed)?;
    let decoded = String::from_utf8(decoded).map_err(|_| Denied::Malformed)?;
    let (username, password) = decoded.split_once(':').ok_or(Denied::Unauthorized)?;
    let known = same(username, &credentials.username);
    // Both are looked at, so that the time does not tell which was wrong.
    match known & matches(&credentials.password, password) {
        true => Ok(()),
        false => Err(Denied::Unauthorized),
    }
}

fn matches(stored: &str, password: &str) -> bool {
    match stored.strip_prefix(HASHED) {
        Some(hash) => same(hash, &hex(Sha1::digest(password).as_slice())),
        None => same(stored, password),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares in a time that depends on nothing but the lengths.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha1::digest(one), Sha1::digest(other));
    one.iter()
        .zip(other.iter())
        .fold(0, |difference, (one, other)| difference | (one ^ other))
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(password: &str, header: Option<&str>) -> Result<(), Denied> {
        let credentials = Credentials {
            username: "ann".to_owned(),
            password: password.to_owned(),
        };
        let headers = header.map(|header| (AUTHORIZATION, header.parse().unwrap()));
        check(&credentials, &headers.into_iter().collect())
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn plain_passwords_may_hold_colons() {
        let rows = [
            ("ann:open:sesame", Ok(())),
            ("ann:open", Err(Denied::Unauthorized)),
            ("bob:open:sesame", Err(Denied::Unauthorized)),
            ("ann", Err(Denied::Unauthorized)),
            (":", Err(Denied::Unauthorized)),
        ];
        for (sent, expected) in rows {
            assert_eq!(
                outcome("open:sesame", Some(&basic(sent))),
                expected,
                "{sent}"
            );
        }
    }

    #[test]
    fn hashed_passwords_are_not_their_hash() {
        let stored = "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d";
        assert_eq!(outcome(stored, Some(&basic("ann:thepassword"))), Ok(()));
        assert_eq!(
            outcome(stored, Some(&basic(&format!("ann:{stored}")))),
            Err(Denied::Unauthorized)
        );
    }

    #[test]
    fn headers_of_other_kinds_are_refused() {
        let rows = [
            (None, Denied::Unauthorized),
            (Some("Basic"), Denied::Unauthorized),
            (Some("Bearer YW5uOng="), Denied::Unauthorized),
            (Some("Basic YW5uOng"), Denied::Malformed),
            (Some("Basic ?"), Denied::Malformed),
            (Some("Basic /w=="), Denied::Malformed),
        ];
        for (header, expected) in rows {
            assert_eq!(outcome("x", header), Err(expected), "{header:?}");
        }
        assert_eq!(outcome("x", Some("bAsIc YW5uOng=")), Ok(()));
    }
}
