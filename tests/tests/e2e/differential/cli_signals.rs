//! Signals to the daemon, old AUTO logs, and what children find in their environment.

use callboard_tests::wait;

use super::bench::{Bench, Row, compare};
use super::cli_start::{DAEMONIZE, FOREGROUND, SLEEPER};

const TWO: &str = "\
[program:a]
command=sleep 1000
startsecs=0
[program:deaf]
command=sh -c 'trap \"\" TERM; touch armed; while :; do sleep 0.05; done'
startsecs=0
stopwaitsecs=1000
";

/// Starts two programs, one of which ignores TERM, and answers its pid.
fn two(bench: &mut Bench) -> i32 {
    bench.start(DAEMONIZE);
    bench.daemon.wait_state("a", "RUNNING");
    bench.daemon.wait_state("deaf", "RUNNING");
    wait::until_true("the trap", || (bench.daemon.path("armed").exists(), ()));
    bench.daemon.process_pid("deaf")
}

/// Ends the program that ignores TERM, and with it the daemon.
fn release(bench: &mut Bench, pid: i32) {
    bench.quietly(&format!("kill -KILL {pid}"));
    bench.gone();
}

/// The activity log from the first signal on, without the progress of waiting: how often is a matter of time.
fn ending(bench: &mut Bench) {
    let log = bench.daemon.log();
    let start = log
        .find(" WARN received SIG")
        .or(log.find(" INFO received SIG"))
        .unwrap_or_default();
    let levels = ["CRIT", "ERRO", "WARN", "INFO"];
    let mut waits = 0;
    for line in log[start..].lines() {
        let message = line.trim_start_matches(|c: char| "0123456789-:, ".contains(c));
        waits += usize::from(message.starts_with("INFO waiting for "));
        let repeated = message.starts_with("INFO waiting for ") && waits > 1;
        if levels.iter().any(|level| message.starts_with(level)) && !repeated {
            bench.note(&format!("  log| {message}"));
        }
    }
}

const SIGNAL_ROWS: &[Row] = &[
    Row {
        name: "TERM, and again, INT, QUIT and HUP meanwhile",
        config: TWO,
        steps: |bench| {
            let deaf = two(bench);
            for (signal, line) in [
                ("TERM", "received SIGTERM indicating exit"),
                ("INT", "received SIGINT indicating exit"),
                ("QUIT", "received SIGQUIT indicating exit"),
                ("HUP", "ignored SIGHUP indicating restart"),
            ] {
                bench.signal(signal);
                bench.daemon.wait_log(line);
            }
            release(bench, deaf);
            ending(bench);
            bench.sh("ls");
        },
    },
    Row {
        name: "INT",
        config: SLEEPER,
        steps: |bench| {
            bench.start(FOREGROUND);
            bench.daemon.wait_state("a", "RUNNING");
            bench.signal("INT");
            bench.gone();
            ending(bench);
        },
    },
    Row {
        name: "QUIT",
        config: SLEEPER,
        steps: |bench| {
            bench
                .start("{ supervisord -n -c supervisord.conf; echo $? >code; } >stdout 2>stderr &");
            bench.daemon.wait_state("a", "RUNNING");
            bench.signal("QUIT");
            bench.gone();
            bench.daemon.wait_file("code", "\n");
            bench.file("code");
            ending(bench);
        },
    },
    Row {
        name: "HUP, then TERM",
        config: SLEEPER,
        steps: |bench| {
            bench.start(DAEMONIZE);
            bench.daemon.wait_state("a", "RUNNING");
            let pid = bench.recorded_pid();
            bench.signal("HUP");
            wait::until_true("the second start", || {
                (
                    bench
                        .daemon
                        .log()
                        .matches("supervisord started with pid")
                        .count()
                        == 2,
                    (),
                )
            });
            bench.daemon.wait_until_up();
            bench.daemon.wait_state("a", "RUNNING");
            assert_eq!(bench.recorded_pid(), pid);
            bench.stop();
            ending(bench);
        },
    },
    Row {
        name: "HUP, and TERM while it restarts",
        config: TWO,
        steps: |bench| {
            let deaf = two(bench);
            bench.signal("HUP");
            bench.daemon.wait_log("received SIGHUP indicating restart");
            bench.signal("TERM");
            bench.daemon.wait_log("received SIGTERM indicating exit");
            release(bench, deaf);
            ending(bench);
        },
    },
    Row {
        name: "USR2",
        config: SLEEPER,
        steps: |bench| {
            bench.start(DAEMONIZE);
            bench.daemon.wait_state("a", "RUNNING");
            bench.sh("mv supervisord.log old.log");
            bench.signal("USR2");
            wait::until_true("a new log", || {
                (bench.daemon.path("supervisord.log").exists(), ())
            });
            bench.stop();
            bench.sh("grep -h -e logreopen -e reopen old.log | cut -d ' ' -f 3-");
            ending(bench);
        },
    },
    Row {
        name: "VTALRM, which it does not know, kills it and leaves all there is",
        config: SLEEPER,
        steps: |bench| {
            bench
                .start("{ supervisord -n -c supervisord.conf; echo $? >code; } >stdout 2>stderr &");
            bench.daemon.wait_state("a", "RUNNING");
            let child = bench.daemon.process_pid("a");
            bench.signal("VTALRM");
            bench.daemon.wait_file("code", "\n");
            bench.file("code");
            bench.note(&format!(
                "child lives: {}",
                callboard_tests::procfs::is_alive(child)
            ));
            bench.sh("ls");
        },
    },
    Row {
        name: "PIPE, ALRM aside",
        config: SLEEPER,
        steps: |bench| {
            bench.start(DAEMONIZE);
            bench.daemon.wait_state("a", "RUNNING");
            bench.signal("PIPE");
            bench.sh("supervisorctl -c supervisord.conf status | cut -c 1-20");
            bench.stop();
        },
    },
    Row {
        name: "killed",
        config: SLEEPER,
        steps: |bench| {
            bench.start(DAEMONIZE);
            bench.daemon.wait_state("a", "RUNNING");
            let child = bench.daemon.process_pid("a");
            bench.signal("KILL");
            wait::until_true("its end", || {
                (
                    bench
                        .recorded_pid()
                        .is_some_and(|pid| !callboard_tests::procfs::is_alive(pid)),
                    (),
                )
            });
            bench.note(&format!(
                "child lives: {}",
                callboard_tests::procfs::is_alive(child)
            ));
            bench.sh("ls");
            bench.quietly(&format!("kill {child}"));
            bench.start(DAEMONIZE);
            bench.stop();
        },
    },
];

