//! The structs that describe processes, members in Supervisor's order.

use std::path::PathBuf;

use config::model::{ChildLog, OutputConfig, ProcessConfig};
use protocol::xmlrpc::{Encoder, Value};

use crate::supervisor::messages::{ConfigInfo, ProcessInfo};

/// The struct of `getProcessInfo`.
pub(super) fn write_process(process: &ProcessInfo, encoder: &mut Encoder<'_>) {
    let stdout = path_or(process.stdout_logfile.as_deref(), "");
    let stderr = path_or(process.stderr_logfile.as_deref(), "");
    encoder.record(|record| {
        record.string_member("name", &process.config.name);
        record.string_member("group", &process.config.group);
        record.int_member("start", clamp(process.start));
        record.int_member("stop", clamp(process.stop));
        record.int_member("now", clamp(process.now));
        record.int_member("state", process.state.code());
        record.string_member("statename", process.state.name());
        record.string_member("spawnerr", &process.spawnerr);
        record.int_member("exitstatus", process.exitstatus);
        record.string_member("logfile", &stdout);
        record.string_member("stdout_logfile", &stdout);
        record.string_member("stderr_logfile", &stderr);
        record.int_member("pid", process.pid);
        record.string_member("description", &process.description);
    });
}

/// The struct of `getAllConfigInfo`.
pub(super) fn write_config(info: &ConfigInfo, encoder: &mut Encoder<'_>) {
    let config: &ProcessConfig = &info.config;
    encoder.record(|record| {
        record.bool_member("autostart", config.autostart);
        record.string_member("directory", config.directory.as_deref().unwrap_or(NONE));
        record.member("uid", |member| member.value(&uid(config)));
        record.string_member("command", &config.command);
        record.member("exitcodes", |member| {
            member.array(|codes| {
                config
                    .exitcodes
                    .iter()
                    .for_each(|code| codes.value(&Value::Int(*code)))
            });
        });
        record.string_member("group", &config.group);
        record.int_member("group_prio", clamp(info.group_priority));
        record.bool_member("inuse", info.inuse);
        record.bool_member("killasgroup", config.killasgroup);
        record.string_member("name", &config.name);
        record.int_member("process_prio", clamp(config.priority));
        record.bool_member("redirect_stderr", config.redirect_stderr);
        record.int_member("startretries", clamp(config.startretries));
        record.int_member("startsecs", clamp(config.startsecs));
        write_output(
            record,
            &STDOUT,
            &config.stdout,
            info.stdout_logfile.as_deref(),
        );
        record.int_member("stopsignal", config.stopsignal.number());
        record.int_member("stopwaitsecs", clamp(config.stopwaitsecs));
        write_output(
            record,
            &STDERR,
            &config.stderr,
            info.stderr_logfile.as_deref(),
        );
        record.string_member("serverurl", config.serverurl.as_deref().unwrap_or(NONE));
    });
}

/// What stands for an absent value, as XML-RPC has none.
const NONE: &str = "none";

/// The member names of an output channel.
struct OutputNames {
    capture_maxbytes: &'static str,
    events_enabled: &'static str,
    logfile: &'static str,
    backups: &'static str,
    maxbytes: &'static str,
    syslog: &'static str,
}

const STDOUT: OutputNames = OutputNames {
    capture_maxbytes: "stdout_capture_maxbytes",
    events_enabled: "stdout_events_enabled",
    logfile: "stdout_logfile",
    backups: "stdout_logfile_backups",
    maxbytes: "stdout_logfile_maxbytes",
    syslog: "stdout_syslog",
};

const STDERR: OutputNames = OutputNames {
    capture_maxbytes: "stderr_capture_maxbytes",
    events_enabled: "stderr_events_enabled",
    logfile: "stderr_logfile",
    backups: "stderr_logfile_backups",
    maxbytes: "stderr_logfile_maxbytes",
    syslog: "stderr_syslog",
};

fn write_output(
    record: &mut Encoder<'_>,
    names: &OutputNames,
    output: &OutputConfig,
    resolved: Option<&PathBuf>,
) {
    let logfile = match &output.logfile {
        ChildLog::None => NONE.into(),
        ChildLog::Empty => "".into(),
        ChildLog::Auto => path_or(resolved, "auto"),
        ChildLog::File(path) => path.to_string_lossy(),
    };
    record.int_member(names.capture_maxbytes, clamp(output.capture_maxbytes));
    record.bool_member(names.events_enabled, output.events_enabled);
    record.string_member(names.logfile, &logfile);
    record.int_member(names.backups, clamp(output.backups));
    record.int_member(names.maxbytes, clamp(output.maxbytes));
    record.bool_member(names.syslog, output.syslog);
}

fn path_or<'a>(path: Option<&'a PathBuf>, absent: &'a str) -> std::borrow::Cow<'a, str> {
    path.map_or(absent.into(), |path| path.to_string_lossy())
}

fn uid(config: &ProcessConfig) -> Value {
    match &config.user {
        Some(user) => clamp(user.uid.as_raw().into()).into(),
        None => NONE.into(),
    }
}

/// The nearest number that XML-RPC can carry.
fn clamp(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_clamped() {
        let rows = [
            (0, 0),
            (-5, -5),
            (1 << 31, i32::MAX),
            (i64::MAX, i32::MAX),
            (i64::MIN, i32::MIN),
        ];
        for (number, clamped) in rows {
            assert_eq!(clamp(number), clamped);
        }
    }
}
