use proptest::prelude::*;

use super::*;

fn parse(text: &[u8]) -> Result<Document, String> {
    let file = Arc::new(SourceFile {
        spelled: "f".to_owned(),
        here: "/".to_owned(),
    });
    let mut document = Document::default();
    match read(text, &file, &mut document).first() {
        None => Ok(document),
        Some(error) => Err(error.to_string()),
    }
}

/// `section{key@line[value] ...}` for each section.
fn show(text: &str) -> Result<String, String> {
    let document = parse(text.as_bytes())?;
    let options = |section: &crate::document::Section| {
        let options = section.options.iter();
        options
            .map(|(key, value)| format!("{key}@{}[{}]", value.place.line, value.text))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let sections = document.sections().iter();
    Ok(sections
        .map(|section| format!("{}{{{}}}", section.name, options(section)))
        .collect::<Vec<_>>()
        .join(" "))
}

/// Checked against Python's `RawConfigParser` as Supervisor sets it up.
#[test]
fn accepted() {
    let rows = [
        ("", ""),
        ("# c\n ; c\n[a]\nk=v", "a{k@4[v]}"),
        ("[a]\r\nk = v \r\nl:w\rm=", "a{k@2[v] l@3[w] m@4[]}"),
        ("\u{feff}[a]\nk=v", "a{k@2[v]}"),
        ("[a]\nK : v = w : x", "a{k@2[v = w : x]}"),
        (
            "[a]\nk=v ; c\nl=v\t# c\nm=v;w#x\nn=;\no= ; c",
            "a{k@2[v] l@3[v] m@4[v;w#x] n@5[;] o@6[]}",
        ),
        ("[a] ; c\n[b]]x\n[ c ]y", "a{} b]{}  c {}"),
        ("[a]\nk=v\n w\n\t x ; c\n;c\n # c\n y", "a{k@2[v\nw\nx\ny]}"),
        ("[a]\nk=v\n\n w\n\n\n", "a{k@2[v\n\nw]}"),
        ("[a]\nk=v\n   \n;\n w", "a{k@2[v\n\nw]}"),
        ("[a]\nk=\n v\n [b]\n l=w", "a{k@2[\nv\n[b]\nl=w]}"),
        ("  [a]\n  k=v\n  l=w\n    x", "a{k@2[v] l@3[w\nx]}"),
        ("[a]\n  k=v\nl=w", "a{k@2[v] l@3[w]}"),
        ("[a]\nk=1\n[b]\n[a]\nk=2\nl=3", "a{k@5[2] l@6[3]} b{}"),
        ("[a]\nk=\"x ; y\"", "a{k@2[\"x]}"),
        ("[a]\nk=x;y ;z #w", "a{k@2[x;y]}"),
        ("[a]\n\u{a0}k\u{a0}=\u{a0}é\u{3000}", "a{k@2[é]}"),
        ("[DEFAULT]\nk=v\n[a]", "a{}"),
    ];
    for (text, want) in rows {
        assert_eq!(show(text).as_deref(), Ok(want), "{text:?}");
    }
}

#[test]
fn refused() {
    let rows = [
        (
            "k=v\n",
            "File contains no section headers.\nfile: 'f', line: 1\n'k=v\\n'",
        ),
        (
            "\n[]",
            "File contains no section headers.\nfile: 'f', line: 2\n'[]'",
        ),
        (
            "[a]\nk\nl=1\n =x\n",
            "Source contains parsing errors: 'f'\n\t[line  2]: 'k\\n'",
        ),
        (
            "[a]\n=x\n y\n[]\n",
            "Source contains parsing errors: 'f'\n\t[line  2]: '=x\\n'\n\t[line  3]: ' y\\n'\n\t[line  4]: '[]\\n'",
        ),
    ];
    for (text, want) in rows {
        assert_eq!(show(text), Err(want.to_owned()), "{text:?}");
    }
}

#[test]
fn bytes_that_are_not_utf8() {
    let rows: [(&[u8], &str); 4] = [
        (
            b"[a]\nk=\xff",
            "byte 0xff in position 6: invalid start byte",
        ),
        (
            b"\xc3(",
            "byte 0xc3 in position 0: invalid continuation byte",
        ),
        (
            b"\xe2\x82(",
            "bytes in position 0-1: invalid continuation byte",
        ),
        (b"\xe2\x82", "bytes in position 0-1: unexpected end of data"),
    ];
    for (bytes, want) in rows {
        let want = format!("'utf-8' codec can't decode {want} (f)");
        assert_eq!(parse(bytes).map(drop), Err(want));
    }
}

#[test]
fn a_second_setting_in_one_file_is_remembered() {
    let document = parse(b"[a]\nk=1\nl=2\nk=3\n[DEFAULT]\nx=1\nx=2").unwrap();
    let repeated = document.repeated().iter();
    let repeated: Vec<_> = repeated
        .map(|again| {
            format!(
                "{}.{} {}>{}",
                again.section, again.option, again.lost.line, again.line
            )
        })
        .collect();
    assert_eq!(repeated, ["a.k 2>4", "DEFAULT.x 6>7"]);
}

proptest! {
    #[test]
    fn never_panics(text in "([\\[\\]=:;#ak \t\n\r]|é|\\PC){0,40}") {
        let _ = show(&text);
        let _ = show(&format!("[s]\n{text}"));
    }

    /// What is written in the plain form comes back.
    #[test]
    fn plain_options_round_trip(
        options in proptest::collection::btree_map("[a-z][a-z0-9_.]{0,8}", "[!-~é日&&[^;#]]{0,6}( [!-~&&[^;#]]{1,6}){0,2}", 0..6)
    ) {
        let mut text = "[s]\n".to_owned();
        for (key, value) in &options {
            text.push_str(&format!("{key} = {value}\n"));
        }
        let document = parse(text.as_bytes()).unwrap();
        let section = document.section("s").unwrap();
        let read: Vec<_> = section.options.iter().map(|(key, value)| (key, strip(&value.text))).collect();
        let want: Vec<_> = options.iter().map(|(key, value)| (key, strip(value))).collect();
        prop_assert_eq!(read, want);
    }
}
