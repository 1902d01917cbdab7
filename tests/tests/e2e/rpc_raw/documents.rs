//! The same call in every disguise XML allows, and documents that are no calls.

use super::{Row, call};

/// All of them.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(disguises().into_iter().map(Row::same));
    rows.extend(nonsense().into_iter().map(Row::same));
    rows.extend(
        scalars()
            .into_iter()
            .map(|value| Row::same(call("supervisor.getProcessInfo", &[value]))),
    );
    rows.extend(encodings());
    rows.extend(tolerated());
    rows
}

fn disguises() -> Vec<String> {
    [
        "<methodCall><methodName>supervisor.getState</methodName></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><params/></methodCall>",
        "<methodCall><params/><methodName>supervisor.getState</methodName></methodCall>",
        "<methodCall>\r\n<methodName>supervisor.getState</methodName>\r\n<params>\r\n</params>\r\n</methodCall>\r\n",
        "<methodCall><methodName>supervisor.<!-- x -->getState</methodName></methodCall>",
        "<methodCall><methodName>supervisor.<?pi x?>getState</methodName></methodCall>",
        "<methodCall><methodName><![CDATA[supervisor.getState]]></methodName></methodCall>",
        "<methodCall><methodName>supervisor&#46;getState</methodName></methodCall>",
        "<methodCall><methodName>supervisor&#x2e;getState</methodName></methodCall>",
        "<methodCall><methodName> supervisor.getState</methodName></methodCall>",
        "<methodCall><methodName>supervisor.getState\n</methodName></methodCall>",
        "<methodCall><methodName>supervisor.\u{fc}</methodName></methodCall>",
        "<methodCall><methodName>&amp;.&lt;</methodName></methodCall>",
        "<methodCall a='b'><methodName c=\"d\">supervisor.getState</methodName></methodCall>",
        "<anything><methodName>supervisor.getState</methodName></anything>",
        "<methodCall><methodName>supervisor.getPID</methodName><methodName>supervisor.getState</methodName></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><params/><params><param><value>x</value></param></params></methodCall>",
        "<methodCall><other>x</other><methodName>supervisor.getState</methodName></methodCall>",
        "<methodCall>text<methodName>supervisor.getState</methodName>text</methodCall>",
        "<!-- c --><methodCall><methodName>supervisor.getState</methodName></methodCall><!-- c -->",
        "\n<methodCall><methodName>supervisor.getState</methodName></methodCall>",
        "\u{feff}<methodCall><methodName>supervisor.getState</methodName></methodCall>",
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?><methodCall><methodName>supervisor.getState</methodName></methodCall>",
        "<?xml version='1.0'?>\n<?xml-stylesheet href='x'?><methodCall><methodName>supervisor.getState</methodName></methodCall>",
        "<x:methodCall xmlns:x='urn:x'><x:methodName>supervisor.getState</x:methodName></x:methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><params><param></param></params></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><params><value>x</value></params></methodCall>",
        "<methodCall><methodName>supervisor.getProcessInfo</methodName><params><param>x<value>nobody</value>y</param></params></methodCall>",
        "<methodCall><methodName>supervisor.getProcessInfo</methodName><params><param><value>a</value><value>b</value></param></params></methodCall>",
    ]
    .map(str::to_owned)
    .into()
}

fn nonsense() -> Vec<String> {
    [
        " ",
        "nonsense",
        "<",
        "<methodCall>",
        "<methodCall/>",
        "<methodCall></methodCall>",
        "<methodCall><methodName/></methodCall>",
        "<methodCall><methodName></methodName></methodCall>",
        "<methodCall><methodName><b>supervisor.getState</b></methodName></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName>",
        "<methodCall><methodName>supervisor.getState</methodName></other>",
        "<methodCall><methodName>supervisor.getState</methodName></methodCall>x",
        "<methodCall><methodName>supervisor.getState</methodName></methodCall><x/>",
        "x<methodCall><methodName>supervisor.getState</methodName></methodCall>",
        "<methodCall><methodName>&nbsp;</methodName></methodCall>",
        "<methodCall><methodName>a & b</methodName></methodCall>",
        "<methodCall><methodName>a < b</methodName></methodCall>",
        "<methodCall><methodName>supervisor.getState&#0;</methodName></methodCall>",
        "<methodCall><methodName>supervisor.getState&#xD800;</methodName></methodCall>",
        "<?xml version='2.0'?><methodCall><methodName>supervisor.getState</methodName></methodCall>",
    ]
    .map(str::to_owned)
    .into()
}

