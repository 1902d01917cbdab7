//! `avail`

use client::CallError;
use protocol::faults::FaultCode;
use protocol::namespec::canonical;
use protocol::xmlrpc::Value;

use super::{Command, Completes, takes_no_arguments};
use crate::controller::{Controller, Flow};
use crate::exit_status::ExitStatus;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "avail",
    help: "avail\t\t\tList every process in the configuration",
    completes: Completes::Nothing,
    run,
};

const METHOD: &str = "supervisor.getAllConfigInfo";

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if !takes_no_arguments(ctl, &COMMAND, args)? {
        return Ok(Flow::Continue);
    }
    let configs = match ctl.call(METHOD, &[]) {
        Err(Failure::Call(error)) if error.fault() == Some(FaultCode::ShutdownState) => {
            ctl.complain("ERROR: supervisor shutting down", ExitStatus::Failed)?;
            return Ok(Flow::Continue);
        }
        answer => answer?,
    };
    let unexpected = || CallError::unexpected(METHOD);
    for config in configs.as_array().ok_or_else(unexpected)? {
        ctl.print(row(config).ok_or_else(unexpected)?)?;
    }
    Ok(Flow::Continue)
}

fn row(config: &Value) -> Option<String> {
    let text = |member| config.get(member).and_then(Value::as_str);
    let number = |member| config.get(member).and_then(Value::as_int);
    let truth = |member| config.get(member).and_then(Value::as_bool);
    Some(format!(
        "{:32} {:9} {:9} {}:{}",
        canonical(text("group")?, text("name")?),
        if truth("inuse")? { "in use" } else { "avail" },
        if truth("autostart")? {
            "auto"
        } else {
            "manual"
        },
        number("group_prio")?,
        number("process_prio")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_columns() {
        let mut config = vec![
            ("group".into(), "cat".into()),
            ("name".into(), "cat".into()),
            ("inuse".into(), true.into()),
            ("autostart".into(), false.into()),
            ("group_prio".into(), 999.into()),
            ("process_prio".into(), 1.into()),
        ];
        let expected = "cat                              in use    manual    999:1";
        assert_eq!(
            row(&Value::Struct(config.clone())).as_deref(),
            Some(expected)
        );
        config.pop();
        assert_eq!(row(&Value::Struct(config)), None);
    }
}
