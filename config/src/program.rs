//! The processes of a `[program:x]`, `[fcgi-program:x]` or `[eventlistener:x]`.

use std::sync::Arc;

use crate::convert::{ChildLogSetting, Invalid, name};
use crate::environment::Pairs;
use crate::error::Reason;
use crate::model::{ChildLog, Environment, FcgiSocket, OutputConfig, ProcessConfig};
use crate::remark::{Remark, cut_values};
use crate::source::View;
use crate::table::*;

/// What sort of program a section describes.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// `[program:x]`
    Plain,
    /// `[fcgi-program:x]`
    Fcgi(Arc<FcgiSocket>),
    /// `[eventlistener:x]`
    Listener,
}

/// Reads a section, the group's name being in `view`. `environment` is that of `[supervisord]`.
pub(crate) fn processes(
    view: View<'_>,
    role: Role,
    environment: &Environment,
    remarks: &mut Vec<Remark>,
) -> Option<Vec<ProcessConfig>> {
    let view = View {
        of_process: true,
        ..view
    };
    let program = view.checked_name();
    let view = View { program, ..view };
    let (template, numprocs, first) = template(&view, role)?;
    check_names(&view, numprocs);
    if template.stopasgroup && !template.killasgroup {
        view.tell(&KILLASGROUP, Reason::StopWithoutKill);
    }
    let mut processes = Vec::with_capacity(usize::try_from(numprocs).unwrap_or(0));
    for at in 0..numprocs {
        let view = View {
            number: Some((first.saturating_add(at), numprocs)),
            ..view
        };
        let pairs = view.value(&PROCESS_ENVIRONMENT)?;
        if at == 0 {
            remarks.extend(cut_values(&view, &PROCESS_ENVIRONMENT, &pairs));
        }
        processes.extend(process(&view, &template, pairs, environment, remarks));
    }
    Some(processes)
}

/// What all processes of the section have in common, their number and the first one's number.
fn template(view: &View<'_>, role: Role) -> Option<(ProcessConfig, i64, i64)> {
    let priority = view.get(&PRIORITY).unwrap_or(999);
    let autostart = view.value(&AUTOSTART)?;
    let autorestart = view.value(&AUTORESTART)?;
    let startsecs = view.value(&STARTSECS)?;
    let startretries = view.value(&STARTRETRIES)?;
    let stopsignal = view.value(&STOPSIGNAL)?;
    let stopwaitsecs = view.value(&STOPWAITSECS)?;
    let stopasgroup = view.value(&STOPASGROUP)?;
    let killasgroup = view.get(&KILLASGROUP).unwrap_or(stopasgroup);
    let exitcodes = view.value(&EXITCODES)?;
    let redirect_stderr = view.value(&REDIRECT_STDERR)?;
    let numprocs = numprocs(view)?;
    let first = view.value(&NUMPROCS_START)?;
    let stdout = output(
        view.value(&STDOUT_CAPTURE_MAXBYTES)?,
        view.value(&STDOUT_EVENTS_ENABLED)?,
    );
    let stderr = output(
        view.value(&STDERR_CAPTURE_MAXBYTES)?,
        view.value(&STDERR_EVENTS_ENABLED)?,
    );
    let serverurl = view.get(&PROCESS_SERVERURL);
    let user = view.get(&PROCESS_USER);
    let umask = view.get(&PROCESS_UMASK);
    let template = ProcessConfig {
        name: String::new(),
        group: view.group.to_owned(),
        section: view.section.name.to_string(),
        command: String::new(),
        directory: None,
        umask,
        priority,
        autostart,
        autorestart,
        startsecs,
        startretries,
        exitcodes,
        stopsignal,
        stopwaitsecs,
        stopasgroup,
        killasgroup,
        user,
        redirect_stderr,
        stdout,
        stderr,
        environment: Environment::new(),
        serverurl: serverurl.filter(|url| !url.trim().eq_ignore_ascii_case("auto")),
        is_listener: matches!(role, Role::Listener),
        fcgi: match role {
            Role::Fcgi(socket) => Some(socket),
            Role::Plain | Role::Listener => None,
        },
    };
    Some((template, numprocs, first))
}

fn output(capture_maxbytes: i64, events_enabled: bool) -> OutputConfig {
    OutputConfig {
        logfile: ChildLog::None,
        maxbytes: 0,
        backups: 0,
        capture_maxbytes,
        events_enabled,
        syslog: false,
    }
}

