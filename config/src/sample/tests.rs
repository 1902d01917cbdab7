use super::*;
use crate::cli::CommandLine;
use crate::model::{ActivityLog, Environment};
use crate::table::rows;

const ACTIVE: &str = "\
[unix_http_server]
file=/tmp/supervisor.sock
[supervisord]
logfile=/tmp/supervisord.log
logfile_maxbytes=50MB
logfile_backups=10
loglevel=info
pidfile=/tmp/supervisord.pid
nodaemon=false
silent=false
minfds=1024
minprocs=200
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///tmp/supervisor.sock
";

/// The lines that are in force, without what is behind them.
fn active(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(';'));
    lines
        .map(|line| format!("{}\n", line.split(" ;").next().unwrap_or(line).trim_end()))
        .collect()
}

/// A directory with the sample in it, changed.
fn written(change: impl Fn(&str) -> String) -> (tempfile::TempDir, CommandLine) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("c"), change(&sample())).unwrap();
    let cmd = CommandLine {
        argv0: "supervisord".to_owned(),
        start_dir: directory.path().to_owned(),
        config_file: Some("c".to_owned()),
        overrides: Default::default(),
    };
    (directory, cmd)
}

#[test]
fn the_active_lines_are_supervisors() {
    assert_eq!(active(&sample()), ACTIVE);
}

#[test]
fn lines_for_sed_are_in_form() {
    let sample = sample();
    assert_eq!(
        sample.lines().next(),
        Some("; Sample supervisor config file.")
    );
    for line in [
        ";[include]",
        ";files = relative/directory/*.ini",
        ";[inet_http_server]",
    ] {
        assert!(sample.lines().any(|found| found == line), "{line}");
    }
    assert!(
        sample
            .lines()
            .any(|line| line.starts_with(";port=127.0.0.1:9001 "))
    );
}

#[test]
fn it_is_right_as_it_is_with_tmp_replaced() {
    let (directory, cmd) = written(str::to_owned);
    let root = format!("{}/", directory.path().display());
    std::fs::write(directory.path().join("c"), sample().replace("/tmp/", &root)).unwrap();
    let config = crate::load(&cmd, &Environment::new()).unwrap();
    assert_eq!(config.notices, []);
    assert_eq!(
        config.daemon.logfile,
        ActivityLog::File(directory.path().join("supervisord.log"))
    );
}

/// Every example is right: the whole file may be uncommented.
#[test]
fn it_is_right_with_everything_uncommented() {
    let (_directory, cmd) = written(|text| {
        let lines = text.lines().map(|line| match line.strip_prefix(';') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        });
        lines.collect()
    });
    let environment = Environment::from([("HOME".to_owned(), "/".to_owned())]);
    let report = crate::check(&cmd, &environment);
    let findings: Vec<_> = report
        .diagnostics
        .iter()
        .map(|found| &found.message)
        .collect();
    let no_files = format!(
        "No file matches via include \"{}/relative/directory/*.ini\"",
        cmd.start_dir.display()
    );
    assert_eq!(findings, [&no_files]);
    let config = crate::load(&cmd, &environment).unwrap();
    assert_eq!(config.groups.len(), 3);
}

#[test]
fn every_option_is_shown() {
    let sample = sample();
    let shown = |key: &str| {
        let starts = [
            format!("{key}="),
            format!(";{key}="),
            format!(";{key} = "),
            format!("{key} = "),
        ];
        sample
            .lines()
            .any(|line| starts.iter().any(|start| line.starts_with(start)))
    };
    for about in rows().map(|row| row.about()) {
        let is_plugin = about.sections == [SectionKind::CtlPlugin];
        assert_eq!(shown(about.key), !is_plugin, "{}", about.key);
    }
}
