//! What supervisord says to configurations and command lines it does not accept.
//!
//! A port taken beforehand makes it refuse those it does accept as well, so nothing is ever started.

use std::net::TcpListener;

use callboard_tests::deliberate::DELIBERATE;
use callboard_tests::normalise::Run;
use callboard_tests::scenario::judge;
use callboard_tests::{Daemon, Flavour};

/// Sections of a configuration, each refused for a reason of its own or accepted.
const CONFIGS: &[&str] = &[
    "",
    "[program:a]\ncommand=x\n",
    "[program:a]\n",
    "[program:a]\ncommand=x\nautostart=y\n",
    "[program:a]\ncommand=x\nautorestart=sometimes\n",
    "[program:a]\ncommand=x\nstartsecs=1.5\n",
    "[program:a]\ncommand=x\nstartretries=\n",
    "[program:a]\ncommand=x\nexitcodes=0,\n",
    "[program:a]\ncommand=x\nexitcodes=256\n",
    "[program:a]\ncommand=x\nstopsignal=FOO\n",
    "[program:a]\ncommand=x\nstopsignal=99\n",
    "[program:a]\ncommand=x\nstdout_logfile_maxbytes=1k\n",
    "[program:a]\ncommand=x\nstdout_logfile=/nonexistent/dir/x.log\n",
    "[program:a]\ncommand=x\numask=9\n",
    "[program:a]\ncommand=x\nuser=nobody-at-all\n",
    "[program:a]\ncommand=x\nuser=54321\n",
    "[program:a]\ncommand=x\nnumprocs=2\n",
    "[program:a]\ncommand=x\nnumprocs=two\n",
    "[program:a]\ncommand=x\nprocess_name=a b\n",
    "[program:a b]\ncommand=x\n",
    "[program:a:b]\ncommand=x\n",
    "[program:a]\ncommand=x\nstopasgroup=true\nkillasgroup=false\n",
    "[program:a]\ncommand=x\nenvironment=A=,B=1\n",
    "[program:a]\ncommand=x\nenvironment=A=\"1\n",
    "[program:a]\ncommand=x\nenvironment=A\n",
    "[program:a]\ncommand=%(foo)s\n",
    "[program:a]\ncommand=%(foo\n",
    "[program:a]\ncommand=50%\n",
    "[program:a]\ncommand=%(program_name)d\n",
    "[program:a]\ncommand=x\npriority=high\n",
    "[eventlistener:l]\ncommand=x\n",
    "[eventlistener:l]\ncommand=x\nevents=\n",
    "[eventlistener:l]\ncommand=x\nevents=FOO\n",
    "[eventlistener:l]\ncommand=x\nevents=TICK_5,\n",
    "[eventlistener:l]\ncommand=x\nevents=TICK_5\nbuffer_size=0\n",
    "[eventlistener:l]\ncommand=x\nevents=TICK_5\nredirect_stderr=true\n",
    "[eventlistener:l m]\ncommand=x\nevents=TICK_5\n",
    "[group:g]\nprograms=zz\n",
    "[program:a]\ncommand=x\n[group:g]\nprograms=a,\n",
    "[program:a]\ncommand=x\n[group:g]\nprograms=a\npriority=x\n",
    "[fcgi-program:f]\ncommand=x\n",
    "[fcgi-program:f]\ncommand=x\nsocket=tcp://localhost:9\nsocket_mode=0700\n",
    "[fcgi-program:f]\ncommand=x\nsocket=unix:///tmp/never.sock\nsocket_mode=9\n",
    "[fcgi-program:f]\ncommand=x\nsocket=unix:///tmp/never.sock\nsocket_backlog=0\n",
    "[supervisord]\nloglevel=warning\n",
    "[supervisord]\nlogfile_maxbytes=50M\n",
    "[supervisord]\numask=x\n",
    "[supervisord]\ndirectory=/nonexistent\n",
    "[supervisord]\nnodaemon=maybe\n",
    "[supervisord]\nuser=nobody-at-all\n",
    "[supervisord]\nenvironment=A\n",
    "[supervisord]\nlogfile=%(foo)s/x\n",
    "[inet_http_server:two]\n",
    "[inet_http_server:two]\nport=x\n",
    "[inet_http_server:two]\nport=70000\n",
    "[inet_http_server:two]\nport=localhost:70000\n",
    "[inet_http_server:two]\nport=1\nusername=x\n",
    "[unix_http_server:two]\n",
    "[unix_http_server:two]\nfile=/tmp/x\nchmod=9\n",
    "[unix_http_server:two]\nfile=/tmp/x\nchown=nobody-at-all\n",
    "[rpcinterface:other]\n",
    "[include]\n",
    "[include]\nfiles=%(foo)s\n",
    "[program:a]\nnonsense\ncommand=x\nmore nonsense\n",
    "[program:a]\n= x\n",
];

/// Further words on the command line.
const ARGUMENTS: &[&[&str]] = &[
    &["-x"],
    &["--foo"],
    &["--m"],
    &["-l"],
    &["--nodaemon=1"],
    &["a", "b"],
    &["-n"],
    &["-m", "99"],
    &["-e", "loud"],
    &["-y", "1.5GB"],
    &["-z", "many"],
    &["-d", "/nonexistent"],
    &["-l", "/nonexistent/x"],
    &["-u", "nobody-at-all"],
    &["-a", "x"],
    &["--logfile_backups", "x"],
];

fn refusals(flavour: Flavour) -> Vec<String> {
    let configs = CONFIGS.iter().map(|config| (*config, &[][..]));
    let arguments = ARGUMENTS.iter().map(|arguments| ("", *arguments));
    configs
        .chain(arguments)
        .flat_map(|(config, arguments)| refusal(flavour, config, arguments))
        .collect()
}

fn refusal(flavour: Flavour, config: &str, arguments: &[&str]) -> Vec<String> {
    let daemon = Daemon::prepare(
        flavour,
        &format!("{config}[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n"),
    );
    let _taken = TcpListener::bind(("127.0.0.1", daemon.port())).expect("the port is free");
    let path = daemon.config_path().display().to_string();
    let output = daemon.run(
        &flavour.command("supervisord"),
        &[&["-n", "-s", "-c", &path], arguments].concat(),
    );
    let run = Run {
        dir: daemon.dir(),
        port: daemon.port(),
    };
    let mut lines = vec![format!("{config:?} {arguments:?} -> {}", output.code)];
    let stderr = run.text(&output.stderr);
    let logged = |line: &&str| {
        !line.contains("UserWarning") && !line.trim_start().starts_with("self.warnings")
    };
    lines.extend(
        stderr
            .lines()
            .filter(logged)
            .map(|line| format!("  err| {line}")),
    );
    lines
}

#[test]
fn refusals_agree() {
    let (original, ours) = std::thread::scope(|scope| {
        let original = scope.spawn(|| refusals(Flavour::Original));
        let ours = scope.spawn(|| refusals(Flavour::under_test()));
        (
            original.join().expect("it ran"),
            ours.join().expect("it ran"),
        )
    });
    let table = if Flavour::under_test() == Flavour::Original {
        &[]
    } else {
        DELIBERATE
    };
    if let Err(report) = judge("refusals", &original, &ours, table) {
        panic!("{report}");
    }
}
