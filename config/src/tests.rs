//! Whole configurations: what they mean and how they are refused, as Supervisor 4.3.0 does it.

mod listeners;
mod people;

use std::path::Path;

use crate::cli::CommandLine;
use crate::model::*;
use crate::{ConfigError, diff, load};

/// A directory with configuration files in it.
struct Files(tempfile::TempDir);

impl Files {
    /// Files by name; the main one is `c`.
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command_line(&self) -> CommandLine {
        CommandLine {
            argv0: "supervisord".to_owned(),
            start_dir: self.path().to_owned(),
            config_file: Some("c".to_owned()),
            overrides: Default::default(),
        }
    }

    fn load(&self) -> Result<Config, ConfigError> {
        self.load_with(&self.command_line())
    }

    fn load_with(&self, cmd: &CommandLine) -> Result<Config, ConfigError> {
        let variables = [
            ("HOME", "/root"),
            ("X", "x"),
            ("N", "7"),
            ("TMPDIR", "/tmp"),
        ];
        let env = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        load(cmd, &env.into())
    }

    /// The error's text, the directory shown as `<D>`.
    fn error(&self) -> String {
        let text = self.load().map(drop).unwrap_err().to_string();
        text.replace(self.path().to_str().unwrap(), "<D>")
    }
}

/// Loads `[supervisord]` and what follows.
fn config(text: &str) -> Config {
    Files::new(&[("c", &format!("[supervisord]\n{text}"))])
        .load()
        .unwrap()
}

fn error(text: &str) -> String {
    Files::new(&[("c", &format!("[supervisord]\n{text}"))]).error()
}

/// The first process of a program section with these options.
fn process(options: &str) -> ProcessConfig {
    let config = config(&format!("[program:web]\ncommand=cat\n{options}\n"));
    (*config.groups[0].processes[0]).clone()
}

fn names(config: &Config) -> String {
    let group = |group: &std::sync::Arc<GroupConfig>| {
        let processes: Vec<_> = group
            .processes
            .iter()
            .map(|process| process.name.as_str())
            .collect();
        format!("{}({})", group.name, processes.join(" "))
    };
    config
        .groups
        .iter()
        .map(group)
        .collect::<Vec<_>>()
        .join(" ")
}

fn warnings(config: &Config) -> Vec<&str> {
    config
        .notices
        .iter()
        .map(|notice| notice.text.as_str())
        .collect()
}

#[test]
fn an_empty_section_means_the_defaults() {
    let files = Files::new(&[("c", "[supervisord]")]);
    let daemon = files.load().unwrap().daemon;
    assert_eq!(
        daemon.logfile,
        ActivityLog::File(files.path().join("supervisord.log"))
    );
    assert_eq!(daemon.pidfile, files.path().join("supervisord.pid"));
    assert_eq!(
        (daemon.logfile_maxbytes, daemon.logfile_backups),
        (50 << 20, 10)
    );
    assert_eq!((daemon.loglevel, daemon.umask), (LogLevel::Info, 0o022));
    assert_eq!((daemon.minfds, daemon.minprocs), (1024, 200));
    assert_eq!(
        (daemon.identifier.as_str(), daemon.childlogdir.as_path()),
        ("supervisor", Path::new("/tmp"))
    );
    assert_eq!((daemon.user, daemon.directory), (None, None));
    assert!(!daemon.nodaemon && !daemon.silent && !daemon.nocleanup && !daemon.strip_ansi);
}

#[test]
fn a_bare_program_means_the_defaults() {
    let output = OutputConfig {
        logfile: ChildLog::Auto,
        maxbytes: 50 << 20,
        backups: 10,
        capture_maxbytes: 0,
        events_enabled: false,
        syslog: false,
    };
    let want = ProcessConfig {
        name: "web".to_owned(),
        group: "web".to_owned(),
        section: "program:web".to_owned(),
        command: "cat".to_owned(),
        directory: None,
        umask: None,
        priority: 999,
        autostart: true,
        autorestart: AutoRestart::Unexpected,
        startsecs: 1,
        startretries: 3,
        exitcodes: vec![0],
        stopsignal: SignalNumber::TERM,
        stopwaitsecs: 10,
        stopasgroup: false,
        killasgroup: false,
        user: None,
        redirect_stderr: false,
        stdout: output.clone(),
        stderr: output,
        environment: Environment::new(),
        serverurl: None,
        fcgi: None,
        is_listener: false,
    };
    assert_eq!(process(""), want);
}

