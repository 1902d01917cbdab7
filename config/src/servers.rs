//! HTTP servers and the RPC interfaces they serve.

use crate::document::Section;
use crate::error::Reason;
use crate::judge::{TlsFile, TlsFlaw};
use crate::model::{Credentials, ServerAddress, ServerConfig, TlsFiles};
use crate::passwords;
use crate::remark::Remark;
use crate::source::{Source, View};
use crate::table::*;

/// The RPC interface that exists.
const MAIN_INTERFACE: &str = "supervisor.rpcinterface:make_main_rpcinterface";

/// The servers: TCP ones, then Unix ones.
pub(crate) fn servers(source: &Source<'_>, remarks: &mut Vec<Remark>) -> Vec<ServerConfig> {
    let mut servers = Vec::new();
    for section in of_kind(source, SectionKind::InetHttpServer) {
        servers.extend(inet_server(&source.view(section), remarks));
    }
    for section in of_kind(source, SectionKind::UnixHttpServer) {
        servers.extend(unix_server(&source.view(section), remarks));
    }
    servers
}

/// The names of the sections that ask for the RPC interface there is; any other is refused.
pub(crate) fn rpc_interfaces(source: &Source<'_>) -> Vec<String> {
    let sections = of_kind(source, SectionKind::RpcInterface);
    sections
        .filter_map(|section| rpc_interface(&source.view(section)))
        .collect()
}

fn of_kind<'s>(source: &'s Source<'_>, kind: SectionKind) -> impl Iterator<Item = &'s Section> {
    let sections = source.document.sections().iter();
    sections.filter(move |section| SectionKind::of(&section.name) == Some(kind))
}

fn inet_server(view: &View<'_>, remarks: &mut Vec<Remark>) -> Option<ServerConfig> {
    let credentials = credentials(view, remarks);
    let (host, port) = view.value(&PORT)?;
    Some(ServerConfig {
        section: view.section.name.to_string(),
        address: ServerAddress::Inet { host, port },
        credentials,
        tls: tls(view, remarks),
        server_names: view.value(&SERVER_NAMES)?,
    })
}

fn unix_server(view: &View<'_>, remarks: &mut Vec<Remark>) -> Option<ServerConfig> {
    let path = view.value(&FILE);
    let credentials = credentials(view, remarks);
    let owner = view.get_or(&CHOWN, |text, _| Reason::Chown(text));
    let mode = view.get_or(&CHMOD, |text, _| Reason::Chmod(text));
    Some(ServerConfig {
        section: view.section.name.to_string(),
        address: ServerAddress::Unix {
            path: path?,
            mode: mode.unwrap_or(0o700),
            owner,
        },
        credentials,
        tls: None,
        server_names: view.value(&SERVER_NAMES)?,
    })
}

/// Certificate and key, both or neither.
fn tls(view: &View<'_>, remarks: &mut Vec<Remark>) -> Option<TlsFiles> {
    match (view.get(&CERTFILE), view.get(&KEYFILE)) {
        (Some(certificates), Some(key)) => {
            let files = TlsFiles { certificates, key };
            examine_tls(view, &files, remarks);
            Some(files)
        }
        (None, None) => None,
        (given, _) => {
            let half = if given.is_some() { &CERTFILE } else { &KEYFILE };
            view.tell(half, Reason::HalfTls(view.section.name.to_string()));
            None
        }
    }
}

/// Tells why a certificate and its key cannot be used, or remarks on them.
fn examine_tls(view: &View<'_>, files: &TlsFiles, remarks: &mut Vec<Remark>) {
    let row = |flaw: &TlsFlaw| match flaw.file {
        TlsFile::Certificates => &CERTFILE,
        TlsFile::Key => &KEYFILE,
    };
    match view.source.judge.tls(files) {
        Ok(None) => {}
        Ok(Some(flaw)) => {
            let key = row(&flaw).about.key;
            let text = format!("Server '{}': {key} {}", view.section.name, flaw.text);
            remarks.push(Remark::warning(text).of_view(view, key));
        }
        Err(flaw) => {
            let row = row(&flaw);
            let problem = format!("{} {}", row.about.key, flaw.text);
            view.tell(
                row,
                Reason::Unusable(view.section.name.to_string(), problem),
            );
        }
    }
}

/// User name and password, both or neither. An empty user name asks for nothing.
fn credentials(view: &View<'_>, remarks: &mut Vec<Remark>) -> Option<Credentials> {
    let (username, password) = (view.get(&USERNAME), view.get(&PASSWORD));
    let half = match (view.raw(USERNAME.about.key), view.raw(PASSWORD.about.key)) {
        (Some(_), None) => Some(&USERNAME),
        (None, Some(_)) => Some(&PASSWORD),
        _ => None,
    };
    if let Some(half) = half {
        let section = view.section.name.to_string();
        view.tell(half, Reason::IncompleteAuthentication(section));
    }
    let username = username.filter(|username| !username.is_empty())?;
    let password = password?;
    passwords::examine(view, &PASSWORD, &password, remarks);
    Some(Credentials {
        username,
        password: match password.strip_prefix("{SHA}") {
            Some(digest) => format!("{{SHA}}{}", digest.to_lowercase()),
            None => password,
        },
    })
}

fn rpc_interface(view: &View<'_>) -> Option<String> {
    let interface = view.written_name();
    let mut options = view.section.options.keys();
    let extra = options.find(|option| *option != RPC_FACTORY.about.key);
    let spec = view.value(&RPC_FACTORY)?;
    if spec != MAIN_INTERFACE {
        let reason = Reason::Unresolved {
            spec,
            section: view.section.name.to_string(),
            why: "Python code cannot be loaded here; the RPC interface there is, with all methods of \
                  Supervisor, is supervisor.rpcinterface:make_main_rpcinterface",
        };
        view.tell(&RPC_FACTORY, reason);
        return None;
    }
    if let Some(option) = extra {
        view.tell_section(Reason::RpcArgument {
            interface: interface.to_owned(),
            option: option.clone(),
        });
    }
    Some(interface.to_owned())
}
