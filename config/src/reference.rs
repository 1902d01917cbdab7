//! The reference page of the configuration file, as Markdown, made of the option table.

use std::fmt::Write as _;

use crate::table::{About, Absent, Reread, Row, Scope, SectionKind, accepted, rows_of};

const INTRODUCTION: &str = include_str!("reference/introduction.md");

/// The whole page.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    for kind in SectionKind::ALL {
        section(&mut page, kind);
    }
    page
}

/// A section's heading and what it has, in a list. What it shares with programs is not repeated.
fn section(page: &mut String, kind: SectionKind) {
    let _ = write!(page, "\n## {}\n\n{}\n", heading(kind), purpose(kind));
    for row in rows_of(kind) {
        let is_shared = row.about().sections.contains(&SectionKind::Program);
        if is_shared && kind != SectionKind::Program {
            continue;
        }
        option(page, row);
    }
}

fn heading(kind: SectionKind) -> String {
    let name = if kind.written().ends_with(':') {
        "NAME"
    } else {
        ""
    };
    format!("`[{}{name}]`", kind.written())
}

const fn purpose(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::UnixHttpServer => {
            "A Unix socket on which the daemon serves RPC and the web pages. Every section whose name begins \
             like this is one."
        }
        SectionKind::InetHttpServer => {
            "A TCP port on which the daemon serves RPC and the web pages. Every section whose name begins \
             like this is one."
        }
        SectionKind::Supervisord => "The daemon itself. This section must exist.",
        SectionKind::RpcInterface => {
            "The RPC methods that the servers offer. Without this section supervisorctl cannot do anything."
        }
        SectionKind::Supervisorctl => {
            "What supervisorctl reads, in the main file only; included files are none of its business."
        }
        SectionKind::CtlPlugin => "Additions to supervisorctl.",
        SectionKind::Program => {
            "A program to run, once or several times. It is a group of its own unless a `[group:x]` lists it."
        }
        SectionKind::FcgiProgram => {
            "A program whose processes share a listening socket as their standard input. It has all options \
             of `[program:x]`, and these:"
        }
        SectionKind::EventListener => {
            "A pool of processes that are told of events, on standard input, and answer on standard output. \
             It has all options of `[program:x]`, and these:"
        }
        SectionKind::Group => "Several programs under one name.",
        SectionKind::Include => "Further files.",
        SectionKind::User => {
            "Somebody who may use the servers. As soon as there is one such section, every request must come from \
             a user: one of these, the `username` of the server's own section, who is an admin, or, on the Unix \
             socket, root or the daemon's own account. Supervisor itself passes over such sections."
        }
    }
}

fn option(page: &mut String, row: &dyn Row) {
    let about = row.about();
    let _ = write!(page, "\n### `{}`\n\n{}\n\n", about.key, about.prose);
    let _ = writeln!(page, "- Type: {} ({})", row.type_name(), accepted(row));
    let _ = writeln!(page, "- Default: {}", default(about.absent));
    let _ = writeln!(page, "- Expansions: {}", expansions(about.scope));
    let _ = writeln!(page, "- A reread: {}", reread(about.reread));
    if let Some(flag) = flag(about) {
        let _ = writeln!(page, "- Command line: {flag}");
    }
}

fn default(absent: Absent) -> String {
    match absent {
        Absent::Default("") => "empty".to_owned(),
        Absent::Default(text) => format!("`{text}`"),
        Absent::Unset(words) => format!("none: {words}"),
        Absent::Required(_) => "none, it must be set".to_owned(),
    }
}

fn expansions(scope: Scope) -> String {
    let names = scope.names().iter().map(|name| format!("`{name}`, "));
    let names: String = names.collect();
    match scope {
        Scope::Process => format!("{names}`ENV_*`, the program's own variables included"),
        _ => format!("{names}`ENV_*`"),
    }
}

const fn reread(reread: Reread) -> &'static str {
    match reread {
        Reread::ChangesGroup => "reports the group as changed, `update` restarts it",
        Reread::AtOnce => "takes the new value at once",
        Reread::NeedsRestart => "changes nothing, the daemon must be restarted",
        Reread::DecidesWhatIsRead => "reads the files that it then names",
        Reread::NotTheDaemons => "does not concern the daemon",
    }
}

fn flag(about: &About) -> Option<String> {
    let flag = about.flag?;
    let value = flag.metavar.map(|metavar| format!(" {metavar}"));
    let value = value.unwrap_or_default();
    let short = flag.short.map(|letter| format!("`-{letter}{value}`, "));
    Some(format!(
        "{}`--{}{value}`",
        short.unwrap_or_default(),
        about.key
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::rows;

    #[test]
    fn every_option_has_its_paragraph() {
        let page = reference();
        for row in rows() {
            let about = row.about();
            assert!(
                page.contains(&format!("### `{}`\n\n{}\n", about.key, about.prose)),
                "{}",
                about.key
            );
        }
    }

    #[test]
    fn the_committed_page_is_a_fresh_one() {
        let committed = include_str!("../../docs/configuration.md");
        assert!(
            committed == reference(),
            "`cargo run -p callboard-config --example reference > docs/configuration.md` renews it"
        );
    }
}