#[test]
fn numbers_are_kept_as_they_are_written() {
    let process = process(
        "startsecs=-5\nstopwaitsecs=99999999999999999999\nstartretries=-1\npriority=-99999999999999999999",
    );
    assert_eq!(process.startsecs, -5);
    assert_eq!(process.stopwaitsecs, i64::MAX);
    assert_eq!(process.startretries, -1);
    assert_eq!(process.priority, i64::MIN);
}

#[test]
fn stopasgroup_brings_killasgroup() {
    assert!(process("stopasgroup=true").killasgroup);
    assert!(error("[program:a]\ncommand=a\nstopasgroup=true\nkillasgroup=false").starts_with(
        "Cannot set stopasgroup=true and killasgroup=false in section 'program:a' (file: 'c') (line 5, option killasgroup)"
    ));
}

#[test]
fn every_process_has_its_own_values() {
    let config = config(
        "environment=G=\"g\"\n[program:m]\ncommand=run %(process_num)d/%(numprocs)s %(ENV_A)s %(ENV_G)s %(group_name)s\n\
         process_name=m_%(process_num)s\nnumprocs=3\nnumprocs_start=9\nenvironment=A=\"a%(process_num)02d\"\n\
         stdout_logfile=/tmp/100%%-%(ENV_A)s\n",
    );
    assert_eq!(names(&config), "m(m_10 m_11 m_9)");
    let last = &config.groups[0].processes[2];
    assert_eq!(last.command, "run 9/3 a09 g m");
    assert_eq!(last.stdout.logfile, ChildLog::File("/tmp/100%-a09".into()));
    let environment: Vec<_> = last.environment.iter().collect();
    assert_eq!(format!("{environment:?}"), r#"[("A", "a09"), ("G", "g")]"#);
}

#[test]
fn groups_are_ordered_and_take_their_programs() {
    let config = config(
        "[group:g]\nprograms=b , a\npriority=5\n[program:a]\ncommand=a\n[program:b]\ncommand=%(group_name)s\n[program:c]\n\
         command=c\n[eventlistener:e]\ncommand=e\nevents=TICK\n[program:B]\ncommand=B\n[group:empty]\n",
    );
    assert_eq!(names(&config), "e(e) g(b a) B(B) c(c) empty()");
    assert_eq!(config.groups[1].processes[0].command, "g");
    assert_eq!(
        (
            config.groups[0].priority,
            config.groups[0].processes[0].priority
        ),
        (-1, 999)
    );
}

#[test]
fn of_equal_names_one_counts() {
    let config = config(
        "[group:g]\nprograms=a,b\n[program:a]\ncommand=1\nprocess_name=x\n[program:b]\ncommand=2\nprocess_name=x\n\
         [program:g]\ncommand=3\n",
    );
    assert_eq!(names(&config), "g(x)");
    assert_eq!(config.groups[0].processes[0].command, "2");
    assert_eq!(
        warnings(&config),
        [
            "Group g has several processes named x: the one of [program:b] counts",
            "c:10: [program:g] is ignored, the group name g is taken by [group:g]",
        ]
    );
}

#[test]
fn stop_signals_without_a_type_of_nix() {
    for (text, number) in [("0", 0), ("RTMIN", 34), ("64", 64)] {
        let signal = process(&format!("stopsignal={text}")).stopsignal;
        assert_eq!(signal.number(), number);
    }
}

#[test]
fn fcgi_sockets_stay_with_members_of_groups() {
    let config = config(
        "[group:g]\nprograms=f\n[group:h]\nprograms=f\n[fcgi-program:f]\ncommand=f\nsocket=unix:///tmp/%(program_name)s\n",
    );
    let sockets: Vec<_> = config
        .groups
        .iter()
        .filter_map(|group| group.processes[0].fcgi.clone())
        .collect();
    assert!(std::sync::Arc::ptr_eq(&sockets[0], &sockets[1]));
    assert_eq!(
        sockets[0].address,
        FcgiAddress::Unix {
            path: "/tmp/f".into(),
            owner: None,
            mode: Some(0o700)
        }
    );
}

#[test]
fn servers_come_by_kind() {
    let config = config(
        "[unix_http_server]\nfile=s\nchmod=0770\nchown=root:root\nusername=\npassword=x\n[inet_http_server:b]\nport=*:1\n\
         username=u\npassword={SHA}ABC\n[inet_http_servers]\nport=H:2\n[rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
    );
    let sections: Vec<_> = config
        .servers
        .iter()
        .map(|server| server.section.as_str())
        .collect();
    assert_eq!(
        sections,
        [
            "inet_http_server:b",
            "inet_http_servers",
            "unix_http_server"
        ]
    );
    let password = config.servers[0]
        .credentials
        .as_ref()
        .map(|credentials| credentials.password.as_str());
    assert_eq!(password, Some("{SHA}abc"));
    assert_eq!(config.servers[2].credentials, None);
    assert!(matches!(
        &config.servers[2].address,
        ServerAddress::Unix {
            mode: 0o770,
            owner: Some(_),
            ..
        }
    ));
    assert_eq!(config.rpc_interfaces, ["supervisor"]);
}

#[test]
fn includes_are_read_after_the_main_file() {
    let files = Files::new(&[
        (
            "c",
            "[program:a]\ncommand=main\n[include]\nfiles=nope/* *.ini d/*\n",
        ),
        (
            "z.ini",
            "[supervisord]\nidentifier=%(here)s\n[include]\nfiles=nothing\n",
        ),
        ("d/100%/x", ""),
        ("d/b.conf", "[program:a]\ncommand=%(here)s 100%%\n"),
        ("d/.hidden", "[bad"),
    ]);
    let config = files.load().unwrap();
    let here = files.path().to_str().unwrap();
    assert_eq!(config.daemon.identifier, here);
    assert_eq!(
        config.groups[0].processes[0].command,
        format!("{here}/d 100%")
    );
    let notices: Vec<_> = config
        .notices
        .iter()
        .map(|notice| notice.text.replace(here, "<D>"))
        .collect();
    assert_eq!(
        notices,
        [
            "No file matches via include \"<D>/nope/*\"",
            "Could not read included file \"<D>/d/100%\": Is a directory (os error 21)",
            "Included extra file \"<D>/z.ini\" during parsing",
            "Included extra file \"<D>/d/b.conf\" during parsing",
        ]
    );
}

#[test]
fn a_percent_sign_in_the_directory_does_no_harm() {
    let files = Files::new(&[("d/100%/c", "[supervisord]\nidentifier=%(here)s\n")]);
    let mut cmd = files.command_line();
    cmd.config_file = Some("d/100%/c".to_owned());
    let config = files.load_with(&cmd).unwrap();
    assert!(config.daemon.identifier.ends_with("/d/100%"));
}

#[test]
fn the_command_line_wins_again_and_again() {
    let files = Files::new(&[(
        "c",
        "[supervisord]\nidentifier=file\nlogfile=syslog\nnodaemon=false\n",
    )]);
    let mut cmd = files.command_line();
    let overrides = [
        ("identifier", "line"),
        ("logfile", "x.log"),
        ("nodaemon", "true"),
        ("user", "root"),
    ];
    cmd.overrides = overrides.map(|(key, text)| (key, text.to_owned())).into();
    for _ in 0..2 {
        let daemon = files.load_with(&cmd).unwrap().daemon;
        assert_eq!(daemon.identifier, "line");
        assert_eq!(
            daemon.logfile,
            ActivityLog::File(files.path().join("x.log"))
        );
        assert!(daemon.nodaemon && daemon.user.is_some());
    }
    std::fs::write(files.path().join("c"), "[supervisord]\nnodaemon=perhaps\n").unwrap();
    assert!(
        files.load_with(&cmd).is_err(),
        "the file must be right even so"
    );
}

#[test]
fn vain_words_are_reported() {
    let config = config(
        "foo=1\nminfd=3\n[program:a]\ncomand=x\ncommand=y\nautostart=true\nautostart=false\nstderr_logfile=/tmp/x\n\
         redirect_stderr=true\nstdout_logfile=syslog\nenvironment=B=\"1\",A=~/x\n[Program:b]\n[xyz]\nk=%(bad)s\n[DEFAULT]\nbar=1\n",
    );
    assert_eq!(
        warnings(&config),
        [
            "c:12: environment of [program:a] has a special character outside quotes, which ends the value of A",
            "For [program:a], stdout_logfile=syslog but this is deprecated and will be removed.  Use \
             stdout_syslog=true to enable syslog instead.",
            "For [program:a], redirect_stderr=true but stderr_logfile has also been set to a filename, the filename \
             has been ignored",
            "c:2: unknown option foo of [supervisord] is ignored",
            "c:3: unknown option minfd of [supervisord] is ignored, did you mean minfds?",
            "c:5: unknown option comand of [program:a] is ignored, did you mean command?",
            "c:13: unknown section [Program:b] is ignored, did you mean [program:b]?",
            "c:14: unknown section [xyz] is ignored",
            "c:17: unknown option bar of [DEFAULT] is ignored",
            "c:7: option autostart of [program:a] is set again in line 8, which counts",
        ]
    );
}

#[test]
fn refused_configurations() {
    let process = " in section 'program:a' (file: 'c') ";
    let program = |options: &str| error(&format!("[program:a]\ncommand=a\n{options}"));
    let rows = [
        (error("minfds=x"), "invalid literal for int() with base 10: 'x' (c, line 2, option minfds)".to_owned()),
        (error("user=nosuch"), "Invalid user name nosuch (c, line 2, option user)".to_owned()),
        (error("[program:a]"), format!("program section program:a does not specify a command{process}(line 2)")),
        (error("[program:a b]"), "Invalid name: 'a b' because of character: ' ' (c, line 2)".to_owned()),
        (program("autostart=y"), format!("not a valid boolean value: 'y'{process}(line 4, option autostart)")),
        (program("priority=x"), "invalid literal for int() with base 10: 'x' (c, line 4, option priority)".to_owned()),
        (
            program("numprocs=2"),
            format!("%(process_num) must be present within process_name when numprocs > 1{process}(line 4, option numprocs)"),
        ),
        (program("numprocs=100001"), format!("100001 is above upper bound (100000){process}(line 4, option numprocs)")),
        (
            program("directory=%(nope)s"),
            format!(
                "Format string '%(nope)s' for 'program:a.directory' contains names ('nope') which cannot be expanded. \
                 Available names: ENV_HOME, ENV_N, ENV_TMPDIR, ENV_X, group_name, here, host_node_name, numprocs, \
                 process_num, program_name{process}(line 4, option directory)"
            ),
        ),
        (
            error("[group:g]\nprograms=zz"),
            "[group:g] names unknown program or fcgi-program zz (c, line 3, option programs)".to_owned(),
        ),
        (
            error("[inet_http_server]\nport=1\nusername=u"),
            "Section [inet_http_server] contains incomplete authentication: If a username or a password is specified, \
             both the username and password must be specified (c, line 4, option username)"
                .to_owned(),
        ),
        (error("[unix_http_server]"), "section [unix_http_server] has no file value (c, line 2)".to_owned()),
        (error("[unix_http_server]\nfile=/s\nchmod=9"), "Invalid chmod value 9 (c, line 4, option chmod)".to_owned()),
        (
            error("[rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b"),
            "a:b cannot be resolved within [rpcinterface:x]: Python code cannot be loaded here; the RPC interface \
             there is, with all methods of Supervisor, is supervisor.rpcinterface:make_main_rpcinterface (c, line 3, option supervisor.rpcinterface_factory)"
                .to_owned(),
        ),
        (
            error("[eventlistener:e]\ncommand=e\nevents=TICK\nresult_handler=a:b"),
            "a:b cannot be resolved within [eventlistener:e]: Python code cannot be loaded here; the result handlers \
             there are: supervisor.dispatchers:default_handler, supervisor_stdout:event_handler (c, line 5, option \
             result_handler)"
                .to_owned(),
        ),
        (error("[eventlistener:e]\ncommand=e"), "[eventlistener:e] section requires an \"events\" line (c, line 2)".to_owned()),
        (
            error("[eventlistener:e]\ncommand=e\nevents=TICK,"),
            "Unknown event type  in [eventlistener:e] events (c, line 4, option events)".to_owned(),
        ),
        (
            error("[fcgi-program:f]\ncommand=f\nsocket=foo"),
            "Bad socket format foo in [fcgi-program:f] socket (c, line 4, option socket)".to_owned(),
        ),
        (
            error("[include]"),
            ".ini file has [include] section, but no files setting (c, line 2)".to_owned(),
        ),
        (Files::new(&[("c", "[program:a]")]).error(), ".ini file does not include supervisord section".to_owned()),
        (Files::new(&[]).error(), "could not find config file c".to_owned()),
        (Files::new(&[("c/x", "")]).error(), "could not read config file c".to_owned()),
    ];
    for (got, want) in rows {
        assert_eq!(got, want);
    }
}

#[test]
fn an_error_in_an_included_file_names_it() {
    let files = Files::new(&[
        (
            "c",
            "[supervisord]\n[program:a]\ncommand=a\n[include]\nfiles=i\n",
        ),
        ("i", "[program:a]\nautostart=y\n"),
    ]);
    assert_eq!(
        files.error(),
        "not a valid boolean value: 'y' in section 'program:a' (file: 'c') (<D>/i, line 2, option autostart)"
    );
}

#[test]
fn a_reread_compares_by_meaning() {
    let before = config(
        "[program:same]\ncommand=a\nuser=root\n[program:changed]\ncommand=a\n[program:gone]\ncommand=a\n\
         [eventlistener:e]\ncommand=e\nevents=TICK,EVENT\n",
    );
    let after = config(
        "[eventlistener:e]\ncommand = e ; same\nevents=event, tick\n[program:new]\ncommand=a\n[program:changed]\n\
         command=a\nstdout_logfile_maxbytes=1\n[program:same]\ncommand=a\nuser=0\nautostart=TRUE\n",
    );
    let changes = diff(&before.groups, &after.groups);
    assert_eq!(changes.added, ["new"]);
    assert_eq!(changes.changed, ["changed"]);
    assert_eq!(changes.removed, ["gone"]);
    assert_eq!(
        diff(&before.groups, &before.groups),
        crate::Changes::default()
    );
}

#[test]
fn the_fate_of_programs_is_read() {
    let run = |text: &str| {
        let config = Files::new(&[("c", &format!("[supervisord]\n{text}"))]).load();
        config.map(|config| config.daemon.programs_on_death)
    };
    assert_eq!(run("").unwrap(), ProgramsOnDeath::Leave);
    assert_eq!(
        run("programs_on_death=keep").unwrap(),
        ProgramsOnDeath::Keep
    );
    assert_eq!(
        run("programs_on_death=KILL").unwrap(),
        ProgramsOnDeath::Kill
    );
    assert!(run("programs_on_death=").is_err());
}

#[test]
fn a_configuration_survives_being_written_down() {
    let text = "[supervisord]\nuser=root\nenvironment=A=\"é\"\nlogfile=syslog\n\
        [unix_http_server]\nfile=/tmp/s\nusername=u\npassword=p\nchown=root:root\n\
        [inet_http_server]\nport=:9\n\
        [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
        [group:g]\nprograms=f\n[group:h]\nprograms=f\n\
        [fcgi-program:f]\ncommand=f\nsocket=unix:///tmp/f\nsocket_owner=root\n\
        [program:p]\ncommand=p\nautorestart=true\nstopsignal=RTMIN\numask=022\nstdout_logfile=NONE\nstderr_logfile=/x\n\
        [eventlistener:l]\ncommand=l\nevents=EVENT\nbuffer_file=/tmp/b\n";
    let config = Files::new(&[("c", text)]).load().unwrap();
    let written = serde_json::to_string(&config).unwrap();
    let mut read: Config = serde_json::from_str(&written).unwrap();
    assert_eq!(read, config);
    let is_shared = |config: &Config| {
        let processes = config.groups.iter().flat_map(|group| &group.processes);
        let sockets: Vec<_> = processes.filter_map(|it| it.fcgi.as_ref()).collect();
        assert_eq!(sockets.len(), 2);
        std::sync::Arc::ptr_eq(sockets[0], sockets[1])
    };
    assert!(is_shared(&config) && !is_shared(&read));
    crate::share_sockets(read.groups.iter_mut());
    assert!(is_shared(&read));
    assert_eq!(read, config);
}
