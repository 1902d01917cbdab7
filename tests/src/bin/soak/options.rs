//! The command line.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const USAGE: &str = "\
usage: soak [--minutes N | --seconds N] [--seed N] [--programs N] [--bin DIR]

  --minutes N    how long the trouble lasts (30)
  --seed N       repeats the choices of a run, though not its timing
  --programs N   how many programs there are (200)
  --bin DIR      take supervisord and supervisorctl from DIR instead of building them";

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// How long the trouble lasts.
    pub(crate) time: Duration,
    /// Where chance begins.
    pub(crate) seed: u64,
    /// Programs and listeners, about.
    pub(crate) programs: usize,
    /// Where the commands are, if not in the target directory.
    pub(crate) bin: Option<PathBuf>,
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(words: &[String]) -> Result<Options, String> {
    let mut options = Options {
        time: Duration::from_secs(30 * 60),
        seed: some_seed(),
        programs: 200,
        bin: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| USAGE.to_owned())?;
        let number = || {
            let number = value.parse::<u64>();
            number.map_err(|_| format!("{word} {value}: no number\n\n{USAGE}"))
        };
        match word.as_str() {
            "--minutes" => options.time = Duration::from_secs(number()? * 60),
            "--seconds" => options.time = Duration::from_secs(number()?),
            "--seed" => options.seed = number()?,
            "--programs" => options.programs = number()?.clamp(20, 1000) as usize,
            "--bin" => options.bin = Some(PathBuf::from(value)),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

fn some_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.subsec_nanos().into())
}

impl fmt::Display for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            time,
            seed,
            programs,
            ..
        } = self;
        write!(
            out,
            "soak: {} s, seed {seed}, {programs} programs",
            time.as_secs()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn options_are_read() {
        let options = parsed("--minutes 2 --seed 7 --programs 40 --bin /x").expect("it is right");
        assert_eq!(options.time.as_secs(), 120);
        assert_eq!((options.seed, options.programs), (7, 40));
        assert_eq!(options.to_string(), "soak: 120 s, seed 7, 40 programs");
        for line in ["--minutes", "--minutes x", "--what 1"] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
