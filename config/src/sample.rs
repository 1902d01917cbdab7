//! The sample configuration that `echo_supervisord_conf` prints, made of the option table.
//!
//! Installers pipe it into a file, replace `/tmp/` and uncomment lines with sed, so some lines must
//! stay as they are: what is active, `;[include]`, `;files = relative/directory/*.ini`,
//! `;[inet_http_server]` and `;port=127.0.0.1:9001`. With `/tmp/` replaced or not it can be started
//! as it is, and every comment that looks like an option is right when it is uncommented.

use std::fmt::Write as _;

use crate::table::{About, Absent, SectionKind, rows_of};

const INTRODUCTION: &str = "\
; Sample supervisor config file.
;
; Lines without a semicolon in front are in force. The others show what can be set, with its default or
; an example. Everything is explained in docs/configuration.md.
;
;  - A comment begins with a semicolon; behind a value there must be a blank before it: \"a=b ;comment\".
;    That holds for commands too: \"command=sh -c 'a ; b'\" ends at the semicolon.
;  - Quotes are part of a value, except in environment=.
;  - %(ENV_HOME)s stands for a variable of the environment, %% for a percent sign; $HOME and ~ do not
;    work everywhere.
;  - /tmp may be cleaned by the system: choose other directories for anything that is to last.
";

/// The column at which comments behind values begin.
const COMMENT_COLUMN: usize = 34;

/// The whole file.
pub fn sample() -> String {
    let mut text = String::from(INTRODUCTION);
    for kind in SectionKind::ALL {
        // Nothing can be plugged into supervisorctl, so there is nothing to show.
        if kind != SectionKind::CtlPlugin {
            section(&mut text, kind);
        }
    }
    text
}

fn section(text: &mut String, kind: SectionKind) {
    text.push('\n');
    for line in purpose(kind) {
        let _ = writeln!(text, "; {line}");
    }
    if !purpose(kind).is_empty() {
        text.push('\n');
    }
    let mark = if is_active(kind) { "" } else { ";" };
    let _ = writeln!(text, "{mark}[{}{}]", kind.written(), example_name(kind));
    for row in rows_of(kind) {
        let about = row.about();
        let is_shared = about.sections.contains(&SectionKind::Program);
        if kind == SectionKind::FcgiProgram && is_shared && about.key != "command" {
            continue;
        }
        option(text, kind, about);
    }
}

fn option(text: &mut String, kind: SectionKind, about: &About) {
    let line = match (active_value(kind, about.key), kind) {
        (Some(value), SectionKind::RpcInterface) => format!("{} = {value}", about.key),
        (Some(value), _) => format!("{}={value}", about.key),
        (None, SectionKind::Include) => format!(";{} = {}", about.key, example(kind, about)),
        (None, _) => format!(";{}={}", about.key, example(kind, about)),
    };
    let _ = match kind {
        SectionKind::RpcInterface | SectionKind::Include => writeln!(text, "{line}"),
        _ => writeln!(
            text,
            "{line:COMMENT_COLUMN$} ; {}",
            first_sentence(about.prose)
        ),
    };
}

fn first_sentence(prose: &str) -> &str {
    let end = prose.find(". ").unwrap_or(prose.len());
    prose[..end].trim_end_matches('.')
}

const fn is_active(kind: SectionKind) -> bool {
    matches!(
        kind,
        SectionKind::UnixHttpServer
            | SectionKind::Supervisord
            | SectionKind::RpcInterface
            | SectionKind::Supervisorctl
    )
}

/// What the sample sets.
fn active_value(kind: SectionKind, key: &str) -> Option<&'static str> {
    let value = match (kind, key) {
        (SectionKind::UnixHttpServer, "file") => "/tmp/supervisor.sock",
        (SectionKind::Supervisord, "logfile") => "/tmp/supervisord.log",
        (SectionKind::Supervisord, "logfile_maxbytes") => "50MB",
        (SectionKind::Supervisord, "logfile_backups") => "10",
        (SectionKind::Supervisord, "loglevel") => "info",
        (SectionKind::Supervisord, "pidfile") => "/tmp/supervisord.pid",
        (SectionKind::Supervisord, "nodaemon" | "silent") => "false",
        (SectionKind::Supervisord, "minfds") => "1024",
        (SectionKind::Supervisord, "minprocs") => "200",
        (SectionKind::RpcInterface, _) => "supervisor.rpcinterface:make_main_rpcinterface",
        (SectionKind::Supervisorctl, "serverurl") => "unix:///tmp/supervisor.sock",
        _ => return None,
    };
    Some(value)
}