#[test]
fn signals_agree() {
    compare("cli: signals", SIGNAL_ROWS);
}

const AUTO_NAMES: &str = "cd logs; touch a-stdout---board-12345678.log a-stdout---board-12345678.log.1 \
    a-stderr---board-x.log.1234 a-stderr---board-x.log.12345 a-stdout---board-.log ---board-x.log z---board-a.log.x \
    a-stdout---other-12345678.log a-stdout---board-12345678.txt a-stdout--board-12345678.log plain.log \
    x---boards-1.log x---board-1.logs";

const CLEANUP_ROWS: &[Row] = &[
    Row {
        name: "old AUTO logs",
        config: "[program:a]\ncommand=sleep 1000\nstartsecs=0\n",
        steps: |bench| {
            bench.quietly(AUTO_NAMES);
            bench.start(DAEMONIZE);
            bench.sh("ls logs; stat -c '%A %s' logs/*board-????????.log");
            bench.stop();
            bench.sh("ls logs");
        },
    },
    Row {
        name: "old AUTO logs with nocleanup",
        config: "[program:a]\ncommand=sleep 1000\nstartsecs=0\n[supervisord]\nnocleanup=true\n",
        steps: |bench| {
            bench.quietly(AUTO_NAMES);
            bench.start(DAEMONIZE);
            bench.stop();
            bench.sh("ls logs");
        },
    },
    Row {
        name: "an identifier that is a pattern, and a directory in the way",
        config: "[supervisord]\nidentifier=b.a\n",
        steps: |bench| {
            bench.quietly(
                "cd logs; touch x---bra-1.log x---b.a-2.log y---board-3.log; mkdir x---b.a-4.log",
            );
            bench.start(DAEMONIZE);
            bench.stop();
            bench.sh("ls logs");
            bench.log();
        },
    },
    Row {
        name: "AUTO logs over a restart",
        config: "[program:a]\ncommand=sleep 1000\nstartsecs=0\n",
        steps: |bench| {
            bench.start(DAEMONIZE);
            bench.quietly("cp logs/a-stdout*.log logs/a-stdout---board-old_0000.log.7");
            bench.signal("HUP");
            wait::until_true("the second start", || {
                (
                    bench
                        .daemon
                        .log()
                        .matches("supervisord started with pid")
                        .count()
                        == 2,
                    (),
                )
            });
            bench.daemon.wait_until_up();
            bench.sh("ls logs");
            bench.stop();
        },
    },
];

#[test]
fn cleaning_up_agrees() {
    compare("cli: clean-up", CLEANUP_ROWS);
}

const ENVIRONMENT_ROWS: &[Row] = &[Row {
    name: "the environment of children",
    config: "[supervisord]\nenvironment=A=\"1\",B=\"two words\",SUPERVISOR_SERVER_URL=\"mine\",HOME=\"/h\"\n\
             [program:a]\ncommand=sh -c 'env | sort >env; exec sleep 1000'\nenvironment=B=\"3\",C=\"%(ENV_TEST_PORT)s\"\n",
    steps: |bench| {
        bench.start("SUPERVISOR_OLD=x SUPERVISOR_ENABLED=0 supervisord -c supervisord.conf");
        bench.daemon.wait_state("a", "RUNNING");
        bench.sh("grep -e ^SUPERVISOR_ -e '^[ABC]=' -e ^HOME= -e ^USER= -e ^TEST_PORT= env");
        bench.stop();
    },
}];

#[test]
fn the_environment_of_children_agrees() {
    compare("cli: environment", ENVIRONMENT_ROWS);
}
