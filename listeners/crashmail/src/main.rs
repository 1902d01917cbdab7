//! crashmail: an event listener that mails when a process exits unexpectedly.

mod crash;
mod options;

use std::io::{self, Write as _};
use std::process::ExitCode;

use jiff::Zoned;
use listener_kit::{
    Listener, Log, Mailer as _, Outbox, Outcome, arguments, complain_unsupervised, is_supervised,
    log,
};

use crate::crash::Crash;
use crate::options::{Options, usage};

fn main() -> ExitCode {
    let options = match Options::parse(&arguments()) {
        Ok(options) => options,
        Err(refusal) => return refusal.exit(&usage()),
    };
    // crashmail asks supervisord nothing; the address only shows that it was started in the right place.
    if !is_supervised() {
        complain_unsupervised("crashmail");
        return ExitCode::SUCCESS;
    }
    let mut mailer = Outbox::new(options.mail.carrier());
    let mut log = log();
    Listener::stdio().serve(|event| {
        if let Some(crash) = Crash::of(event).filter(|crash| options.wants(crash)) {
            // A log that cannot be written is no reason to end.
            let _ = report(&crash, &options, &mut mailer, &mut log);
        }
        Outcome::Done
    })
}

fn report(
    crash: &Crash<'_>,
    options: &Options,
    mailer: &mut Outbox,
    log: &mut Log,
) -> io::Result<()> {
    writeln!(log, "unexpected exit, mailing")?;
    if let Some(to) = &options.email {
        let mail = crash.mail(to, options.prefix.as_deref(), &Zoned::now());
        if mailer.send(&mail, log) {
            write!(log, "Mailed:\n\n{mail}")?;
        }
    }
    log.flush()
}
