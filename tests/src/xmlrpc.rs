//! A second, independent reading of XML-RPC.
//!
//! The suites do not use the product's codec: a mistake made in both directions would cancel itself out.

use serde_json::{Map, Value, json};

/// A fault answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `faultCode`.
    pub code: i64,
    /// `faultString`.
    pub text: String,
}

/// Writes a call; `params` is an array.
pub fn encode_call(method: &str, params: &Value) -> String {
    let mut xml = format!(
        "<?xml version='1.0'?>\n<methodCall>\n<methodName>{}</methodName>\n<params>\n",
        escape(method)
    );
    for param in params.as_array().expect("params is an array") {
        xml.push_str(&format!("<param>\n{}</param>\n", encode(param)));
    }
    xml.push_str("</params>\n</methodCall>\n");
    xml
}

/// Reads a call: the method and its arguments. Panics on anything that is none.
pub fn decode_call(xml: &str) -> (String, Vec<Value>) {
    let mut reader = Reader { rest: xml };
    reader.skip_to("<methodName>");
    let method = reader.skip_to("</methodName>").to_owned();
    let mut params = Vec::new();
    while reader.rest.contains("<param>") {
        reader.skip_to("<value>");
        params.push(reader.value());
    }
    (method, params)
}

/// Writes the answer to a call.
pub fn encode_answer(answer: &Result<Value, Fault>) -> String {
    let content = match answer {
        Ok(value) => format!("<params>\n<param>\n{}</param>\n</params>\n", encode(value)),
        Err(fault) => {
            let fault = json!({"faultCode": fault.code, "faultString": fault.text});
            format!("<fault>\n{}</fault>\n", encode(&fault))
        }
    };
    format!("<?xml version='1.0'?>\n<methodResponse>\n{content}</methodResponse>\n")
}

fn encode(value: &Value) -> String {
    let inner = match value {
        Value::Bool(flag) => format!("<boolean>{}</boolean>", i32::from(*flag)),
        Value::Number(number) if number.is_i64() => format!("<int>{number}</int>"),
        Value::Number(number) => format!("<double>{number}</double>"),
        Value::String(text) => format!("<string>{}</string>", escape(text)),
        Value::Array(items) => {
            format!(
                "<array><data>\n{}</data></array>",
                items.iter().map(encode).collect::<String>()
            )
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                format!(
                    "<member>\n<name>{}</name>\n{}</member>\n",
                    escape(name),
                    encode(value)
                )
            });
            format!("<struct>\n{}</struct>", members.collect::<String>())
        }
        Value::Null => "<nil/>".to_owned(),
    };
    format!("<value>{inner}</value>\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Reads an answer. Panics on anything that is none: no server under test may send such.
pub fn decode_answer(xml: &str) -> Result<Value, Fault> {
    let mut reader = Reader { rest: xml };
    let is_fault = xml.contains("<fault>");
    reader.skip_to("<value>");
    let value = reader.value();
    if !is_fault {
        return Ok(value);
    }
    Err(Fault {
        code: value["faultCode"].as_i64().expect("a fault has a code"),
        text: value["faultString"]
            .as_str()
            .expect("a fault has a text")
            .to_owned(),
    })
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads on after the next `tag`, answering what stood before it.
    fn skip_to(&mut self, tag: &str) -> &'a str {
        let (before, after) = self
            .rest
            .split_once(tag)
            .unwrap_or_else(|| panic!("no {tag} in {:?}", self.rest));
        self.rest = after;
        before
    }

    /// Takes `tag` if it comes next, blanks aside.
    fn take(&mut self, tag: &str) -> bool {
        let Some(after) = self.rest.trim_start().strip_prefix(tag) else {
            return false;
        };
        self.rest = after;
        true
    }

    /// The value whose `<value>` was just read.
    fn value(&mut self) -> Value {
        let value = if self.take("<int>") {
            json!(
                self.skip_to("</int>")
                    .parse::<i64>()
                    .expect("an int holds digits")
            )
        } else if self.take("<boolean>") {
            json!(self.skip_to("</boolean>") == "1")
        } else if self.take("<string>") {
            json!(unescape(self.skip_to("</string>")))
        } else if self.take("<array><data>") {
            self.array()
        } else if self.take("<struct>") {
            self.members()
        } else {
            panic!("no known type at {:?}", self.rest)
        };
        assert!(self.take("</value>"), "no end of value at {:?}", self.rest);
        value
    }

    fn array(&mut self) -> Value {
        let mut items = Vec::new();
        while self.take("<value>") {
            items.push(self.value());
        }
        assert!(
            self.take("</data></array>"),
            "no end of array at {:?}",
            self.rest
        );
        Value::Array(items)
    }

    fn members(&mut self) -> Value {
        let mut members = Map::new();
        while self.take("<member>") {
            self.skip_to("<name>");
            let name = unescape(self.skip_to("</name>"));
            self.skip_to("<value>");
            members.insert(name, self.value());
            self.skip_to("</member>");
        }
        assert!(
            self.take("</struct>"),
            "no end of struct at {:?}",
            self.rest
        );
        Value::Object(members)
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#13;", "\r")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_a_round_trip() {
        let value = json!({"a": [1, "x<&>y", true, {}], "b": ""});
        let xml = format!(
            "<methodResponse>\n<params>\n<param>\n{}</param>",
            encode(&value)
        );
        assert_eq!(decode_answer(&xml), Ok(value));
    }

    #[test]
    fn calls_and_answers_survive_a_round_trip() {
        let params = json!(["a<b", 1]);
        let (method, read) = decode_call(&encode_call("x.y", &params));
        assert_eq!((method.as_str(), json!(read)), ("x.y", params));
        let none = decode_call(&encode_call("z", &json!([])));
        assert_eq!(none, ("z".to_owned(), vec![]));
        let fault = Fault {
            code: 6,
            text: "SHUTDOWN_STATE".to_owned(),
        };
        for answer in [Ok(json!([true, "é"])), Err(fault)] {
            assert_eq!(decode_answer(&encode_answer(&answer)), answer);
        }
    }

    #[test]
    fn a_fault_is_told_from_a_value() {
        let fault = encode(&json!({"faultCode": 10, "faultString": "BAD_NAME: x"}));
        let xml = format!("<methodResponse>\n<fault>\n{fault}</fault>");
        assert_eq!(
            decode_answer(&xml),
            Err(Fault {
                code: 10,
                text: "BAD_NAME: x".to_owned()
            })
        );
    }
}
