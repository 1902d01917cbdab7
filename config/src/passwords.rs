//! Passwords that cannot be used, that `strict` forbids, and that are probably meant otherwise than they are taken.

use crate::error::Reason;
use crate::remark::Remark;
use crate::source::View;
use crate::table::Typed;

/// How SHA-1 is marked.
const SHA: &str = "{SHA}";

/// What hashes of other kinds begin with: those of crypt(3), and of what hashes passwords in other programs.
const FOREIGN: [&str; 12] = [
    "$1$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$scrypt$",
    "$pbkdf2",
];

/// Tells what is wrong with a password that has been read, or remarks on it.
pub(crate) fn examine(
    view: &View<'_>,
    row: &Typed<String>,
    password: &str,
    remarks: &mut Vec<Remark>,
) {
    let section = || view.section.name.to_string();
    if let Err(problem) = view.source.judge.password(password) {
        return view.tell(row, Reason::Unusable(section(), problem));
    }
    if password.is_empty() && view.source.strict {
        return view.tell(row, Reason::EmptyPassword(section()));
    }
    if let Some(doubt) = doubt(password) {
        let text = format!("password of [{}] {doubt}", view.section.name);
        remarks.push(Remark::critical(text).of_view(view, row.about.key).shown());
    }
}

/// What is probably not as it was meant.
fn doubt(password: &str) -> Option<String> {
    if password.is_empty() {
        return Some("is empty: whoever knows the name is let in".to_owned());
    }
    if let Some(digest) = password.strip_prefix(SHA) {
        let is_sha1 = digest.len() == 40 && digest.bytes().all(|it| it.is_ascii_hexdigit());
        return (!is_sha1)
            .then(|| format!("has no 40 hexadecimal digits behind {SHA}: no password is right"));
    }
    let hash = FOREIGN
        .iter()
        .copied()
        .find(|mark| password.starts_with(mark))
        .or_else(|| scheme(password))?;
    Some(format!(
        "begins with {hash} and is taken as it is, not as a hash: whoever can read this file can log in; supervisorctl \
         hash-password makes hashes that are known"
    ))
}

/// `{SSHA}` and the like, as LDAP servers have it.
fn scheme(password: &str) -> Option<&str> {
    let (name, _) = password.strip_prefix('{')?.split_once('}')?;
    let is_name = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.');
    let is_scheme = name.len() > 2 && name.bytes().all(is_name);
    is_scheme.then(|| &password[..name.len() + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_another_hash_is_doubted() {
        let sha1 = "82ab876d1387bfafe46cc1c8a2ef074eae50cb1d";
        let rows = [
            ("sesame", None),
            ("$ecret$", None),
            ("{x}", None),
            ("{a b}c", None),
            ("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA", None),
            (&format!("{{SHA}}{sha1}"), None),
            ("", Some("is empty")),
            ("{SHA}", Some("has no 40 hexadecimal digits")),
            ("{SHA}82ab876d", Some("has no 40 hexadecimal digits")),
            ("{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=", Some("has no 40")),
            ("{sha}x", Some("begins with {sha} and is taken")),
            ("{SSHA}abc", Some("begins with {SSHA} and is taken")),
            ("{SHA256}abc", Some("begins with {SHA256}")),
            ("$2b$12$abc", Some("begins with $2b$")),
            ("$6$salt$hash", Some("begins with $6$")),
            ("$y$j9T$salt$hash", Some("begins with $y$")),
        ];
        for (password, expected) in rows {
            let doubt = doubt(password);
            match expected {
                None => assert_eq!(doubt, None, "{password}"),
                Some(expected) => {
                    let doubt = doubt.unwrap_or_default();
                    assert!(doubt.starts_with(expected), "{password}: {doubt}");
                }
            }
        }
    }
}
