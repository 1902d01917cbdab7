//! `[user:x]`: the people that the servers know.

use crate::error::Reason;
use crate::model::{Account, Role};
use crate::source::{Source, View};
use crate::table::*;

/// The accounts, in the order of their sections.
pub(crate) fn accounts(source: &Source<'_>) -> Vec<Account> {
    let sections = source.document.sections().iter();
    sections
        .filter(|section| SectionKind::of(&section.name) == Some(SectionKind::User))
        .filter_map(|section| account(&source.view(section)))
        .collect()
}

fn account(view: &View<'_>) -> Option<Account> {
    let account = Account {
        name: view.checked_name().to_owned(),
        role: view.value(&ACCOUNT_ROLE)?,
        password: view.get(&ACCOUNT_PASSWORD),
        programs: view.value(&ACCOUNT_PROGRAMS)?,
        unix_users: view.value(&ACCOUNT_UNIX_USERS)?,
    };
    if account.password.is_none() && account.unix_users.is_empty() {
        view.tell_section(Reason::NoWayIn(account.name.clone()));
    }
    if account.role == Role::Operator && account.programs.is_empty() {
        view.tell_section(Reason::OperatorOfNothing(account.name.clone()));
    }
    Some(account)
}
