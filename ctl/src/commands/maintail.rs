//! `maintail`

use super::tail::{DEFAULT_BYTES, Extent, follow, print_log};
use super::{Command, Completes, usage_error};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "maintail",
    help: "maintail -f\tFollow the log of supervisord (Ctrl-C to exit)\n\
           maintail -100\tLast 100 *bytes* of it\n\
           maintail\tLast 1600 *bytes* of it",
    completes: Completes::Nothing,
    run,
};

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !ctl.check_server()? {
        return Ok(Flow::Continue);
    }
    let words: Vec<_> = args.split_whitespace().collect();
    let extent = match words.as_slice() {
        [] => Extent::Last(DEFAULT_BYTES),
        [word] => match Extent::parse(word) {
            Some(extent) => extent,
            None => {
                let line = format!("Error: bad argument {word}");
                ctl.complain(line, ExitStatus::Failed)?;
                return Ok(Flow::Continue);
            }
        },
        _ => return usage_error(ctl, &COMMAND, "too many arguments", ExitStatus::Failed),
    };
    match extent {
        Extent::Follow => follow(ctl, "/mainlogtail")?,
        Extent::Last(bytes) => {
            let method = "supervisor.readLog";
            let answer = ctl.call(method, &[(-bytes).into(), 0.into()]);
            print_log(ctl, "supervisord", method, answer)?;
        }
    }
    Ok(Flow::Continue)
}