/// How many processes there are to be. Too many are refused, and then not looked at.
fn numprocs(view: &View<'_>) -> Option<i64> {
    let numprocs = view.value(&NUMPROCS)?;
    match NUMPROCS.about.range {
        Some((_, bound)) if numprocs > bound => {
            let value = numprocs;
            view.tell(&NUMPROCS, Invalid::TooHigh { value, bound }.into());
            Some(1)
        }
        _ => Some(numprocs.max(0)),
    }
}

/// The name must be one even before its `%(...)s` are replaced, and several processes need several.
fn check_names(view: &View<'_>, numprocs: i64) {
    let raw = view
        .raw(PROCESS_NAME.about.key)
        .map_or("", |value| value.text.as_str());
    if let Err(invalid) = name(raw) {
        view.tell(&PROCESS_NAME, invalid.into());
    }
    if numprocs > 1 && !raw.contains("%(process_num)") {
        view.tell(&NUMPROCS, Reason::NoProcessNum);
    }
}

/// One process: the template, and what depends on its number.
fn process(
    view: &View<'_>,
    template: &ProcessConfig,
    pairs: Pairs,
    inherited: &Environment,
    remarks: &mut Vec<Remark>,
) -> Option<ProcessConfig> {
    let own = pairs.variables;
    let view = &View {
        own: Some(&own),
        ..*view
    };
    let mut process = ProcessConfig {
        directory: view.get(&PROCESS_DIRECTORY),
        ..template.clone()
    };
    log(view, &STDOUT, &mut process.stdout, remarks)?;
    log(view, &STDERR, &mut process.stderr, remarks)?;
    if process.redirect_stderr {
        if matches!(process.stderr.logfile, ChildLog::File(_) | ChildLog::Empty) {
            let text = format!(
                "For [{}], redirect_stderr=true but stderr_logfile has also been set to a filename, \
                 the filename has been ignored",
                view.section.name
            );
            remarks.push(Remark::warning(text).of_view(view, STDERR_LOGFILE.about.key));
        }
        process.stderr.logfile = ChildLog::None;
    }
    let command = view.value(&COMMAND);
    process.name = view.value(&PROCESS_NAME)?;
    process.command = command?;
    process.environment = inherited.clone();
    process.environment.extend(own);
    Some(process)
}

/// The rows of one channel.
struct Channel {
    name: &'static str,
    logfile: &'static Typed<ChildLogSetting>,
    maxbytes: &'static Typed<i64>,
    backups: &'static Typed<i64>,
    syslog: &'static Typed<bool>,
}

static STDOUT: Channel = Channel {
    name: "stdout",
    logfile: &STDOUT_LOGFILE,
    maxbytes: &STDOUT_LOGFILE_MAXBYTES,
    backups: &STDOUT_LOGFILE_BACKUPS,
    syslog: &STDOUT_SYSLOG,
};

static STDERR: Channel = Channel {
    name: "stderr",
    logfile: &STDERR_LOGFILE,
    maxbytes: &STDERR_LOGFILE_MAXBYTES,
    backups: &STDERR_LOGFILE_BACKUPS,
    syslog: &STDERR_SYSLOG,
};

/// Reads where the output of one channel goes.
fn log(
    view: &View<'_>,
    channel: &Channel,
    output: &mut OutputConfig,
    remarks: &mut Vec<Remark>,
) -> Option<()> {
    let setting = view.value(channel.logfile)?;
    output.backups = view.value(channel.backups)?;
    output.maxbytes = view.value(channel.maxbytes)?;
    output.syslog = view.value(channel.syslog)?;
    let (section, name) = (&view.section.name, channel.name);
    let mut warn = |text| {
        let key = channel.logfile.about.key;
        remarks.push(Remark::warning(text).of_view(view, key));
    };
    output.logfile = match setting {
        ChildLogSetting::None => ChildLog::None,
        ChildLogSetting::Empty => ChildLog::Empty,
        ChildLogSetting::Auto => ChildLog::Auto,
        ChildLogSetting::File(path) => ChildLog::File(path),
        ChildLogSetting::Syslog => {
            warn(format!(
                "For [{section}], {name}_logfile=syslog but this is deprecated and will be removed.  \
                 Use {name}_syslog=true to enable syslog instead."
            ));
            output.syslog = true;
            ChildLog::None
        }
    };
    if output.logfile == ChildLog::Auto && output.maxbytes == 0 {
        warn(format!(
            "For [{section}], AUTO logging used for {name}_logfile without rollover, set maxbytes > 0 \
             to avoid filling up filesystem unintentionally"
        ));
    }
    Some(())
}
