//! Introspection and multicall.

use protocol::faults::{Fault, FaultCode};
use protocol::methods::{self, Method, Namespace};
use protocol::xmlrpc::Value;

use super::RpcContext;
use super::answer::Answer;
use super::arguments::Arguments;
use super::call::{call, resolve};

/// Once the answers of a multicall take about so many bytes, no further call of it is made.
const LARGEST: usize = 64 * 1024 * 1024;

/// So many calls of a multicall are made before other clients have their turn.
const AT_ONCE: usize = 16;

/// Makes a call that came in a request of its own.
pub(super) async fn make_call(
    context: &RpcContext,
    name: &str,
    params: Vec<Value>,
) -> Result<Answer, Fault> {
    match resolve(context, name) {
        Some(Method::Multicall) => multicall(context, params).await,
        Some(method) => call(context, method, params).await,
        None => Err(unknown(context)),
    }
}

fn unknown(context: &RpcContext) -> Fault {
    context.meter.count_unknown();
    FaultCode::UnknownMethod.bare()
}

/// A multicall inside a multicall.
pub(super) fn recursion() -> Fault {
    FaultCode::IncorrectParameters.about("Recursive system.multicall forbidden")
}

/// Strictly one call after the other, each with all its waiting.
async fn multicall(context: &RpcContext, params: Vec<Value>) -> Result<Answer, Fault> {
    let mut params = params.into_iter();
    let (Some(Value::Array(calls)), None) = (params.next(), params.next()) else {
        return Err(FaultCode::IncorrectParameters.bare());
    };
    let mut results = Vec::with_capacity(calls.len());
    let mut size = 0;
    for (count, entry) in calls.into_iter().enumerate() {
        let result = match size < LARGEST {
            true => one_of_many(context, entry).await,
            false => Err(FaultCode::Failed.about("the answer is too large already")),
        };
        size += result.as_ref().map_or(256, Answer::size_hint);
        results.push(result);
        // Many calls that need not wait for anything must not hold up other clients.
        if count % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
    }
    Ok(Answer::Calls(results))
}

async fn one_of_many(context: &RpcContext, entry: Value) -> Result<Answer, Fault> {
    let (name, params) = dissect(entry)?;
    match resolve(context, &name) {
        // Before its arguments are looked at.
        Some(Method::Multicall) => Err(recursion()),
        Some(method) => call(context, method, params).await,
        None => Err(unknown(context)),
    }
}

/// The name and the arguments of an entry; of members with one name the last counts. Some clients write no arguments
/// as an empty string or struct.
fn dissect(entry: Value) -> Result<(String, Vec<Value>), Fault> {
    let Value::Struct(members) = entry else {
        return Err(FaultCode::IncorrectParameters.bare());
    };
    let (mut name, mut params) = (Value::Nil, Value::Array(Vec::new()));
    for (member, value) in members {
        match member.as_ref() {
            "methodName" => name = value,
            "params" => params = value,
            _ => {}
        }
    }
    match (name, params) {
        (Value::Nil, _) => Err(FaultCode::IncorrectParameters.about("No methodName")),
        (Value::String(name), Value::Array(params)) => Ok((name, params)),
        (Value::String(name), params) if is_empty(&params) => Ok((name, Vec::new())),
        _ => Err(FaultCode::IncorrectParameters.bare()),
    }
}

fn is_empty(params: &Value) -> bool {
    match params {
        Value::String(text) => text.is_empty(),
        Value::Struct(members) => members.is_empty(),
        _ => false,
    }
}

pub(super) fn list_methods(context: &RpcContext) -> Answer {
    let system = methods::names(Namespace::System)
        .map(|name| format!("{}.{name}", Namespace::System.name()));
    let published = context.namespaces.iter().flat_map(|namespace| {
        methods::names(Namespace::Supervisor).map(move |name| format!("{namespace}.{name}"))
    });
    let mut names: Vec<_> = published.chain(system).collect();
    names.sort_unstable();
    Answer::Value(Value::Array(names.into_iter().map(Value::from).collect()))
}

pub(super) fn help(context: &RpcContext, arguments: &mut Arguments) -> Result<Answer, Fault> {
    Ok(described(context, arguments)?.help().into())
}

pub(super) fn signature(context: &RpcContext, arguments: &mut Arguments) -> Result<Answer, Fault> {
    let types = described(context, arguments)?.signature();
    Ok(Answer::Value(Value::Array(
        types.map(Value::from).collect(),
    )))
}

fn described(context: &RpcContext, arguments: &mut Arguments) -> Result<Method, Fault> {
    let name = arguments.text()?;
    resolve(context, &name).ok_or(FaultCode::SignatureUnsupported.bare())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<const N: usize>(members: [(&'static str, Value); N]) -> Value {
        Value::record(members)
    }

    #[test]
    fn entries_of_a_multicall_are_taken_apart() {
        let name = || ("methodName", Value::from("a.b"));
        assert_eq!(dissect(entry([name()])), Ok(("a.b".to_owned(), vec![])));
        let params = ("params", Value::Array(vec![Value::Int(1)]));
        for nothing in [Value::from(""), Value::Struct(vec![])] {
            let params = ("params", nothing);
            assert_eq!(
                dissect(entry([name(), params])),
                Ok(("a.b".to_owned(), vec![]))
            );
        }
        assert_eq!(
            dissect(entry([params, name()])),
            Ok(("a.b".to_owned(), vec![Value::Int(1)]))
        );
    }

    #[test]
    fn entries_that_make_no_sense_are_refused() {
        let rows = [
            (entry([]), "INCORRECT_PARAMETERS: No methodName"),
            (
                entry([("params", Value::Array(vec![]))]),
                "INCORRECT_PARAMETERS: No methodName",
            ),
            (
                entry([("methodName", Value::Int(1))]),
                "INCORRECT_PARAMETERS",
            ),
            (
                entry([("methodName", "a.b".into()), ("params", "ab".into())]),
                "INCORRECT_PARAMETERS",
            ),
            ("a.b".into(), "INCORRECT_PARAMETERS"),
        ];
        for (entry, fault) in rows {
            assert_eq!(dissect(entry).unwrap_err().to_string(), fault);
        }
    }
}
