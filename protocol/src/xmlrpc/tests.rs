//! Rows against Supervisor 4.3.0's own bytes, and properties.

use proptest::prelude::*;

use super::*;

fn call(params: &str) -> Result<Vec<Value>, DecodeError> {
    let body = format!(
        "<?xml version='1.0'?><methodCall><methodName>a.b</methodName>{params}</methodCall>"
    );
    let call = parse_call(body.as_bytes())?;
    assert_eq!(call.method, "a.b");
    Ok(call.params)
}

fn value(xml: &str) -> Result<Value, DecodeError> {
    let params = call(&format!("<params><param>{xml}</param></params>"))?;
    assert_eq!(params.len(), 1);
    Ok(params[0].clone())
}

fn response(value: &Value) -> String {
    let mut out = Vec::new();
    write_response(value, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn values_read_as_supervisor_reads_them() {
    let rows = [
        (
            "<value>plain &amp; simple</value>",
            Value::from("plain & simple"),
        ),
        ("<value/>", Value::from("")),
        ("<value><string/></value>", Value::from("")),
        (
            "<value>\n  <string> x </string>\n</value>",
            Value::from(" x "),
        ),
        (
            "<value><string>a<![CDATA[<&]]>b</string></value>",
            Value::from("a<&b"),
        ),
        (
            "<value><string>&#13;&#x263a;</string></value>",
            Value::from("\r☺"),
        ),
        ("<value><int> -7 </int></value>", Value::Int(-7)),
        ("<value><i4>+7</i4></value>", Value::Int(7)),
        (
            "<value><int>99999999999</int></value>",
            Value::Int(i32::MAX),
        ),
        (
            "<value><int>-99999999999</int></value>",
            Value::Int(i32::MIN),
        ),
        ("<value><boolean>1</boolean></value>", Value::Bool(true)),
        ("<value><boolean>0</boolean></value>", Value::Bool(false)),
        ("<value><boolean>true</boolean></value>", Value::Bool(false)),
        ("<value><double>1.5</double></value>", Value::Double(1.5)),
        (
            "<value><base64>\naGk=\n</base64></value>",
            Value::from("hi"),
        ),
        ("<value><base64>aGk</base64></value>", Value::from("hi")),
        ("<value><nil/></value>", Value::Nil),
        (
            "<value><unheard.of>x</unheard.of></value>",
            Value::from("x"),
        ),
        (
            "<value><array><data/></array></value>",
            Value::Array(Vec::new()),
        ),
        (
            "<value><dateTime.iso8601>20260101T00:00:00</dateTime.iso8601></value>",
            Value::DateTime("20260101T00:00:00".into()),
        ),
        (
            "<value><struct><member><name>a</name><value>1</value></member></struct></value>",
            Value::record([("a", Value::from("1"))]),
        ),
    ];
    for (xml, expected) in rows {
        assert_eq!(value(xml).unwrap(), expected, "{xml}");
    }
}

#[test]
fn bad_requests_are_refused() {
    let rows = [
        "",
        "text",
        "<",
        "<methodCall>",
        "<methodCall><methodName>a</methodName>",
        "<methodCall><methodName>a</methodName></wrong>",
        "<methodCall></methodCall>",
        "<methodCall/>",
        "<methodCall><methodName/></methodCall>",
        "<methodCall><methodName>a</methodName></methodCall>trailing",
        "<methodCall><methodName>a</methodName></methodCall><more/>",
        "<!DOCTYPE x><methodCall><methodName>a</methodName></methodCall>",
        "<methodCall><methodName>&undefined;</methodName></methodCall>",
    ];
    for xml in rows {
        assert!(parse_call(xml.as_bytes()).is_err(), "{xml}");
    }
    assert!(parse_call(b"<a><methodName>\xff</methodName></a>").is_err());
}

#[test]
fn bad_values_are_refused() {
    let rows = [
        "",
        "<value><int>x</int></value>",
        "<value><int/></value>",
        "<value><double>x</double></value>",
        "<value><base64>A</base64></value>",
        "<value><base64>/w==</base64></value>",
        "<value><array/></value>",
        "<value><struct><member><value>1</value></member></struct></value>",
        "<value><struct><member><name>a</name></member></struct></value>",
    ];
    for xml in rows {
        assert!(value(xml).is_err(), "{xml}");
    }
}

#[test]
fn params_may_be_absent_or_empty() {
    for xml in ["", "<params/>", "<params>\n</params>", "<!-- none -->"] {
        assert_eq!(call(xml).unwrap(), [], "{xml}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| {
        let open = "<value><array><data>".repeat(depth);
        let close = "</data></array></value>".repeat(depth);
        value(&format!("{open}{close}"))
    };
    assert!(nested(MAX_DEPTH).is_ok());
    assert!(matches!(nested(MAX_DEPTH + 1), Err(DecodeError::TooDeep)));
    assert!(matches!(nested(100_000), Err(DecodeError::TooDeep)));
}

#[test]
fn responses_have_supervisors_layout() {
    let state = Value::record([("statecode", 1.into()), ("statename", "RUNNING".into())]);
    let value = Value::Array(vec![true.into(), Value::Array(Vec::new()), state]);
    let expected = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n\
        <value><boolean>1</boolean></value>\n<value><array><data>\n</data></array></value>\n\
        <value><struct>\n<member>\n<name>statecode</name>\n<value><int>1</int></value>\n</member>\n\
        <member>\n<name>statename</name>\n<value><string>RUNNING</string></value>\n</member>\n\
        </struct></value>\n</data></array></value>\n</param>\n</params>\n</methodResponse>\n";
    assert_eq!(response(&value), expected);
}

#[test]
fn faults_have_supervisors_layout() {
    let mut out = Vec::new();
    write_fault(10, "BAD_NAME: <x>", &mut out);
    let expected = "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n\
        <name>faultCode</name>\n<value><int>10</int></value>\n</member>\n<member>\n\
        <name>faultString</name>\n<value><string>BAD_NAME: &lt;x&gt;</string></value>\n</member>\n\
        </struct></value>\n</fault>\n</methodResponse>\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn calls_have_pythons_layout() {
    let mut out = Vec::new();
    write_call("a.b", &["x".into()], &mut out);
    let expected = "<?xml version='1.0'?>\n<methodCall>\n<methodName>a.b</methodName>\n<params>\n<param>\n\
        <value><string>x</string></value>\n</param>\n</params>\n</methodCall>\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn text_is_always_parseable() {
    let rows = [
        ("a&<>\"'", "a&amp;&lt;&gt;\"'"),
        ("tab\tline\nreturn\r", "tab\tline\nreturn&#13;"),
        ("\u{1b}[1m\0", "\u{fffd}[1m\u{fffd}"),
        (
            "\u{fffe}\u{ffff}\u{fffd}\u{ffef}",
            "\u{fffd}\u{fffd}\u{fffd}\u{ffef}",
        ),
        ("\u{7f}\u{85}ü☺😀", "\u{7f}\u{85}ü☺😀"),
    ];
    for (text, expected) in rows {
        let xml = response(&text.into());
        assert!(
            xml.contains(&format!("<string>{expected}</string>")),
            "{xml}"
        );
    }
}

#[test]
fn a_response_is_a_value_or_a_fault() {
    let mut out = Vec::new();
    write_fault(12345, "NEW_KIND: x", &mut out);
    let fault = parse_response(&out).unwrap().unwrap_err();
    assert_eq!((fault.code, fault.text.as_str()), (12345, "NEW_KIND: x"));
    assert_eq!(fault.kind(), None);

    let answer = parse_response(response(&true.into()).as_bytes()).unwrap();
    assert_eq!(answer, Ok(Value::Bool(true)));

    for xml in ["<methodResponse/>", "<a><params/></a>", "<a><fault/></a>"] {
        assert!(parse_response(xml.as_bytes()).is_err(), "{xml}");
    }
}

#[test]
fn the_last_of_two_members_counts() {
    let pair = Value::Struct(vec![("a".into(), 1.into()), ("a".into(), 2.into())]);
    assert_eq!(pair.get("a"), Some(&Value::Int(2)));
    assert_eq!(pair.get("b"), None);
    assert_eq!(Value::Int(1).get("a"), None);
}

/// Text that XML can carry: what the writer replaces is left out.
fn text() -> impl Strategy<Value = String> {
    "[\t\n\r -\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,12}"
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::Int),
        (-1e12..1e12f64).prop_map(Value::Double),
        text().prop_map(Value::String),
        text().prop_map(Value::DateTime),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((text().prop_map(Into::into), inner), 0..5)
                .prop_map(Value::Struct),
        ]
    })
}

