//! The arguments of a call, typed as loosely as Supervisor does.

use std::fmt::Write as _;
use std::vec;

use protocol::faults::{Fault, FaultCode};
use protocol::xmlrpc::Value;

/// Arguments, taken one after the other.
#[derive(Debug)]
pub(super) struct Arguments(vec::IntoIter<Value>);

const INCORRECT: Fault = FaultCode::IncorrectParameters.bare();

impl Arguments {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// The next argument, whatever it is.
    pub(super) fn any(&mut self) -> Result<Value, Fault> {
        self.0.next().ok_or(INCORRECT)
    }

    /// A string and nothing else.
    pub(super) fn text(&mut self) -> Result<String, Fault> {
        match self.any()? {
            Value::String(text) => Ok(text),
            _ => Err(INCORRECT),
        }
    }

    /// A number, or a string that reads as an integer. What 64 bits do not hold is as good as endless.
    pub(super) fn number(&mut self) -> Result<i64, Fault> {
        match self.any()? {
            Value::Int(number) => Ok(number.into()),
            Value::Bool(truth) => Ok(truth.into()),
            // Rounds towards zero and saturates.
            Value::Double(number) if !number.is_nan() => Ok(number as i64),
            Value::String(text) => integer(&text).ok_or(INCORRECT),
            _ => Err(INCORRECT),
        }
    }

    /// The truth of the next argument as Python sees it, or the default if there is none.
    pub(super) fn flag_or(&mut self, default: bool) -> bool {
        match self.0.next() {
            None => default,
            Some(Value::Nil) => false,
            Some(Value::Bool(truth)) => truth,
            Some(Value::Int(number)) => number != 0,
            Some(Value::Double(number)) => number != 0.0,
            Some(Value::String(text) | Value::DateTime(text)) => !text.is_empty(),
            Some(Value::Array(elements)) => !elements.is_empty(),
            Some(Value::Struct(members)) => !members.is_empty(),
        }
    }

    /// The name or number of a signal, as text.
    pub(super) fn signal(&mut self) -> Result<String, Fault> {
        match self.any()? {
            Value::String(text) => Ok(text),
            Value::Int(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(i32::from(truth).to_string()),
            _ => Err(INCORRECT),
        }
    }

    /// Any argument as text, the way Python prints it.
    pub(super) fn printed(&mut self) -> Result<String, Fault> {
        Ok(match self.any()? {
            Value::String(text) => text,
            other => print(&other),
        })
    }
}

fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    }))
}

/// A value as Python's `str` shows it.
pub(super) fn print(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => {
            let mut out = String::new();
            print_nested(other, &mut out);
            out
        }
    }
}

fn print_nested(value: &Value, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Nil => write!(out, "None"),
        Value::Bool(true) => write!(out, "True"),
        Value::Bool(false) => write!(out, "False"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Double(number) => write!(out, "{number:?}"),
        Value::DateTime(text) => write!(out, "{text}"),
        Value::String(text) => write!(out, "'{text}'"),
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                print_nested(element, out);
            }
            write!(out, "]")
        }
        Value::Struct(members) => {
            out.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                let _ = write!(out, "{}'{name}': ", if index == 0 { "" } else { ", " });
                print_nested(member, out);
            }
            write!(out, "}}")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(value: Value) -> Arguments {
        Arguments::new(vec![value])
    }

    #[test]
    fn numbers_may_be_spelled() {
        let rows = [
            (Value::Int(-3), Some(-3)),
            (Value::Bool(true), Some(1)),
            (Value::Double(2.9), Some(2)),
            (" 12\n".into(), Some(12)),
            ("-0".into(), Some(0)),
            ("+7".into(), Some(7)),
            ("99999999999999999999".into(), Some(i64::MAX)),
            ("-99999999999999999999".into(), Some(i64::MIN)),
            ("".into(), None),
            ("-".into(), None),
            ("1.5".into(), None),
            ("ten".into(), None),
            (Value::Nil, None),
            (Value::Double(f64::NAN), None),
            (Value::Array(vec![]), None),
        ];
        for (value, number) in rows {
            assert_eq!(only(value.clone()).number().ok(), number, "{value:?}");
        }
    }

    #[test]
    fn truth_is_pythons() {
        let rows = [
            (Value::Bool(false), false),
            (Value::Int(0), false),
            (Value::Int(2), true),
            ("".into(), false),
            ("0".into(), true),
            (Value::Nil, false),
            (Value::Array(vec![]), false),
            (Value::Struct(vec![("a".into(), Value::Nil)]), true),
        ];
        for (value, truth) in rows {
            assert_eq!(only(value.clone()).flag_or(!truth), truth, "{value:?}");
        }
        assert!(Arguments::new(vec![]).flag_or(true));
    }

    #[test]
    fn names_are_strings_and_signals_may_be_numbers() {
        assert_eq!(only("a".into()).text().as_deref(), Ok("a"));
        assert_eq!(only(Value::Int(1)).text(), Err(INCORRECT));
        assert_eq!(only(Value::Int(15)).signal().as_deref(), Ok("15"));
        assert_eq!(only(Value::Array(vec![])).signal(), Err(INCORRECT));
        assert_eq!(Arguments::new(vec![]).any(), Err(INCORRECT));
    }

    #[test]
    fn values_are_printed_as_python_does() {
        let rows = [
            (Value::Int(7), "7"),
            (Value::Bool(true), "True"),
            (Value::Double(1.0), "1.0"),
            ("plain".into(), "plain"),
            (Value::Array(vec![Value::Int(1), "a".into()]), "[1, 'a']"),
            (
                Value::Struct(vec![
                    ("a".into(), Value::Nil),
                    ("b".into(), Value::Bool(false)),
                ]),
                "{'a': None, 'b': False}",
            ),
        ];
        for (value, text) in rows {
            assert_eq!(print(&value), text);
        }
    }
}
