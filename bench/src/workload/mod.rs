//! The programs that are supervised while something is measured: this executable again, so that nothing else needs to
//! be built and the floors have the same ones.

mod life;
mod listener;
pub(crate) mod output;

pub(crate) use listener::{Record, read_numbers};

use crate::error::Error;

/// Runs the workload that the arguments name; most never return.
pub(crate) fn run(arguments: &[String]) -> Result<(), Error> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["spout", chunk, total] => output::spout(&output::plain(number(chunk)?), number(total)?),
        ["colours", total] => output::spout(&output::coloured(), number(total)?),
        ["tick"] => output::tick(),
        ["burst", count] => output::burst(number(count)?),
        ["pace", rate, count] => output::pace(number(rate)?, number(count)?),
        ["listen", record] => listener::listen(record),
        ["life", record, milliseconds] => life::live(record, number(milliseconds)?),
        ["timed", program, ref arguments @ ..] => life::timed(program, arguments),
        _ => Err(Error::Usage(format!("no such workload: {words:?}"))),
    }
}

/// A number of a command line.
pub(crate) fn number(text: &str) -> Result<usize, Error> {
    let number = text.parse();
    number.map_err(|_| Error::Usage(format!("{text} is no number")))
}
