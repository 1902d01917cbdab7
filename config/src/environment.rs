//! `environment=`: pairs `KEY=value`, separated by commas, lexed like a shell does it.

use crate::convert::Invalid;
use crate::model::Environment;
use crate::shlex::{Lexer, ShlexError, Token};

/// What an `environment=` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    /// The variables; of two with one name the last.
    pub(crate) variables: Environment,
    /// Names whose value probably lost something: it is followed by more than a comma.
    pub(crate) cut: Vec<String>,
}

/// Reads `KEY=value,KEY="other value"`.
///
/// Words are made of letters, digits and `_ / . + - ( ) :`; quotes protect everything else. After
/// a value exactly one token is dropped, whatever it is: that is how Supervisor reads `A=a@b`, and
/// why such names are listed in [`Pairs::cut`].
pub(crate) fn pairs(text: &str) -> Result<Pairs, Invalid> {
    let (tokens, keep_quotes) = match tokens(text) {
        Ok(tokens) => (tokens, true),
        Err(error) => (tokens_without_escapes(text).ok_or(error)?, false),
    };
    let mut tokens = tokens.into_iter();
    let mut pairs = Pairs::default();
    while let Some(key) = tokens.next() {
        let equals = tokens.next().is_some_and(|token| token.text == "=");
        let Some(value) = tokens.next().filter(|_| equals) else {
            return Err(Invalid::UnfinishedPair(text.to_owned()));
        };
        let separator = tokens.next();
        let cut = value.cut || separator.is_some_and(|token| token.text != ",");
        pairs.cut.retain(|name| *name != key.text);
        if cut {
            pairs.cut.push(key.text.clone());
        }
        let value = match keep_quotes {
            true => value.text,
            false => value.text.trim_matches(['\'', '"']).to_owned(),
        };
        pairs.variables.insert(key.text, value);
    }
    Ok(pairs)
}

fn tokens(text: &str) -> Result<Vec<Token>, ShlexError> {
    let mut lexer = Lexer::new(text, is_word, Some('#'));
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// Supervisor up to 4.3 knew no escapes, and quotes only at the start of a word: `A=it's` and
/// `A="C:\dir\"` were right. What is unfinished by the newer rules is read by those; quotes stay in
/// the tokens.
fn tokens_without_escapes(text: &str) -> Option<Vec<Token>> {
    let is_word = |c: char| c.is_ascii() && is_word(c);
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => rest[1..].find(first)? + 2,
            c if is_word(c) => rest
                .find(|c| !is_word(c) && !matches!(c, '\'' | '"'))
                .unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        tokens.push(Token {
            text: rest[..length].to_owned(),
            cut: false,
        });
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

/// Python's word characters in POSIX mode and the ones that Supervisor adds.
fn is_word(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => true,
        '/' | '.' | '+' | '-' | '(' | ')' | ':' => true,
        'à'..='þ' | 'À'..='Þ' => !matches!(c, '÷' | '×'),
        'ß' | 'ÿ' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let pairs = pairs(text).map_err(|error| error.to_string())?;
        let variables: Vec<_> = pairs
            .variables
            .iter()
            .map(|(name, value)| format!("{name}[{value}]"))
            .collect();
        Ok(format!(
            "{} cut:{}",
            variables.join(" "),
            pairs.cut.join(" ")
        ))
    }

    #[test]
    fn accepted() {
        let rows = [
            ("", " cut:"),
            ("A=1,B=\"2\"", "A[1] B[2] cut:"),
            ("A=1,\n B = 2 ,\n", "A[1] B[2] cut:"),
            ("A=\"x,y=#\",B='p q'", "A[x,y=#] B[p q] cut:"),
            (r#"A="a\"b",B=pre"q,x"post"#, "A[a\"b] B[preq,xpost] cut:"),
            (r"A=a\b", "A[ab] cut:"),
            (r#"A="a\b",B='c\d'"#, r"A[a\b] B[c\d] cut:"),
            ("A=\"\"", "A[] cut:"),
            ("A=1,A=2", "A[2] cut:"),
            ("A=http://x:1/(y)+z-_.", "A[http://x:1/(y)+z-_.] cut:"),
            ("A=éß", "A[éß] cut:"),
            ("A=$HOME", "A[$] cut:A"),
            ("A=~/x", "A[~] cut:A"),
            ("A=foo@", "A[foo] cut:A"),
            ("A=a#b\n,B=1", "A[a] B[1] cut:A"),
            ("A=1;B=2", "A[1] B[2] cut:A"),
            ("A=x@ A=1", "A[1] cut:"),
            ("A=1 # why\n", "A[1] cut:"),
            ("A=it's,B='x y'", "A[it's] B[x y] cut:"),
            (r#"A="x\",B=1"#, r"A[x\] B[1] cut:"),
            (r"A=x\", "A[x] cut:A"),
        ];
        for (text, want) in rows {
            assert_eq!(read(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn refused() {
        let unfinished =
            |text: &str| format!("Unexpected end of key/value pairs in value '{text}'");
        for text in [
            "A",
            "A=",
            "A=1,B",
            "A=1 B=2",
            "A=b=c",
            "A=foo@bar",
            "=1",
            "A=,B=1",
            "A,B=1",
        ] {
            assert_eq!(read(text), Err(unfinished(text)), "{text}");
        }
        assert_eq!(read("A='x"), Err("No closing quotation".to_owned()));
        assert_eq!(read("A='x\\"), Err("No closing quotation".to_owned()));
        assert_eq!(read("A=\"x\\"), Err("No escaped character".to_owned()));
    }
}
