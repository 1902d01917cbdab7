//! HTTP servers and the RPC interfaces they serve.

use crate::document::Section;
use crate::error::{ConfigError, Reason};
use crate::model::{Credentials, ServerAddress, ServerConfig};
use crate::source::{Source, View};
use crate::table::*;

/// The RPC interface that exists.
const MAIN_INTERFACE: &str = "supervisor.rpcinterface:make_main_rpcinterface";

/// The servers: TCP ones, then Unix ones.
pub(crate) fn servers(source: &Source<'_>) -> Result<Vec<ServerConfig>, ConfigError> {
    let inet = of_kind(source, SectionKind::InetHttpServer)
        .map(|section| inet_server(&source.view(section)));
    let unix = of_kind(source, SectionKind::UnixHttpServer)
        .map(|section| unix_server(&source.view(section)));
    inet.chain(unix).collect()
}

/// The names of the sections that ask for the RPC interface there is; any other is refused.
pub(crate) fn rpc_interfaces(source: &Source<'_>) -> Result<Vec<String>, ConfigError> {
    let sections = of_kind(source, SectionKind::RpcInterface);
    sections
        .map(|section| rpc_interface(&source.view(section)))
        .collect()
}

fn of_kind<'s>(source: &'s Source<'_>, kind: SectionKind) -> impl Iterator<Item = &'s Section> {
    let sections = source.document.sections().iter();
    sections.filter(move |section| SectionKind::of(&section.name) == Some(kind))
}

fn inet_server(view: &View<'_>) -> Result<ServerConfig, ConfigError> {
    let credentials = credentials(view)?;
    let (host, port) = view.value(&PORT)?;
    Ok(ServerConfig {
        section: view.section.name.to_string(),
        address: ServerAddress::Inet { host, port },
        credentials,
    })
}

fn unix_server(view: &View<'_>) -> Result<ServerConfig, ConfigError> {
    let path = view.value(&FILE)?;
    let credentials = credentials(view)?;
    let owner = view.get_or(&CHOWN, |text, _| Reason::Chown(text))?;
    let mode = view.get_or(&CHMOD, |text, _| Reason::Chmod(text))?;
    Ok(ServerConfig {
        section: view.section.name.to_string(),
        address: ServerAddress::Unix {
            path,
            mode: mode.unwrap_or(0o700),
            owner,
        },
        credentials,
    })
}

/// User name and password, both or neither. An empty user name asks for nothing.
fn credentials(view: &View<'_>) -> Result<Option<Credentials>, ConfigError> {
    match (view.get(&USERNAME)?, view.get(&PASSWORD)?) {
        (None, None) => Ok(None),
        (Some(username), Some(_)) if username.is_empty() => Ok(None),
        (Some(username), Some(password)) => Ok(Some(Credentials {
            username,
            password: match password.strip_prefix("{SHA}") {
                Some(digest) => format!("{{SHA}}{}", digest.to_lowercase()),
                None => password,
            },
        })),
        (username, _) => {
            let half = if username.is_some() {
                &USERNAME
            } else {
                &PASSWORD
            };
            let section = view.section.name.to_string();
            Err(view.option_error(half, Reason::IncompleteAuthentication(section)))
        }
    }
}

fn rpc_interface(view: &View<'_>) -> Result<String, ConfigError> {
    let spec = view.value(&RPC_FACTORY)?;
    if spec != MAIN_INTERFACE {
        let reason = Reason::Unresolved {
            spec,
            section: view.section.name.to_string(),
            why: "the only RPC interface is supervisor.rpcinterface:make_main_rpcinterface",
        };
        return Err(view.option_error(&RPC_FACTORY, reason));
    }
    let interface = view
        .section
        .name
        .split_once(':')
        .map_or("", |(_, name)| name);
    let mut options = view.section.options.keys();
    match options.find(|option| *option != RPC_FACTORY.about.key) {
        None => Ok(interface.to_owned()),
        Some(option) => Err(view.section_error(Reason::RpcArgument {
            interface: interface.to_owned(),
            option: option.clone(),
        })),
    }
}
