//! `[user:x]`: who may do what. Supervisor knows no such section and passes over it.

use super::{Absent, Reread, SectionKind, Typed, declare};
use crate::convert::{LIST, PEOPLE, ROLE, TEXT, ValueType};
use crate::model::Role;

const fn row<T>(key: &'static str, kind: ValueType<T>) -> Typed<T> {
    Typed::new(&[SectionKind::User], key, kind).reread(Reread::NeedsRestart)
}

declare! {
    ACCOUNT_ROLE: Role = row("role", ROLE)
        .absent(Absent::Required("section [{}] does not specify a role"))
        .prose("What the user may do: `read-only` looks and changes nothing; `operator` also starts, stops, \
                signals, writes to and clears the logs of the `programs` named; `admin` does everything.");
    ACCOUNT_PASSWORD: String = row("password", TEXT)
        .absent(Absent::Unset("there is no way in by password"))
        .prose("The user's password: an Argon2 hash as `supervisorctl hash-password` makes them, `{SHA}` and the \
                SHA-1 of it in hexadecimal, or plain.");
    ACCOUNT_PROGRAMS: Vec<String> = row("programs", LIST)
        .default("")
        .prose("What an operator may act on: names as supervisorctl takes them (`db`, `web:*`, `web:worker_0`), \
                in which `*` and `?` stand for any text and any character.");
    ACCOUNT_UNIX_USERS: Vec<u32> = row("unix_users", PEOPLE)
        .default("")
        .prose("Accounts of the machine, by name or id, that are this user without a password when they come \
                through the Unix socket. root and the daemon's own account are admins there unless they are \
                named here.");
}