/// Values as a process's name, which comes back in the fault.
fn scalars() -> Vec<&'static str> {
    vec![
        "<value>no body</value>",
        "<value> <string>x</string> </value>",
        "<value>a<string>x</string>b</value>",
        "<value><string>a<![CDATA[<&>]]>b</string></value>",
        "<value><string>a&#13;&#10;b\r\nc</string></value>",
        "<value><string>\t\n </string></value>",
        "<value><string/></value>",
        "<value/>",
        "<value><unknown>x</unknown></value>",
        "<value><String>x</String></value>",
        "<value><string>x</string><string>y</string></value>",
        "<value><base64>bm9i\nb2R5</base64></value>",
        "<value><base64>bm9ib2R5IQ==</base64></value>",
        "<value><base64>????</base64></value>",
        "<value><base64>/w==</base64></value>",
        "<value><base64/></value>",
        "<value><i4>5</i4></value>",
        "<value><int> 5 </int></value>",
        "<value><int>+5</int></value>",
        "<value><int>5.0</int></value>",
        "<value><int></int></value>",
        "<value><int>five</int></value>",
        "<value><int>99999999999999999999</int></value>",
        "<value><double>x</double></value>",
        "<value><double>nan</double></value>",
        "<value><double>1e400</double></value>",
        "<value><double/></value>",
        "<value><boolean>true</boolean></value>",
        "<value><boolean>2</boolean></value>",
        "<value><boolean/></value>",
        "<value><dateTime.iso8601>20260102T03:04:05</dateTime.iso8601></value>",
        "<value><array/></value>",
        "<value><array><data/></array></value>",
        "<value><struct><member/></struct></value>",
        "<value><struct><member><name>a</name></member></struct></value>",
        "<value><struct><member><value>a</value><name>b</name></member></struct></value>",
    ]
}

fn encodings() -> Vec<Row> {
    let document = |encoding: &str| {
        format!(
            "<?xml version='1.0' encoding='{encoding}'?><methodCall><methodName>supervisor.getProcessInfo</methodName>\
             <params><param><value>r\u{fc}n</value></param></params></methodCall>"
        )
    };
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    };
    let latin: Vec<u8> = document("iso-8859-1")
        .chars()
        .map(|character| character as u8)
        .collect();
    let entities = "<!DOCTYPE x [<!ENTITY a 'supervisor'>]><methodCall><methodName>&a;.getState</methodName></methodCall>";
    let plain = "<!DOCTYPE x><methodCall><methodName>supervisor.getState</methodName></methodCall>";
    let refused = "status 400";
    vec![
        Row::same(document("utf-8")),
        Row::same(document("UTF8")),
        Row::same(document("us-ascii")),
        Row::same(document("iso-8859-1")),
        Row::same(document("no-such-encoding")),
        Row::same(document("utf-16")),
        Row::ours(latin, refused),
        Row::ours(utf16(&document("utf-16"), u16::to_le_bytes), refused),
        Row::ours(
            utf16(&format!("\u{feff}{}", document("utf-16")), u16::to_be_bytes),
            refused,
        ),
        Row::ours(
            b"<methodCall><methodName>\xff</methodName></methodCall>",
            refused,
        ),
        Row::ours(plain, refused),
        Row::ours(entities, refused),
        Row::ours(nested(100), refused),
        Row::same(nested(20)),
    ]
}

fn nested(depth: usize) -> String {
    let open = "<value><array><data>".repeat(depth);
    let close = "</data></array></value>".repeat(depth);
    call("supervisor.getState", &[&format!("{open}{close}")])
}

/// Documents that are not quite XML, or not quite XML-RPC, and that we read without harm.
fn tolerated() -> Vec<Row> {
    let running = r#"value {"statecode":1,"statename":"RUNNING"}"#;
    let documents = [
        "<methodCall xmlns='urn:x'><methodName>supervisor.getState</methodName></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><a b=c/></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><a b='1' b='2'/></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><a b='<'/></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName>]]></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><1/></methodCall>",
        "<x:methodCall><methodName>supervisor.getState</methodName></x:methodCall>",
        "<?xml?><methodCall><methodName>supervisor.getState</methodName></methodCall>",
        " <?xml version='1.0'?><methodCall><methodName>supervisor.getState</methodName></methodCall>",
        "<methodCall><methodName>supervisor.getState</methodName><!-- a -- b --></methodCall>",
    ];
    let values = [
        (
            "<value><string>a<b>c</b>d</string></value>",
            "fault 10 BAD_NAME: ad",
        ),
        (
            "<value><base64>bm9ib2R5IQ</base64></value>",
            "fault 10 BAD_NAME: nobody!",
        ),
        ("<value><i8>5</i8></value>", "fault 2 INCORRECT_PARAMETERS"),
        (
            "<value><dateTime.iso8601>never</dateTime.iso8601></value>",
            "fault 2 INCORRECT_PARAMETERS",
        ),
        (
            "<value><nil>x</nil></value>",
            "fault 2 INCORRECT_PARAMETERS",
        ),
        (
            "<value><array><value>x</value></array></value>",
            "status 400",
        ),
    ];
    let odd_names = ["supervisor.getState\u{1}", "supervisor.getState&#1;"]
        .map(|name| Row::ours(call(name, &[]), "fault 1 UNKNOWN_METHOD"));
    let documents = documents.map(|document| Row::ours(document, running));
    let values = values
        .map(|(value, outcome)| Row::ours(call("supervisor.getProcessInfo", &[value]), outcome));
    documents
        .into_iter()
        .chain(values)
        .chain(odd_names)
        .collect()
}