#[test]
fn a_value_written_piecewise_is_the_same_as_one_built() {
    let value = Value::record([
        ("name", "a <&> b".into()),
        ("count", Value::Int(-1)),
        ("is", Value::Bool(true)),
        ("list", Value::Array(vec!["x".into()])),
    ]);
    let mut out = Vec::new();
    write_response_with(
        |encoder| {
            encoder.record(|record| {
                record.string_member("name", "a <&> b");
                record.int_member("count", -1);
                record.bool_member("is", true);
                record.member("list", |list| list.array(|list| list.string("x")));
            });
        },
        &mut out,
    );
    assert_eq!(String::from_utf8(out).unwrap(), response(&value));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in values()) {
        let answer = parse_response(response(&value).as_bytes()).unwrap();
        prop_assert_eq!(answer, Ok(value.clone()));

        let mut out = Vec::new();
        write_call("a.b", std::slice::from_ref(&value), &mut out);
        prop_assert_eq!(parse_call(&out).unwrap().params, vec![value]);
    }

    #[test]
    fn white_space_between_elements_means_nothing(value in values()) {
        // Another layout than our own, which the reader has a shortcut for.
        let document = response(&value).replace("<member>", "<member> ").replace("</name>", "</name> ");
        prop_assert_eq!(parse_response(document.as_bytes()).unwrap(), Ok(value));
    }

    #[test]
    fn arrays_read_the_same_in_pieces(elements in prop::collection::vec(values(), 0..5)) {
        let mut read = Vec::new();
        let document = response(&Value::Array(elements.clone()));
        let answer = parse_array_response(document.as_bytes(), &mut |value| read.push(value));
        prop_assert_eq!(answer.unwrap(), Ok(()));
        prop_assert_eq!(read, elements);
    }

    #[test]
    fn any_string_can_be_sent(text in any::<String>()) {
        prop_assert!(parse_response(response(&text.into()).as_bytes()).is_ok());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_call(&bytes);
        let _ = parse_response(&bytes);
        let _ = parse_array_response(&bytes, &mut |_| {});
    }

    #[test]
    fn no_damage_makes_the_reader_panic(value in values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = response(&value).into_bytes();
        let length = bytes.len();
        let _ = parse_response(&bytes[..at.index(length)]);
        bytes[at.index(length)] = byte;
        let _ = parse_response(&bytes);
        let _ = parse_array_response(&bytes, &mut |_| {});
    }
}
