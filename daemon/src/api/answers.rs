//! What methods answer, as JSON.

use protocol::xmlrpc::Value;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::schema::to_json;
use super::shapes::{ConfigEntry, Pool, Process, Row};
use crate::rpc::Answer;

/// The JSON text of an answer.
pub(super) fn render(answer: &Answer) -> Vec<u8> {
    match answer {
        Answer::Value(value) => to_json(&Plain(value)),
        Answer::Rows(rows) => to_json(&rows.iter().map(Row::from).collect::<Vec<_>>()),
        Answer::Info(process) => to_json(&Process::of(process)),
        Answer::Infos(infos) => to_json(&infos.iter().map(Process::of).collect::<Vec<_>>()),
        Answer::Configs(infos) => to_json(&infos.iter().map(ConfigEntry::of).collect::<Vec<_>>()),
        Answer::Pool(pool) => to_json(&Pool::of(pool)),
        Answer::Pools(pools) => to_json(&pools.iter().map(Pool::of).collect::<Vec<_>>()),
        // No route is a multicall.
        Answer::Calls(_) => b"null".to_vec(),
    }
}

/// An XML-RPC value as the JSON value that means the same.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Nil => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Int(number) => serializer.serialize_i32(*number),
            Value::Double(number) => serializer.serialize_f64(*number),
            Value::String(text) | Value::DateTime(text) => serializer.serialize_str(text),
            Value::Array(elements) => serializer.collect_seq(elements.iter().map(Plain)),
            Value::Struct(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, &Plain(value))?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_means_the_same() {
        let value = Value::record([
            ("a", Value::Array(vec![Value::Nil, true.into(), 7.into()])),
            ("b", Value::Double(1.5)),
            ("c\"", "x\n\u{1}é".into()),
        ]);
        let text = String::from_utf8(to_json(&Plain(&value))).unwrap();
        assert_eq!(text, r#"{"a":[null,true,7],"b":1.5,"c\"":"x\n\u0001é"}"#);
    }
}
