//! The OpenAPI document, made from the table of routes.

use std::collections::BTreeSet;

use hyper::StatusCode;
use protocol::events::EventType;
use serde_json::{Map, json};

use super::events::EventBody;
use super::problem::{Refusal, status};
use super::route::{Answer, Kind, Need, Param, Place, Route, Verb};
use super::routes::ROUTES;
use super::schema::{Json, Schema as _, Schemas};

const ABOUT: &str = "\
What the XML-RPC interface offers, as JSON; what processes have been through and use; logs and events as they happen.

A process is named `group:name`, or just `name` where both are the same; `group:*` means every process of a group. \
Faults are those of XML-RPC. Where several processes are acted on, the answer is a row for each, and the status 200 \
though some rows may be refusals. A POST has a body of type `application/json`, or none.";

/// The document.
pub fn document() -> String {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Json> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let verb = match route.verb {
            Verb::Get => "get",
            Verb::Post => "post",
        };
        path[verb] = operation(route, &mut schemas);
    }
    EventBody::schema(&mut schemas);
    let refusal = Refusal::schema(&mut schemas);
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Callboard", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "responses": {
                "Refused": {
                    "description": "Why not.",
                    "content": {"application/json": {"schema": refusal}},
                },
                "Unauthorized": {
                    "description": "Name and password are needed, and are not these.",
                    "content": {"application/json": {"schema": refusal}},
                },
            },
        },
    });
    // The keys are strings, which is all that could fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn operation(route: &Route, schemas: &mut Schemas) -> Json {
    let outside = route
        .params
        .iter()
        .filter(|param| param.place != Place::Body);
    let mut operation = json!({
        "operationId": route.operation,
        "summary": route.summary(),
        "tags": [tag(route)],
        "responses": responses(route, schemas),
    });
    let parameters: Vec<_> = outside.map(parameter).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if route.has_place(Place::Body) {
        operation["requestBody"] = body(route);
    }
    operation
}

/// The segment that says what it is about.
fn tag(route: &Route) -> &'static str {
    route
        .path
        .trim_start_matches("/api/v1")
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default()
}

fn responses(route: &Route, schemas: &mut Schemas) -> Json {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), success(route.answer, schemas));
    let refused = json!({"$ref": "#/components/responses/Refused"});
    for status in refusals(route) {
        responses.insert(status.as_str().to_owned(), refused.clone());
    }
    let unauthorized = json!({"$ref": "#/components/responses/Unauthorized"});
    responses.insert("401".to_owned(), unauthorized);
    Json::Object(responses)
}

fn success(answer: Answer, schemas: &mut Schemas) -> Json {
    let (about, kind, schema) = match answer {
        Answer::Json(schema) => ("The answer.", "application/json", schema(schemas)),
        Answer::Events(about) => (about, "text/event-stream", json!({"type": "string"})),
        Answer::Text => ("The metrics.", "text/plain", json!({"type": "string"})),
        Answer::Document => (
            "The document.",
            "application/json",
            json!({"type": "object"}),
        ),
    };
    json!({"description": about, "content": {kind: {"schema": schema}}})
}

fn refusals(route: &Route) -> BTreeSet<StatusCode> {
    let mut statuses: BTreeSet<_> = route.faults().into_iter().map(status).collect();
    // Whatever the table says, a parameter that it does not know is refused.
    statuses.insert(StatusCode::BAD_REQUEST);
    // Before anybody looks at the path: a browser on a strange name, too many who log in.
    statuses.extend([StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS]);
    if route.has_place(Place::Path) {
        statuses.insert(StatusCode::NOT_FOUND);
    }
    if route.verb == Verb::Post {
        statuses.extend([
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::CONFLICT,
            StatusCode::LENGTH_REQUIRED,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ]);
    }
    statuses
}

fn parameter(param: &Param) -> Json {
    let mut parameter = json!({
        "name": param.name,
        "in": if param.place == Place::Path { "path" } else { "query" },
        "required": is_required(param),
        "description": param.doc,
        "schema": schema(param),
    });
    if matches!(param.kind, Kind::EventTypes) {
        parameter["style"] = "form".into();
        parameter["explode"] = false.into();
    }
    parameter
}

fn body(route: &Route) -> Json {
    let params = route.params.iter();
    let params = params.filter(|param| param.place == Place::Body);
    let required: Vec<_> = params
        .clone()
        .filter(|param| is_required(param))
        .map(|param| param.name)
        .collect();
    let properties: Map<_, _> = params
        .map(|param| {
            let mut schema = schema(param);
            schema["description"] = param.doc.into();
            (param.name.to_owned(), schema)
        })
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    let is_required = !required.is_empty();
    if is_required {
        schema["required"] = required.into();
    }
    json!({"required": is_required, "content": {"application/json": {"schema": schema}}})
}

fn is_required(param: &Param) -> bool {
    matches!(param.need, Need::Required)
}

fn schema(param: &Param) -> Json {
    let mut schema = match param.kind {
        Kind::Text if param.place == Place::Path => json!({"type": "string", "minLength": 1}),
        Kind::Text => json!({"type": "string"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Integer => json!({
            "type": "integer",
            "format": "int64",
            "minimum": i64::MIN,
            "maximum": i64::MAX,
        }),
        Kind::Count(most) => json!({"type": "integer", "minimum": 0, "maximum": most}),
        Kind::Signal => json!({"type": ["string", "integer"]}),
        Kind::OneOf(names) => json!({"type": "string", "enum": names}),
        Kind::EventTypes => {
            let names: Vec<_> = EventType::all().map(EventType::name).collect();
            json!({"type": "array", "minItems": 1, "items": {"type": "string", "enum": names}})
        }
    };
    match param.need {
        Need::Flag(truth) => schema["default"] = truth.into(),
        Need::Number(number) => schema["default"] = number.into(),
        Need::Required | Need::Optional => {}
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_document_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
        let document = document();
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &document).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == document,
            "docs/openapi.json is stale: run UPDATE_DOCS=1 cargo test -p callboard-daemon"
        );
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let names: BTreeSet<_> = ROUTES.iter().map(|route| route.operation).collect();
        assert_eq!(names.len(), ROUTES.len());
    }

    #[test]
    fn references_lead_somewhere() {
        let document: Json = serde_json::from_str(&document()).unwrap();
        let text = document.to_string();
        for (_, rest) in text
            .match_indices("\"$ref\":\"#")
            .map(|(at, found)| (at, &text[at + found.len()..]))
        {
            let pointer = rest.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
