//! What a route is, and which one a request takes.

use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use protocol::faults::FaultCode;
use protocol::methods::{self, COMMON_FAULTS, Method as Call};

use super::problem::Problem;
use super::routes::ROUTES;
use super::schema::{Json, Schema, Schemas};

/// A row of the table.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) verb: Verb,
    /// Its path; a segment in braces stands for any one.
    pub(super) path: &'static str,
    /// Its name for programs.
    pub(super) operation: &'static str,
    /// What it does, in a line; empty where the method's own summary says it.
    summary: &'static str,
    /// What it takes, for a call in the order of the method's parameters.
    pub(super) params: &'static [Param],
    pub(super) action: Action,
    pub(super) answer: Answer,
}

/// The method of a request; HEAD is GET without the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Calls a method with the parameters as its arguments.
    Call(Call),
    /// Stops and starts.
    Restart(Scope),
    /// Calls reloadConfig and names what it answers.
    Reload,
    Daemon,
    MainLog,
    FollowMain,
    Processes,
    Process,
    ReadLog,
    FollowLog,
    Groups,
    Events,
    Metrics,
    OpenApi,
}

/// How much is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Named,
    Group,
    All,
}

/// What an answer is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// JSON of this schema.
    Json(fn(&mut Schemas) -> Json),
    /// Server-sent events; what each one is.
    Events(&'static str),
    /// The text of the metrics.
    Text,
    /// This very document.
    Document,
}

/// A parameter.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) need: Need,
    pub(super) doc: &'static str,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Body,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Flag,
    /// A number of bytes, or an offset from the end if negative.
    Integer,
    /// A number up to this.
    Count(i32),
    /// A name or number.
    Signal,
    OneOf(&'static [&'static str]),
    /// Names of event types with commas between them.
    EventTypes,
}

/// Whether a parameter may be left out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    Required,
    Optional,
    /// Left out, it is this truth.
    Flag(bool),
    /// Left out, it is this number.
    Number(i32),
}

impl Param {
    pub(super) const fn new(
        place: Place,
        name: &'static str,
        kind: Kind,
        need: Need,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            place,
            kind,
            need,
            doc,
        }
    }
}

impl Route {
    pub(super) const fn new(
        verb: Verb,
        path: &'static str,
        operation: &'static str,
        params: &'static [Param],
        action: Action,
        answer: Answer,
    ) -> Self {
        Self {
            verb,
            path,
            operation,
            summary: "",
            params,
            action,
            answer,
        }
    }

    pub(super) const fn about(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// What it does, in a line.
    pub(super) fn summary(&self) -> &'static str {
        match (self.summary, self.action) {
            ("", Action::Call(method)) => method.spec().summary,
            (summary, _) => summary,
        }
    }

    pub(super) fn has_place(&self, place: Place) -> bool {
        self.params.iter().any(|param| param.place == place)
    }

    /// The faults it may answer with.
    pub(super) fn faults(&self) -> Vec<FaultCode> {
        let methods = self.action.methods();
        let mut faults: Vec<_> = methods
            .iter()
            .flat_map(|method| method.spec().faults)
            .copied()
            .collect();
        faults.extend(methods.iter().flat_map(|method| common(*method)));
        faults.sort_by_key(|fault| fault.code());
        faults.dedup();
        faults
    }

    /// The decoded segments that stand for the braces, if the path fits.
    fn fits(&self, path: &str) -> Option<Vec<String>> {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        let mut values = Vec::new();
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(values),
                (Some(wanted), Some(given)) if wanted.starts_with('{') => {
                    let value = percent_decode_str(given).decode_utf8().ok()?;
                    values.push(value.into_owned());
                }
                (Some(wanted), Some(given)) if wanted == given => {}
                _ => return None,
            }
        }
    }
}

fn common(method: Call) -> impl Iterator<Item = FaultCode> {
    let is_ours = method.spec().namespace != methods::Namespace::System;
    let always = !method.works_in_shutdown();
    COMMON_FAULTS
        .into_iter()
        .filter(move |fault| is_ours && (always || *fault != FaultCode::ShutdownState))
}

