//! Parameters: out of the path, the query and the body, of the types the table says.

use std::borrow::Cow;

use hyper::StatusCode;
use percent_encoding::percent_decode_str;
use protocol::events::{EventSet, EventType};
use protocol::xmlrpc::Value;
use serde_json::{Map, Value as Json};

use super::problem::Problem;
use super::route::{Found, Kind, Need, Param, Place, Route, Verb};

/// The parameters of a request, in the order of its route.
#[derive(Debug)]
pub(super) struct Given {
    route: &'static Route,
    values: Vec<Option<Value>>,
}

type Refused<T> = Result<T, Problem>;

impl Given {
    /// Reads what a request gives.
    ///
    /// # Errors
    /// 400, naming what is wrong.
    pub(super) fn read(found: Found, query: &str, body: &[u8]) -> Refused<Self> {
        let route = found.route;
        let mut query = split_query(route, query)?;
        let mut body = members(route, body)?;
        let mut path = found.path.into_iter();
        let values = route.params.iter().map(|param| {
            let value = match param.place {
                Place::Path => path.next().map(|text| of_text(param, &text)),
                Place::Query => take(&mut query, param.name).map(|text| of_text(param, &text)),
                Place::Body => body.remove(param.name).map(|value| of_json(param, value)),
            };
            match (value.transpose()?, param.need) {
                (None, Need::Required) => Err(Problem::parameter(param.name, "is missing")),
                (None, Need::Optional) => Ok(None),
                (None, Need::Flag(truth)) => Ok(Some(truth.into())),
                (None, Need::Number(number)) => Ok(Some(number.into())),
                (value, _) => Ok(value),
            }
        });
        Ok(Self {
            route,
            values: values.collect::<Refused<_>>()?,
        })
    }

    /// Whether nothing is to be changed.
    pub(super) fn is_inquiry(&self) -> bool {
        self.route.verb == Verb::Get
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let position = self
            .route
            .params
            .iter()
            .position(|param| param.name == name)?;
        self.values.get(position)?.as_ref()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn count(&self, name: &str) -> usize {
        let number = self.get(name).and_then(Value::as_int).unwrap_or(0);
        usize::try_from(number).unwrap_or(0)
    }

    /// The event types of a list; all if there is none.
    pub(super) fn event_types(&self, name: &str) -> EventSet {
        let list = self.text(name).unwrap_or(EventType::Event.name());
        list.split(',')
            .filter_map(|name| EventType::from_name(name.trim()))
            .collect()
    }

    /// All of them, as arguments of the route's method.
    pub(super) fn arguments(self) -> Vec<Value> {
        self.values.into_iter().flatten().collect()
    }
}

/// The names and values of a query, in which every name is one of the route's, once.
fn split_query<'a>(route: &Route, query: &'a str) -> Refused<Vec<(Cow<'a, str>, String)>> {
    let mut pairs: Vec<(Cow<'a, str>, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = percent_decode_str(name).decode_utf8_lossy();
        let known = |param: &Param| param.place == Place::Query && param.name == name;
        if !route.params.iter().any(known) {
            return Err(Problem::parameter(&name, "there is no such parameter"));
        }
        if pairs.iter().any(|(earlier, _)| *earlier == name) {
            return Err(Problem::parameter(&name, "is given twice"));
        }
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value)
            .decode_utf8()
            .map_err(|_| Problem::parameter(&name, "is no UTF-8"))?;
        pairs.push((name, value.into_owned()));
    }
    Ok(pairs)
}

fn take(pairs: &mut Vec<(Cow<'_, str>, String)>, name: &str) -> Option<String> {
    let position = pairs.iter().position(|(key, _)| key == name)?;
    Some(pairs.swap_remove(position).1)
}

/// The members of a body; none if there is no body.
fn members(route: &Route, body: &[u8]) -> Refused<Map<String, Json>> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let bad = |text: String| Problem::new(StatusCode::BAD_REQUEST, text);
    let members = match serde_json::from_slice(body) {
        Ok(Json::Object(members)) => members,
        Ok(_) => return Err(bad("the body is JSON, but no object".to_owned())),
        Err(error) => return Err(bad(format!("the body is no JSON: {error}"))),
    };
    let known = |name: &String| {
        let mut params = route.params.iter();
        params.any(|param| param.place == Place::Body && param.name == name)
    };
    match members.keys().find(|name| !known(name)) {
        Some(name) => Err(Problem::parameter(name, "there is no such member")),
        None => Ok(members),
    }
}

/// A parameter that came as text.
fn of_text(param: &Param, text: &str) -> Refused<Value> {
    let value = match param.kind {
        Kind::Text | Kind::Signal => Some(text.into()),
        Kind::Flag => match text {
            "true" | "1" => Some(true.into()),
            "false" | "0" => Some(false.into()),
            _ => None,
        },
        Kind::Integer => text.parse::<i64>().ok().map(number),
        Kind::Count(most) => text
            .parse::<i32>()
            .ok()
            .filter(|count| (0..=most).contains(count) && text.bytes().all(|b| b.is_ascii_digit()))
            .map(Value::Int),
        Kind::OneOf(names) => names.contains(&text).then(|| text.into()),
        Kind::EventTypes => event_types(param, text)?,
    };
    value.ok_or_else(|| refusal(param, text))
}