/// The default of an option, or an example if that is nothing to write.
fn example(kind: SectionKind, about: &About) -> &'static str {
    match (about.absent, kind, about.key) {
        (Absent::Default(text), ..) if !text.is_empty() => text,
        (_, _, "chown" | "socket_owner") => "nobody:nogroup",
        (_, _, "port") => "127.0.0.1:9001",
        (_, _, "username") => "user",
        (_, _, "password") => "123",
        (_, _, "user") => "nobody",
        (_, _, "directory" | "childlogdir") => "/tmp",
        (_, _, "environment") => "A=\"1\",B=\"two words\"",
        (_, _, "history_file") => "~/.sc_history",
        (_, SectionKind::EventListener, "command") => "/bin/eventlistener",
        (_, _, "command") => "/bin/cat",
        (_, SectionKind::EventListener, "priority") => "-1",
        (_, _, "priority") => "999",
        (_, _, "killasgroup") => "false",
        (_, _, "umask") => "022",
        (_, _, "serverurl") => "AUTO",
        (_, _, "socket") => "unix:///tmp/%(program_name)s.sock",
        (_, _, "socket_mode") => "0700",
        (_, _, "socket_backlog") => "1024",
        (_, _, "events") => "EVENT",
        (_, _, "buffer_size") => "10",
        (_, _, "buffer_file") => "/tmp/%(program_name)s.events",
        (_, SectionKind::User, "programs") => "thegroupname:*",
        (_, _, "programs") => "theprogramname",
        (_, _, "role") => "operator",
        (_, _, "unix_users") => "nobody",
        (_, _, "files") => "relative/directory/*.ini",
        _ => "",
    }
}

const fn example_name(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::RpcInterface => "supervisor",
        SectionKind::CtlPlugin => "thepluginname",
        SectionKind::Program => "theprogramname",
        SectionKind::FcgiProgram => "thefcgiprogramname",
        SectionKind::EventListener => "theeventlistenername",
        SectionKind::Group => "thegroupname",
        SectionKind::User => "theusername",
        SectionKind::UnixHttpServer
        | SectionKind::InetHttpServer
        | SectionKind::Supervisord
        | SectionKind::Supervisorctl
        | SectionKind::Include => "",
    }
}

/// What to know before writing a section.
const fn purpose(kind: SectionKind) -> &'static [&'static str] {
    match kind {
        SectionKind::InetHttpServer => &[
            "Who can connect to this port can run any command as the daemon's user. Nothing is encrypted, and",
            "without username and password everybody is let in: keep it on localhost or in a trusted network.",
        ],
        SectionKind::RpcInterface => {
            &["supervisorctl and the web pages need this section as it is."]
        }
        SectionKind::Supervisorctl => &[
            "How supervisorctl finds the daemon: give the address and password of a server above.",
        ],
        SectionKind::Program => &["A program. Copy this for each, and give it a name of its own."],
        SectionKind::FcgiProgram => &[
            "A program that gets a listening socket as its standard input. It has the options of a program,",
            "and these.",
        ],
        SectionKind::EventListener => {
            &["A program that is told what happens. Its standard output is for answers only."]
        }
        SectionKind::Group => &["Several programs that can be controlled by one name."],
        SectionKind::Include => &[
            "Further files. Their names are separated by blanks, may have wildcards and are seen from the",
            "directory of this file. They cannot include others.",
        ],
        SectionKind::User => &["Who may do what, if not everybody may do everything."],
        SectionKind::UnixHttpServer | SectionKind::Supervisord | SectionKind::CtlPlugin => &[],
    }
}

#[cfg(test)]
mod tests;