impl Action {
    /// The methods whose faults it may end in.
    fn methods(self) -> Vec<Call> {
        match self {
            Self::Call(method) => vec![method],
            Self::Restart(Scope::Named) => vec![Call::StopProcess, Call::StartProcess],
            Self::Restart(Scope::Group) => vec![Call::StopProcessGroup, Call::StartProcessGroup],
            Self::Restart(Scope::All) => vec![Call::StopAllProcesses, Call::StartAllProcesses],
            Self::Reload => vec![Call::ReloadConfig],
            Self::MainLog => vec![Call::ReadLog],
            Self::Process => vec![Call::GetProcessInfo],
            Self::ReadLog | Self::FollowLog => vec![Call::ReadProcessStdoutLog],
            Self::Processes | Self::Groups => vec![Call::GetAllProcessInfo],
            Self::FollowMain => vec![Call::ReadLog],
            Self::Daemon | Self::Events | Self::Metrics | Self::OpenApi => vec![],
        }
    }
}

/// An answer of this type.
pub(super) const fn json<T: Schema>() -> Answer {
    Answer::Json(T::schema)
}

/// A route that a request takes.
#[derive(Debug)]
pub(crate) struct Found {
    pub(super) route: &'static Route,
    /// The parameters in the path, in order.
    pub(super) path: Vec<String>,
}

impl Found {
    /// The route of a request, by its method and its path as written. A path without braces goes before one with them:
    /// a process called `start` is reached as `start:start`.
    ///
    /// # Errors
    /// 404 and 405.
    pub(crate) fn at(method: &Method, path: &str) -> Result<Self, Problem> {
        let fitting = ROUTES
            .iter()
            .filter_map(|route| Some((route, route.fits(path)?)));
        let mut fitting: Vec<_> = fitting.collect();
        let Some(fewest) = fitting.iter().map(|(_, values)| values.len()).min() else {
            return Err(Problem::new(StatusCode::NOT_FOUND, "there is no such path"));
        };
        fitting.retain(|(_, values)| values.len() == fewest);
        let verb = Verb::of(method);
        let position = fitting
            .iter()
            .position(|(route, _)| Some(route.verb) == verb);
        match position {
            Some(position) => {
                let (route, path) = fitting.swap_remove(position);
                Ok(Self { route, path })
            }
            None => Err(Problem::not_allowed(
                fitting.iter().map(|(route, _)| route.verb),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Whole;
    use super::*;

    fn at(method: Method, path: &str) -> Result<(&'static str, Vec<String>), u16> {
        match Found::at(&method, path) {
            Ok(found) => Ok((found.route.operation, found.path)),
            Err(problem) => Err(Whole::from(problem).status.as_u16()),
        }
    }

    fn found(operation: &'static str, values: &[&str]) -> Result<(&'static str, Vec<String>), u16> {
        Ok((
            operation,
            values.iter().map(|&value| value.to_owned()).collect(),
        ))
    }

    #[test]
    fn requests_find_their_route() {
        let rows = [
            (Method::GET, "/api/v1/daemon", found("getDaemon", &[])),
            (Method::HEAD, "/api/v1/daemon", found("getDaemon", &[])),
            (Method::POST, "/api/v1/daemon", Err(405)),
            (Method::DELETE, "/api/v1/daemon", Err(405)),
            (Method::GET, "/api/v1/daemon/", Err(404)),
            (Method::GET, "/api/v2/daemon", Err(404)),
            (Method::GET, "/api", Err(404)),
            (
                Method::GET,
                "/api/v1/processes/web%3Aone",
                found("getProcess", &["web:one"]),
            ),
            (
                Method::GET,
                "/api/v1/processes/a%2Fb",
                found("getProcess", &["a/b"]),
            ),
            (Method::GET, "/api/v1/processes/%ff", Err(404)),
            (
                Method::POST,
                "/api/v1/processes/start",
                found("startAllProcesses", &[]),
            ),
            // Not a process called "start".
            (Method::GET, "/api/v1/processes/start", Err(405)),
            (
                Method::POST,
                "/api/v1/processes/start/start",
                found("startProcess", &["start"]),
            ),
            (Method::GET, "/metrics", found("getMetrics", &[])),
        ];
        for (method, path, expected) in rows {
            assert_eq!(at(method.clone(), path), expected, "{method} {path}");
        }
    }

    #[test]
    fn paths_name_their_parameters() {
        for route in ROUTES {
            let braces: Vec<_> = route
                .path
                .split('/')
                .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            let params = route
                .params
                .iter()
                .filter(|param| param.place == Place::Path);
            let names: Vec<_> = params.map(|param| param.name).collect();
            assert_eq!(braces, names, "{}", route.path);
            assert!(!route.summary().is_empty(), "{}", route.path);
        }
    }

    #[test]
    fn calls_get_as_many_arguments_as_they_take() {
        for route in ROUTES {
            if let Action::Call(method) = route.action {
                assert!(method.takes(route.params.len()), "{}", route.path);
            }
        }
    }
}
