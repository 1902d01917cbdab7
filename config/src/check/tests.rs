use super::*;

/// Checks the main file `c` and others; the directory is shown as `<D>`.
fn report(files: &[(&str, &str)], overrides: &[(&'static str, &str)]) -> Report {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let cmd = CommandLine {
        argv0: "supervisord".to_owned(),
        start_dir: directory.path().to_owned(),
        config_file: Some("c".to_owned()),
        overrides: overrides
            .iter()
            .map(|&(key, text)| (key, text.to_owned()))
            .collect(),
    };
    let shown = directory.path().to_str().unwrap();
    let mut report = check(&cmd, &Environment::new());
    for found in &mut report.diagnostics {
        found.message = found.message.replace(shown, "<D>");
        found.file = found.file.take().map(|file| file.replace(shown, "<D>"));
    }
    report
}

/// The findings as `file:line: [section] option: message`, without what is accepted.
fn findings(text: &str) -> Vec<String> {
    let report = report(&[("c", text)], &[]);
    let brief = report.diagnostics.into_iter().map(|found| {
        let found = Diagnostic {
            accepted: None,
            ..found
        };
        found.to_string().replacen("c:", "", 1)
    });
    brief.collect()
}

#[test]
fn all_mistakes_of_all_sections_are_told_at_once() {
    let found = findings(
        "[supervisord]\nminfds=x\nloglevel=loud\nuser=no-such-user\n\
         [inet_http_server]\nport=h:0\nusername=u\n\
         [unix_http_server]\nchmod=9\nchown=no-such-user\n\
         [rpcinterface:a]\nsupervisor.rpcinterface_factory=a:b\n\
         [supervisorctl]\nprompt=%(here)s\n\
         [ctlplugin:x]\n\
         [program:a b]\nautostart=y\nnumprocs=2\nstopsignal=35\n\
         [fcgi-program:f]\nsocket=foo\nsocket_backlog=0\npriority=x\n\
         [eventlistener:e]\ncommand=e\nevents=TICK,FOO,BAR\nbuffer_size=0\nredirect_stderr=true\nresult_handler=a:b\n\
         [group:g]\nprograms=y,z\npriority=1.5\n",
    );
    let python = "Python code cannot be loaded here;";
    let want = [
        "2: error: [supervisord] minfds: invalid literal for int() with base 10: 'x'".to_owned(),
        "3: error: [supervisord] loglevel: bad logging level name 'loud'".to_owned(),
        "4: error: [supervisord] user: Invalid user name no-such-user".to_owned(),
        "6: error: [inet_http_server] port: 0 is below lower bound (1)".to_owned(),
        "7: error: [inet_http_server] username: Section [inet_http_server] contains incomplete authentication: \
         If a username or a password is specified, both the username and password must be specified"
            .to_owned(),
        "8: error: [unix_http_server] file: section [unix_http_server] has no file value".to_owned(),
        "9: error: [unix_http_server] chmod: Invalid chmod value 9".to_owned(),
        "10: error: [unix_http_server] chown: Invalid sockchown value no-such-user".to_owned(),
        format!(
            "12: error: [rpcinterface:a] supervisor.rpcinterface_factory: a:b cannot be resolved within \
             [rpcinterface:a]: {python} the RPC interface there is, with all methods of Supervisor, is \
             supervisor.rpcinterface:make_main_rpcinterface"
        ),
        "14: error: [supervisorctl] prompt: Format string '%(here)s' for 'supervisorctl.prompt' contains names \
         ('here') which cannot be expanded. Available names: "
            .to_owned(),
        "15: error: [ctlplugin:x] supervisor.ctl_factory: section [ctlplugin:x] does not specify a \
         supervisor.ctl_factory"
            .to_owned(),
        "16: error: [program:a b] Invalid name: 'a b' because of character: ' '".to_owned(),
        "16: error: [program:a b] command: program section program:a b does not specify a command".to_owned(),
        "17: error: [program:a b] autostart: not a valid boolean value: 'y'".to_owned(),
        "18: error: [program:a b] numprocs: %(process_num) must be present within process_name when numprocs > 1"
            .to_owned(),
        "19: error: [program:a b] stopsignal: value '35' is not a valid signal number".to_owned(),
        "20: error: [fcgi-program:f] command: program section fcgi-program:f does not specify a command".to_owned(),
        "21: error: [fcgi-program:f] socket: Bad socket format foo in [fcgi-program:f] socket".to_owned(),
        "22: error: [fcgi-program:f] socket_backlog: Invalid socket_backlog value 0".to_owned(),
        "23: error: [fcgi-program:f] priority: invalid literal for int() with base 10: 'x'".to_owned(),
        "26: error: [eventlistener:e] events: Unknown event type FOO in [eventlistener:e] events".to_owned(),
        "26: error: [eventlistener:e] events: Unknown event type BAR in [eventlistener:e] events".to_owned(),
        "27: error: [eventlistener:e] buffer_size: [eventlistener:e] section sets invalid buffer_size (0)".to_owned(),
        "28: error: [eventlistener:e] redirect_stderr: [eventlistener:e] section sets redirect_stderr=true but \
         this is not allowed because it will interfere with the eventlistener protocol"
            .to_owned(),
        format!(
            "29: error: [eventlistener:e] result_handler: a:b cannot be resolved within [eventlistener:e]: {python} \
             the result handlers there are: supervisor.dispatchers:default_handler, supervisor_stdout:event_handler"
        ),
        "31: error: [group:g] programs: [group:g] names unknown program or fcgi-program y".to_owned(),
        "31: error: [group:g] programs: [group:g] names unknown program or fcgi-program z".to_owned(),
        "32: error: [group:g] priority: invalid literal for int() with base 10: '1.5'".to_owned(),
    ];
    assert_eq!(found, want);
}

#[test]
fn files_that_are_no_configuration_are_read_on() {
    let found =
        findings("homeless\n[supervisord]\nminfds=x\nbad line\n=\n[program:a]\nautostart=y\n");
    let want = [
        "1: error: File contains no section headers: 'homeless'",
        "3: error: [supervisord] minfds: invalid literal for int() with base 10: 'x'",
        "4: error: Source contains parsing errors: 'bad line'",
        "5: error: Source contains parsing errors: '='",
        "6: error: [program:a] command: program section program:a does not specify a command",
        "7: error: [program:a] autostart: not a valid boolean value: 'y'",
    ];
    assert_eq!(found, want);
    let found = findings("[program:a]\ncommand=a\numask=9\n");
    let want = [
        " error: .ini file does not include supervisord section",
        "3: error: [program:a] umask: 9 can not be converted to an octal type",
    ];
    assert_eq!(found, want);
}

#[test]
fn mistakes_of_included_files_come_after_those_of_the_main_one() {
    let main = "[include]\nfiles=*.ini %(bad)s\n[supervisord]\nminfds=x\n[program:a]\ncommand=a\n";
    let report_of = |main: &str| {
        let included = "[program:a]\nautostart=y\numask=9\n";
        let lines = report(&[("c", main), ("b.ini", included)], &[]).to_string();
        lines
            .lines()
            .map(|line| {
                line.split(" (accepted")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(report_of(main).len(), 3);
    assert_eq!(
        report_of(&main.replace("%(bad)s", "")),
        [
            "c:4: error: [supervisord] minfds: invalid literal for int() with base 10: 'x'",
            "<D>/b.ini:2: error: [program:a] autostart: not a valid boolean value: 'y'",
            "<D>/b.ini:3: error: [program:a] umask: 9 can not be converted to an octal type",
            "c: 3 errors, 0 warnings",
        ]
    );
}

#[test]
fn processes_of_one_section_share_their_mistakes() {
    let found = findings(
        "[supervisord]\n[program:a]\ncommand=%(bad)s\nnumprocs=3\nprocess_name=%(process_num)s\n\
         [group:g]\nprograms=a\n[group:h]\nprograms=a\n",
    );
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_mistake_is_not_the_cause_of_another() {
    let found = findings(
        "[supervisord]\n[inet_http_server]\nport=1\nusername=%(bad)s\npassword=p\n[program:a]\ncommand=a\n\
         killasgroup=perhaps\nstopasgroup=true\nnumprocs=many\n[fcgi-program:f]\ncommand=f\nsocket=unix:///s\n\
         socket_mode=9\n",
    );
    let lines: Vec<_> = found
        .iter()
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(lines, ["4", "8", "10", "14"]);
}

#[test]
fn warnings_do_not_make_it_unusable() {
    let report = report(
        &[(
            "c",
            "[supervisord]\nminfd=1\n[Program:x]\n[program:y]\ncommand=y\nstdout_logfile=syslog\n",
        )],
        &[],
    );
    assert!(report.is_usable());
    assert_eq!(
        report.to_string(),
        "c:2: warning: [supervisord] minfd: unknown option minfd of [supervisord] is ignored, did you mean minfds?\n\
         c:3: warning: [Program:x] unknown section [Program:x] is ignored, did you mean [program:x]?\n\
         c:6: warning: [program:y] stdout_logfile: For [program:y], stdout_logfile=syslog but this is deprecated \
         and will be removed.  Use stdout_syslog=true to enable syslog instead.\n\
         c: 0 errors, 3 warnings\n"
    );
    assert_eq!(report.diagnostics[0].suggestion.as_deref(), Some("minfds"));
}

#[test]
fn the_command_line_is_checked_too() {
    let text = "[supervisord]\nuser=root\n";
    let report = report(&[("c", text)], &[("user", "no-such-user")]);
    assert_eq!(
        report.diagnostics[0].to_string(),
        "error: Invalid user name no-such-user"
    );
}

#[test]
fn what_is_accepted_is_told() {
    let text = "[supervisord]\n[fcgi-program:a]\ncommand=a\nsocket=tcp://h:1\nsocket_backlog=x\n";
    let report = report(&[("c", text)], &[]);
    assert_eq!(
        report.diagnostics[0].accepted.as_deref(),
        Some("a decimal number, perhaps with a sign, from 1 to 65535")
    );
}

#[test]
fn the_json_form_is_stable() {
    let json = report(&[("c", "[supervisord]\numask=9\n")], &[])
        .to_json()
        .unwrap();
    let want = r#"{
  "file": "c",
  "errors": 1,
  "warnings": 0,
  "diagnostics": [
    {
      "severity": "error",
      "file": "c",
      "line": 2,
      "section": "supervisord",
      "option": "umask",
      "message": "9 can not be converted to an octal type",
      "accepted": "an octal number",
      "suggestion": null
    }
  ]
}"#;
    assert_eq!(json, want);
}

#[test]
fn without_a_file_there_is_one_error() {
    let report = report(&[], &[]);
    assert_eq!(
        report.to_string(),
        "c: error: could not find config file c\nc: 1 error, 0 warnings\n"
    );
    assert!(!report.is_usable());
}

/// What a start reports is among what a check reports.
#[test]
fn a_start_reports_the_first_error_of_a_check() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("c"),
        "[supervisord]\numask=9\nminfds=x\n",
    )
    .unwrap();
    let cmd = CommandLine {
        argv0: "supervisord".to_owned(),
        start_dir: directory.path().to_owned(),
        config_file: Some("c".to_owned()),
        overrides: Default::default(),
    };
    let first = crate::load(&cmd, &Environment::new()).unwrap_err();
    assert_eq!(
        first.to_string(),
        "invalid literal for int() with base 10: 'x' (c, line 3, option minfds)"
    );
    assert_eq!(check(&cmd, &Environment::new()).errors, 2);
}
