//! A property of the part that takes whatever clients send, for the fuzz target in `fuzz/` and for a test here.

use hyper::Method;

use super::params::Given;
use super::route::{Found, Need};

/// Whether what a request gives is read as its route says, or refused.
pub fn reads_parameters(method: &str, target: &str, body: &[u8]) -> bool {
    let Ok(method) = method.parse::<Method>() else {
        return true;
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Ok(found) = Found::at(&method, path) else {
        return true;
    };
    let params = found.route.params;
    let Ok(given) = Given::read(found, query, body) else {
        return true;
    };
    let _ = given.event_types("types");
    let has_all = params
        .iter()
        .filter(|param| !matches!(param.need, Need::Optional))
        .all(|param| given.get(param.name).is_some());
    has_all && given.arguments().len() <= params.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_request_is_read_or_refused(
            method in "(GET|POST|HEAD|PUT)",
            path in "/(api/v1|metrics)(/(daemon|log|processes|groups|events|start|signal|%2e|é|[a-z:*%]{0,6})){0,4}",
            query in "((offset|length|types|wait|state|usage|[a-z]{0,3})=?(-?[0-9]{0,12}|TICK|%[0-9a-f]{0,2}|true|\\+)&?){0,4}",
            body in "(|\\{\"(wait|signal|x)\":(true|1|9.5|\"HUP\"|null)\\}|[\\[\\{\"0-9]{0,6})",
        ) {
            let target = format!("{path}?{query}");
            prop_assert!(reads_parameters(&method, &target, body.as_bytes()));
        }
    }
}
