//! The values XML-RPC carries.

use std::borrow::Cow;
use std::fmt;

use crate::faults::{Fault, FaultCode};

/// One XML-RPC value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `<nil/>`, an extension. Accepted from clients; Supervisor never sends it.
    Nil,
    /// `<boolean>`
    Bool(bool),
    /// `<int>`
    Int(i32),
    /// `<double>`
    Double(f64),
    /// `<string>`, or `<base64>` that holds text.
    String(String),
    /// `<dateTime.iso8601>`, as written.
    DateTime(String),
    /// `<array>`
    Array(Vec<Value>),
    /// `<struct>`, members in order. Of two members with one name the later counts.
    Struct(Vec<(Cow<'static, str>, Value)>),
}

impl Value {
    /// A struct whose member names are known at compile time.
    pub fn record<const N: usize>(members: [(&'static str, Value); N]) -> Self {
        let members = members.into_iter();
        Self::Struct(
            members
                .map(|(name, value)| (Cow::Borrowed(name), value))
                .collect(),
        )
    }

    /// The member of this name, if this is a struct that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Struct(members) => {
                let found = members.iter().rev().find(|(key, _)| key == name);
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an int.
    pub const fn as_int(&self) -> Option<i32> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth of a boolean.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        Self::Array(elements)
    }
}

/// A fault as a client receives it. The number may be one this build does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultValue {
    /// `faultCode`
    pub code: i32,
    /// `faultString`
    pub text: String,
}

impl FaultValue {
    /// The fault that this is as an element of what `system.multicall` answers.
    pub fn of(value: &Value) -> Option<Self> {
        Some(Self {
            code: value.get("faultCode")?.as_int()?,
            text: value.get("faultString")?.as_str()?.to_owned(),
        })
    }

    /// What kind of fault, if it is one of Supervisor's.
    pub fn kind(&self) -> Option<FaultCode> {
        FaultCode::from_code(self.code)
    }
}

impl From<&Fault> for FaultValue {
    fn from(fault: &Fault) -> Self {
        Self {
            code: fault.code.code(),
            text: fault.to_string(),
        }
    }
}

impl fmt::Display for FaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault {}: {}", self.code, self.text)
    }
}

impl std::error::Error for FaultValue {}
