//! Command lines read the way Python's `getopt.getopt` reads them, error texts included.
//!
//! Short options combine (`-nc file`, `-cfile`), long ones may be shortened as far as they stay
//! unique and take their value after `=` or as the next word. Reading stops at `--` and at the
//! first word that is no option. Pure: words in, options out.

use thiserror::Error;

/// Which options there are, in the notation of `getopt(3)`.
#[derive(Debug, Clone, Copy)]
pub struct Spec<'a> {
    /// Letters; a colon after one says that it takes a value: `"hc:"`.
    pub short: &'a str,
    /// Words; an equals sign after one says that it takes a value: `["help", "configuration="]`.
    pub long: &'a [&'a str],
}

/// A command line taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Options in their order, each with its value. The name has its dashes and is spelled out
    /// in full: `-c` or `--configuration`. An option without a value has an empty one.
    pub options: Vec<(String, String)>,
    /// The words after the options.
    pub rest: Vec<String>,
}

/// A command line that does not fit the options. Names are shown as they were typed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// There is no such option.
    #[error("option {0} not recognized")]
    NotRecognized(String),
    /// The line ends where a value should be.
    #[error("option {0} requires argument")]
    RequiresArgument(String),
    /// `--flag=value`
    #[error("option {0} must not have an argument")]
    MustNotHaveArgument(String),
    /// The shortened option could be several.
    #[error("option {0} not a unique prefix")]
    NotUnique(String),
}

/// Takes `args`, without the program's name, apart.
///
/// # Errors
/// The first word from the left that does not fit `spec`.
pub fn getopt(args: &[String], spec: Spec<'_>) -> Result<Parsed, Error> {
    let mut parsed = Parsed::default();
    let mut words = args.iter();
    loop {
        let before = words.clone();
        let Some(word) = words.next() else { break };
        if word == "--" {
            break;
        } else if let Some(long) = word.strip_prefix("--") {
            parsed.options.push(long_option(long, spec, &mut words)?);
        } else if let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            short_options(cluster, spec, &mut words, &mut parsed.options)?;
        } else {
            words = before;
            break;
        }
    }
    parsed.rest = words.cloned().collect();
    Ok(parsed)
}

/// Reads what follows `--` in one word, and the next word if the option takes a value.
fn long_option<'w>(
    word: &str,
    spec: Spec<'_>,
    words: &mut impl Iterator<Item = &'w String>,
) -> Result<(String, String), Error> {
    let (typed, attached) = match word.split_once('=') {
        Some((typed, value)) => (typed, Some(value)),
        None => (word, None),
    };
    let (name, takes_value) = find_long(typed, spec.long)?;
    let option = format!("--{name}");
    let value = match (takes_value, attached) {
        (true, Some(value)) => value.to_owned(),
        (true, None) => match words.next() {
            Some(value) => value.clone(),
            None => return Err(Error::RequiresArgument(option)),
        },
        (false, Some(_)) => return Err(Error::MustNotHaveArgument(option)),
        (false, None) => String::new(),
    };
    Ok((option, value))
}

/// The full name of a perhaps shortened long option, and whether it takes a value.
fn find_long<'s>(typed: &str, long: &[&'s str]) -> Result<(&'s str, bool), Error> {
    let mut found = None;
    let mut several = false;
    for option in long.iter().filter(|option| option.starts_with(typed)) {
        let (name, takes_value) = match option.strip_suffix('=') {
            Some(name) => (name, true),
            None => (*option, false),
        };
        if name == typed {
            return Ok((name, takes_value));
        }
        several = found.replace((name, takes_value)).is_some();
    }
    match found {
        Some(_) if several => Err(Error::NotUnique(format!("--{typed}"))),
        Some(option) => Ok(option),
        None => Err(Error::NotRecognized(format!("--{typed}"))),
    }
}

/// Reads the letters after one dash; the last may take the rest of the word or the next word.
fn short_options<'w>(
    cluster: &str,
    spec: Spec<'_>,
    words: &mut impl Iterator<Item = &'w String>,
    options: &mut Vec<(String, String)>,
) -> Result<(), Error> {
    let mut letters = cluster.chars();
    while let Some(letter) = letters.next() {
        let option = format!("-{letter}");
        if !takes_value(letter, spec.short).ok_or_else(|| Error::NotRecognized(option.clone()))? {
            options.push((option, String::new()));
            continue;
        }
        let value = match letters.as_str() {
            "" => match words.next() {
                Some(value) => value.clone(),
                None => return Err(Error::RequiresArgument(option)),
            },
            attached => attached.to_owned(),
        };
        options.push((option, value));
        break;
    }
    Ok(())
}

/// Whether a short option takes a value; `None`: there is no such option.
fn takes_value(letter: char, short: &str) -> Option<bool> {
    if letter == ':' {
        return None;
    }
    let at = short.find(letter)?;
    Some(short[at + letter.len_utf8()..].starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec<'_> = Spec {
        short: "hnc:m:",
        long: &[
            "help",
            "nodaemon",
            "nocleanup",
            "configuration=",
            "minfds=",
            "minprocs=",
            "min",
        ],
    };

    /// The options as `name=value` words, then the rest after a bar.
    fn read(line: &str) -> Result<String, String> {
        let args: Vec<String> = line
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let parsed = getopt(&args, SPEC).map_err(|error| error.to_string())?;
        let options: Vec<_> = parsed
            .options
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Ok(format!("{} | {}", options.join(" "), parsed.rest.join(" ")))
    }

    #[test]
    fn accepted_lines() {
        let rows = [
            ("", " | "),
            ("-n", "-n= | "),
            ("-nc f x", "-n= -c=f | x"),
            ("-cf -n", "-c=f -n= | "),
            ("-c=f", "-c==f | "),
            ("-c -n", "-c=-n | "),
            ("--configuration f", "--configuration=f | "),
            ("--conf=f", "--configuration=f | "),
            ("--conf=a=b", "--configuration=a=b | "),
            ("--conf=", "--configuration= | "),
            ("--conf --", "--configuration=-- | "),
            ("--min", "--min= | "),
            ("--minf 3", "--minfds=3 | "),
            ("-n -- -h", "-n= | -h"),
            ("-n word -h", "-n= | word -h"),
            ("- -h", " | - -h"),
        ];
        for (line, want) in rows {
            assert_eq!(read(line).as_deref(), Ok(want), "{line}");
        }
    }

    #[test]
    fn refused_lines() {
        let rows = [
            ("-x", "option -x not recognized"),
            ("-nx", "option -x not recognized"),
            ("-:", "option -: not recognized"),
            ("-é", "option -é not recognized"),
            ("--foo", "option --foo not recognized"),
            ("--configurations", "option --configurations not recognized"),
            ("-c", "option -c requires argument"),
            ("--conf", "option --configuration requires argument"),
            (
                "--nodaemon=1",
                "option --nodaemon must not have an argument",
            ),
            ("--nod=", "option --nodaemon must not have an argument"),
            ("--no", "option --no not a unique prefix"),
            ("--m", "option --m not a unique prefix"),
            ("--=x", "option -- not a unique prefix"),
        ];
        for (line, want) in rows {
            assert_eq!(read(line), Err(want.to_owned()), "{line}");
        }
    }
}
