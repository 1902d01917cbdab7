//! `echo_supervisord_conf`: prints a sample configuration. Arguments are ignored.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(config::sample().as_bytes())?;
    stdout.flush()
}