fn refusal(param: &Param, text: &str) -> Problem {
    let status = match param.place {
        // That path does not exist.
        Place::Path => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    let wanted = wanted(param.kind);
    let name = param.name;
    Problem::new(
        status,
        format!("parameter '{name}': {wanted} expected, not {text:?}"),
    )
}

fn event_types(param: &Param, text: &str) -> Refused<Option<Value>> {
    match text
        .split(',')
        .find(|name| EventType::from_name(name.trim()).is_none())
    {
        Some(name) => Err(Problem::parameter(
            param.name,
            format!("there is no event type {name:?}"),
        )),
        None => Ok(Some(text.into())),
    }
}

/// A parameter that came as JSON, where types are what they are.
fn of_json(param: &Param, value: Json) -> Refused<Value> {
    match (param.kind, value) {
        (Kind::Text | Kind::Signal, Json::String(text)) => Ok(text.into()),
        (Kind::Flag, Json::Bool(truth)) => Ok(truth.into()),
        (Kind::Signal, Json::Number(signal)) if signal.is_i64() => Ok(signal.to_string().into()),
        (kind, _) => Err(Problem::parameter(
            param.name,
            format!("{} expected", wanted(kind)),
        )),
    }
}

/// Numbers that XML-RPC cannot hold go as text, which is as good.
fn number(number: i64) -> Value {
    i32::try_from(number).map_or_else(|_| number.to_string().into(), Value::Int)
}

fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Integer => "a number".to_owned(),
        Kind::Count(most) => format!("a number from 0 to {most}"),
        Kind::Signal => "the name or number of a signal".to_owned(),
        Kind::OneOf(names) => format!("one of {}", names.join(", ")),
        Kind::EventTypes => "names of event types".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;

    fn read(method: Method, path: &str, query: &str, body: &str) -> Result<Vec<Value>, String> {
        let found = Found::at(&method, path).unwrap();
        match Given::read(found, query, body.as_bytes()) {
            Ok(given) => Ok(given.arguments()),
            Err(problem) => Err(format!("{problem:?}")),
        }
    }

    #[test]
    fn bodies_become_arguments() {
        let start = "/api/v1/processes/web%3Aa/start";
        let rows = [
            (start, "", vec!["web:a".into(), true.into()]),
            (start, "{}", vec!["web:a".into(), true.into()]),
            (
                start,
                r#"{"wait": false}"#,
                vec!["web:a".into(), false.into()],
            ),
            (
                "/api/v1/processes/signal",
                r#"{"signal": 9}"#,
                vec!["9".into()],
            ),
            (
                "/api/v1/groups/g/signal",
                r#"{"signal": "HUP"}"#,
                vec!["g".into(), "HUP".into()],
            ),
        ];
        for (path, body, arguments) in rows {
            assert_eq!(
                read(Method::POST, path, "", body),
                Ok(arguments),
                "{path} {body}"
            );
        }
    }

    #[test]
    fn queries_become_arguments() {
        let log = "/api/v1/daemon/log";
        let rows = [
            ("", vec![Value::Int(0), Value::Int(0)]),
            ("offset=-5", vec![Value::Int(-5), Value::Int(0)]),
            (
                "length=7&offset=99999999999",
                vec!["99999999999".into(), Value::Int(7)],
            ),
        ];
        for (query, arguments) in rows {
            assert_eq!(read(Method::GET, log, query, ""), Ok(arguments), "{query}");
        }
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        let (log, start) = ("/api/v1/daemon/log", "/api/v1/processes/start");
        let rows = [
            (Method::GET, log, "offset=x", "", "parameter 'offset'"),
            (Method::GET, log, "offset=1&offset=2", "", "is given twice"),
            (Method::GET, log, "ofset=1", "", "parameter 'ofset'"),
            (Method::GET, "/api/v1/events", "types=TICK,NOPE", "", "NOPE"),
            (
                Method::GET,
                "/api/v1/processes",
                "usage=perhaps",
                "",
                "true or false",
            ),
            (
                Method::GET,
                "/api/v1/processes",
                "state=running",
                "",
                "one of STOPPED",
            ),
            (Method::POST, start, "", "[]", "no object"),
            (Method::POST, start, "", "{\"wait\": 1}", "parameter 'wait'"),
            (
                Method::POST,
                start,
                "",
                "{\"wiat\": true}",
                "parameter 'wiat'",
            ),
            (
                Method::POST,
                start,
                "",
                "{\n\"wait\": tru}",
                "line 2 column 12",
            ),
            (
                Method::POST,
                "/api/v1/processes/signal",
                "",
                "",
                "'signal': is missing",
            ),
        ];
        for (method, path, query, body, text) in rows {
            let refused = read(method, path, query, body).unwrap_err();
            assert!(refused.contains(text), "{path}?{query} {body}: {refused}");
        }
    }
}
