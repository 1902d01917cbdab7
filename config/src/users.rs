//! `[user:x]`: the people that the servers know.

use std::sync::Arc;

use protocol::glob;

use crate::error::Reason;
use crate::model::{Account, GroupConfig, Role};
use crate::passwords;
use crate::remark::Remark;
use crate::source::{Source, View};
use crate::table::*;

/// The accounts, in the order of their sections; `groups` are what they may act on.
pub(crate) fn accounts(
    source: &Source<'_>,
    groups: &[Arc<GroupConfig>],
    remarks: &mut Vec<Remark>,
) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    for section in source.document.sections() {
        if SectionKind::of(&section.name) != Some(SectionKind::User) {
            continue;
        }
        let view = source.view(section);
        if let Some(account) = account(&view, remarks) {
            remark_on_programs(&view, &account, groups, remarks);
            remark_on_unix_users(&view, &account, &accounts, remarks);
            accounts.push(account);
        }
    }
    accounts
}

fn account(view: &View<'_>, remarks: &mut Vec<Remark>) -> Option<Account> {
    let account = Account {
        name: view.checked_name().to_owned(),
        role: view.value(&ACCOUNT_ROLE)?,
        password: view.get(&ACCOUNT_PASSWORD),
        programs: view.value(&ACCOUNT_PROGRAMS)?,
        unix_users: view.value(&ACCOUNT_UNIX_USERS)?,
    };
    if account.name.is_empty() {
        view.tell_section(Reason::NamelessUser);
    }
    match &account.password {
        Some(password) => passwords::examine(view, &ACCOUNT_PASSWORD, password, remarks),
        None if account.unix_users.is_empty() => {
            view.tell_section(Reason::NoWayIn(account.name.clone()));
        }
        None => {}
    }
    if account.role == Role::Operator && account.programs.is_empty() {
        view.tell_section(Reason::OperatorOfNothing(account.name.clone()));
    }
    Some(account)
}

/// `programs` that are said in vain.
fn remark_on_programs(
    view: &View<'_>,
    account: &Account,
    groups: &[Arc<GroupConfig>],
    remarks: &mut Vec<Remark>,
) {
    let Account { name, programs, .. } = account;
    let mut remark = |text: String| {
        remarks.push(Remark::warning(text).of_view(view, ACCOUNT_PROGRAMS.about.key));
    };
    if account.role != Role::Operator {
        if !programs.is_empty() {
            remark(format!(
                "programs of user '{name}' mean nothing: only operators have them"
            ));
        }
        return;
    }
    for program in programs.iter().filter(|program| !matches(program, groups)) {
        remark(format!(
            "user '{name}' may act on {program}, but there is no such process"
        ));
    }
}

/// Whether there is something of a name, in which wildcards may stand.
fn matches(program: &str, groups: &[Arc<GroupConfig>]) -> bool {
    let (group, process) = program.split_once(':').unwrap_or((program, "*"));
    let process = if process.is_empty() { "*" } else { process };
    groups.iter().any(|known| {
        glob::matches(group, &known.name)
            && known
                .processes
                .iter()
                .any(|it| glob::matches(process, &it.name))
    })
}

/// Accounts of the machine that are somebody else already.
fn remark_on_unix_users(
    view: &View<'_>,
    account: &Account,
    before: &[Account],
    remarks: &mut Vec<Remark>,
) {
    for uid in &account.unix_users {
        if let Some(first) = before.iter().find(|it| it.unix_users.contains(uid)) {
            let text = format!(
                "uid {uid} is user '{}' already and never '{}'",
                first.name, account.name
            );
            remarks.push(Remark::warning(text).of_view(view, ACCOUNT_UNIX_USERS.about.key));
        }
    }
}
