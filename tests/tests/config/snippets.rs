//! The configurations, read from their data files.
//!
//! A file of `snippets/` holds whole configurations. What precedes the first is prose.
//!
//! ```text
//! ### title
//! [program:a]
//! command=x
//! ##! args -e debug          words for the command line
//! ##! env NAME=value         a variable of the environment
//! ##! raw                    the main file is just this, without the preamble
//! ##! escapes                \n \r \t \\ \xNN stand for bytes
//! ##> conf.d/b.conf          another file; one that ends in a slash is a directory
//! ```
//!
//! A file of `values/` holds the values of options, each of which makes one configuration: the sections before
//! `===` and the option in the last of them. An option stands at the margin, its values are indented by four
//! blanks; `<empty>` is an empty value.

use std::fs;
use std::path::{Path, PathBuf};

/// A configuration to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snippet {
    /// The data file's name and the title.
    pub(crate) name: String,
    /// The main file.
    pub(crate) main: Vec<u8>,
    /// The main file is complete, without the preamble.
    pub(crate) raw: bool,
    /// Further files by relative path. Those that end in a slash are directories.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Words of the command line.
    pub(crate) arguments: Vec<String>,
    /// Variables besides those that all have.
    pub(crate) environment: Vec<(String, String)>,
}

/// All configurations of the data files.
pub(crate) fn all() -> Vec<Snippet> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let whole = data_files(&here.join("snippets"));
    let values = data_files(&here.join("values"));
    let whole = whole.iter().flat_map(|(name, text)| snippets(name, text));
    whole
        .chain(
            values
                .iter()
                .flat_map(|(name, text)| value_rows(name, text)),
        )
        .collect()
}

/// The files of a directory with their stems, sorted.
fn data_files(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).expect("the data files are there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the directory is readable").path())
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        (stem.into_owned(), text)
    };
    paths.iter().map(read).collect()
}

fn snippets(subject: &str, text: &str) -> Vec<Snippet> {
    let text = format!("\n{text}");
    let parts = text.split("\n### ").skip(1);
    parts
        .map(|part| {
            let (title, body) = part.split_once('\n').unwrap_or((part, ""));
            snippet(format!("{subject}: {title}"), body)
        })
        .collect()
}

fn snippet(name: String, body: &str) -> Snippet {
    let mut snippet = Snippet {
        name,
        ..Snippet::default()
    };
    let mut escapes = false;
    // The main file's name is empty.
    let mut files = vec![(String::new(), String::new())];
    for line in body.trim_end_matches('\n').split('\n') {
        if let Some(path) = line.strip_prefix("##> ") {
            files.push((path.to_owned(), String::new()));
        } else if let Some(directive) = line.strip_prefix("##! ") {
            escapes |= directive == "escapes";
            snippet.obey(directive);
        } else if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let bytes = |text: String| {
        if escapes {
            unescape(&text)
        } else {
            text.into_bytes()
        }
    };
    let mut files = files.into_iter().map(|(name, text)| (name, bytes(text)));
    snippet.main = files.next().map(|(_, text)| text).unwrap_or_default();
    snippet.files = files.collect();
    snippet
}

impl Snippet {
    fn obey(&mut self, directive: &str) {
        let (word, rest) = directive.split_once(' ').unwrap_or((directive, ""));
        match word {
            "raw" => self.raw = true,
            "escapes" => {}
            "args" => self.arguments.extend(rest.split(' ').map(str::to_owned)),
            "env" => {
                let (name, value) = rest.split_once('=').expect("a variable has a value");
                self.environment.push((name.to_owned(), value.to_owned()));
            }
            _ => panic!("{}: no such directive: {directive}", self.name),
        }
    }
}

/// Replaces escapes; a backslash that ends a line joins it with the next.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'\n') => {}
            Some(b'x') => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&digits, 16).expect("two hexadecimal digits"));
            }
            other => out.extend(other),
        }
    }
    out
}

fn value_rows(subject: &str, text: &str) -> Vec<Snippet> {
    let (sections, rows) = text.split_once("===\n").expect("a file of values has ===");
    let mut option = "";
    let mut found = Vec::new();
    for row in rows.lines() {
        match row.strip_prefix("    ") {
            Some(value) => {
                let value = if value == "<empty>" { "" } else { value };
                found.push(Snippet {
                    name: format!("{subject}: {option}={value}"),
                    main: format!("{sections}{option}={value}\n").into_bytes(),
                    ..Snippet::default()
                });
            }
            None if !row.is_empty() => option = row,
            None => {}
        }
    }
    found
}

#[test]
fn snippets_have_files_and_directives() {
    let text = "prose\n### a\n##! escapes\n##! args -e debug\nx\\r\\n\\x41\\\n##> d/\n##> b\ny\n\n### c\n##! raw\n";
    let rows = snippets("s", text);
    assert_eq!(
        rows[0],
        Snippet {
            name: "s: a".to_owned(),
            main: b"x\r\nA".to_vec(),
            files: vec![("d/".to_owned(), vec![]), ("b".to_owned(), b"y\n".to_vec())],
            arguments: vec!["-e".to_owned(), "debug".to_owned()],
            ..Snippet::default()
        }
    );
    assert!(rows[1].raw && rows.len() == 2);
}

#[test]
fn values_make_a_configuration_each() {
    let rows = value_rows("v", "[s]\n===\na\n    1\n    <empty>\n\nb\n    2\n");
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row.name.as_str(), String::from_utf8_lossy(&row.main)))
        .collect();
    let want = [
        ("v: a=1", "[s]\na=1\n"),
        ("v: a=", "[s]\na=\n"),
        ("v: b=2", "[s]\nb=2\n"),
    ];
    assert_eq!(rows, want.map(|(name, text)| (name, text.into())));
}
