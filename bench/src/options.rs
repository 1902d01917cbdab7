//! The command line.

use std::path::{PathBuf, absolute};

use crate::error::{About, Error};
use crate::workload::number;

/// What there is.
pub(crate) const USAGE: &str = "\
usage: callboard-bench compare [--only NAME]... [--rounds N] [--quick] [--ours DIR] [--list]
       callboard-bench curves  [--quick] [--ours DIR] [--out FILE.svg]

  compare   measure each row on ours, on the original and by bare programs, in turn; print medians
  curves    measure the cost of 10 to 10,000 programs; print a table and draw it

  --only NAME   only the experiments whose name contains NAME; several may be given
  --rounds N    how often each is measured (5; long ones at most 3 times)
  --quick       one round, less data: a smoke test
  --ours DIR    take supervisord, supervisorctl and memmon from DIR instead of building them
  --list        print the names of the experiments
  --out FILE    where the picture goes (docs/performance.svg)";

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Parts of names; none means all.
    pub(crate) only: Vec<String>,
    /// Measurements of each row and implementation.
    pub(crate) rounds: usize,
    /// Less data.
    pub(crate) quick: bool,
    /// Where our commands are, if not in the target directory.
    pub(crate) ours: Option<PathBuf>,
    /// Names only.
    pub(crate) list: bool,
    /// The picture's file.
    pub(crate) out: Option<PathBuf>,
}

/// Reads what follows the subcommand.
pub(crate) fn parse(arguments: &[String]) -> Result<Options, Error> {
    let mut options = Options {
        only: Vec::new(),
        rounds: 5,
        quick: false,
        ours: None,
        list: false,
        out: None,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            let value = words.next();
            value.ok_or_else(|| Error::Usage(format!("{word} needs a value")))
        };
        match word.as_str() {
            "--only" => options.only.push(value()?.clone()),
            "--rounds" => options.rounds = number(value()?)?.max(1),
            "--quick" => options.quick = true,
            "--ours" => options.ours = Some(absolute(value()?).about("read --ours")?),
            "--list" => options.list = true,
            "--out" => options.out = Some(PathBuf::from(value()?)),
            _ => return Err(Error::Usage(format!("{word}?\n\n{USAGE}"))),
        }
    }
    if options.quick {
        options.rounds = 1;
    }
    Ok(options)
}

impl Options {
    /// Whether an experiment was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read() {
        let options = parse(&words("--only log --only rpc --rounds 7 --ours /x")).unwrap();
        assert_eq!(options.rounds, 7);
        assert_eq!(options.ours, Some(PathBuf::from("/x")));
        assert!(options.wants("log-1") && options.wants("rpc-state") && !options.wants("start"));
        assert!(parse(&[]).unwrap().wants("start"));
        for line in ["--rounds", "--rounds x", "--what"] {
            assert!(parse(&words(line)).is_err(), "{line}");
        }
    }
}
