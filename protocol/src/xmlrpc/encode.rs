//! Values to bytes, in the layout of Python's `xmlrpc.client`, which Supervisor's clients have always seen.

use std::io::Write as _;

use super::Value;

const PROLOGUE: &[u8] = b"<?xml version='1.0'?>\n";

/// Appends a request for `method`.
pub fn write_call(method: &str, params: &[Value], out: &mut Vec<u8>) {
    out.extend_from_slice(PROLOGUE);
    out.extend_from_slice(b"<methodCall>\n<methodName>");
    write_text(method, out);
    out.extend_from_slice(b"</methodName>\n");
    write_params(params, out);
    out.extend_from_slice(b"</methodCall>\n");
}

/// Appends the answer to a call that succeeded with `value`.
pub fn write_response(value: &Value, out: &mut Vec<u8>) {
    write_response_with(|encoder| encoder.value(value), out);
}

/// Appends the answer to a call that succeeded with the one value that `write` encodes.
pub fn write_response_with(write: impl FnOnce(&mut Encoder<'_>), out: &mut Vec<u8>) {
    out.extend_from_slice(PROLOGUE);
    out.extend_from_slice(b"<methodResponse>\n<params>\n<param>\n");
    write(&mut Encoder { out });
    out.extend_from_slice(b"</param>\n</params>\n</methodResponse>\n");
}

/// Writes values straight into an answer, for those too large to be built as a [`Value`] first.
#[derive(Debug)]
pub struct Encoder<'a> {
    out: &'a mut Vec<u8>,
}

impl Encoder<'_> {
    /// Any value.
    pub fn value(&mut self, value: &Value) {
        write_value(value, self.out);
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        write_string(text, self.out);
    }

    /// An array of whatever `elements` writes.
    pub fn array(&mut self, elements: impl FnOnce(&mut Self)) {
        self.out.extend_from_slice(b"<value><array><data>\n");
        elements(self);
        self.out.extend_from_slice(b"</data></array></value>\n");
    }

    /// A struct of whatever `members` writes, each by way of [`member`](Self::member) or its kin.
    pub fn record(&mut self, members: impl FnOnce(&mut Self)) {
        self.out.extend_from_slice(b"<value><struct>\n");
        members(self);
        self.out.extend_from_slice(b"</struct></value>\n");
    }

    /// A member of a struct, with the one value that `write` encodes.
    pub fn member(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        open_member(name, self.out);
        write(self);
        self.out.extend_from_slice(b"</member>\n");
    }

    /// A member that is a string.
    pub fn string_member(&mut self, name: &str, text: &str) {
        self.member(name, |encoder| encoder.string(text));
    }

    /// A member that is an int.
    pub fn int_member(&mut self, name: &str, number: i32) {
        self.member(name, |encoder| write_number("int", &number, encoder.out));
    }

    /// A member that is a boolean.
    pub fn bool_member(&mut self, name: &str, truth: bool) {
        self.member(name, |encoder| encoder.value(&Value::Bool(truth)));
    }
}

/// Appends the answer to a call that was refused.
pub fn write_fault(code: i32, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(PROLOGUE);
    out.extend_from_slice(b"<methodResponse>\n<fault>\n<value><struct>\n");
    write_member("faultCode", &Value::Int(code), out);
    open_member("faultString", out);
    write_string(text, out);
    out.extend_from_slice(b"</member>\n</struct></value>\n</fault>\n</methodResponse>\n");
}

fn write_params(params: &[Value], out: &mut Vec<u8>) {
    out.extend_from_slice(b"<params>\n");
    for param in params {
        out.extend_from_slice(b"<param>\n");
        write_value(param, out);
        out.extend_from_slice(b"</param>\n");
    }
    out.extend_from_slice(b"</params>\n");
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Nil => out.extend_from_slice(b"<value><nil/></value>\n"),
        Value::Bool(false) => out.extend_from_slice(b"<value><boolean>0</boolean></value>\n"),
        Value::Bool(true) => out.extend_from_slice(b"<value><boolean>1</boolean></value>\n"),
        Value::Int(number) => write_number("int", number, out),
        Value::Double(number) => write_number("double", number, out),
        Value::String(text) => write_string(text, out),
        Value::DateTime(text) => {
            out.extend_from_slice(b"<value><dateTime.iso8601>");
            write_text(text, out);
            out.extend_from_slice(b"</dateTime.iso8601></value>\n");
        }
        Value::Array(elements) => {
            out.extend_from_slice(b"<value><array><data>\n");
            elements
                .iter()
                .for_each(|element| write_value(element, out));
            out.extend_from_slice(b"</data></array></value>\n");
        }
        Value::Struct(members) => {
            out.extend_from_slice(b"<value><struct>\n");
            for (name, value) in members {
                write_member(name, value, out);
            }
            out.extend_from_slice(b"</struct></value>\n");
        }
    }
}

fn write_member(name: &str, value: &Value, out: &mut Vec<u8>) {
    open_member(name, out);
    write_value(value, out);
    out.extend_from_slice(b"</member>\n");
}

fn open_member(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<member>\n<name>");
    write_text(name, out);
    out.extend_from_slice(b"</name>\n");
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<value><string>");
    write_text(text, out);
    out.extend_from_slice(b"</string></value>\n");
}

fn write_number(tag: &str, number: &dyn std::fmt::Display, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = writeln!(out, "<value><{tag}>{number}</{tag}></value>");
}

/// Appends `text`, escaped: `&`, `<` and `>` as entities, a carriage return as a character reference (a parser
/// would turn a bare one into a line feed), and what XML 1.0 forbids as U+FFFD.
fn write_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match replacement(byte, bytes, at) {
            None => at += 1,
            Some((width, replacement)) => {
                out.extend_from_slice(&bytes[copied..at]);
                out.extend_from_slice(replacement);
                at += width;
                copied = at;
            }
        }
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// What stands for the character that starts at `at`, and how many bytes it is long; `None` for itself.
#[inline]
fn replacement(byte: u8, bytes: &[u8], at: usize) -> Option<(usize, &'static [u8])> {
    const FORBIDDEN: &[u8] = "\u{fffd}".as_bytes();
    match byte {
        b'&' => Some((1, b"&amp;")),
        b'<' => Some((1, b"&lt;")),
        b'>' => Some((1, b"&gt;")),
        b'\r' => Some((1, b"&#13;")),
        b'\t' | b'\n' => None,
        0..0x20 => Some((1, FORBIDDEN)),
        // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
        0xEF => match bytes.get(at + 1..at + 3) {
            Some([0xBF, 0xBE | 0xBF]) => Some((3, FORBIDDEN)),
            _ => None,
        },
        _ => None,
    }
}
