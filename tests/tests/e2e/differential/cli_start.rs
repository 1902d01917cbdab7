//! Starting, going to the background, ending: exit statuses, messages, the activity log in its order, files left.

use callboard_tests::{Flavour, wait};

use super::bench::{Bench, Row, compare};

pub(super) const DAEMONIZE: &str = "supervisord -c supervisord.conf";

/// Starts in the background of the script, in the foreground of itself.
pub(super) const FOREGROUND: &str = "supervisord -n -c supervisord.conf >stdout 2>stderr &";

pub(super) const SLEEPER: &str =
    "[program:a]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n";

/// Where the daemon stands: of descriptors, session, directory and umask.
const STANDING: &str = "\
pid=$(cat supervisord.pid)
readlink /proc/$pid/fd/0 /proc/$pid/fd/1 /proc/$pid/fd/2
readlink /proc/$pid/cwd
grep Umask /proc/$pid/status
ps -o pid=,pgid=,sid=,tty= -p $pid | awk '{ print ($1 == $2), ($1 == $3), $4 }'
od -c supervisord.pid | sed 's/[0-9]//g; s/  *//g'
stat -c '%A %n' supervisord.pid supervisord.log s.sock";

/// Starts, looks, ends, and shows what was logged and left.
fn whole_life(bench: &mut Bench, start: &str) {
    bench.start(start);
    bench.daemon.wait_state("a", "RUNNING");
    bench.sh(STANDING);
    bench.stop();
    bench.sh("cat stdout stderr 2>/dev/null | grep -v ' DEBG ' | sed 's/^[0-9-]* [0-9:,]* //'");
    bench.log();
    bench.sh("ls -A | grep -v '^std'");
}

const LIFE_ROWS: &[Row] = &[
    Row {
        name: "in the background",
        config: SLEEPER,
        steps: |bench| whole_life(bench, DAEMONIZE),
    },
    Row {
        name: "in the foreground",
        config: SLEEPER,
        steps: |bench| whole_life(bench, FOREGROUND),
    },
    Row {
        name: "in the foreground, directory and umask not applied",
        config: "[program:a]\ncommand=sleep 1000\nstartsecs=0\n[supervisord]\ndirectory=/\numask=077\nnodaemon=true\n",
        steps: |bench| {
            whole_life(
                bench,
                "umask 022; supervisord -c supervisord.conf >stdout 2>stderr &",
            )
        },
    },
    Row {
        name: "silent",
        config: SLEEPER,
        steps: |bench| {
            whole_life(
                bench,
                "supervisord -ns -c supervisord.conf >stdout 2>stderr &",
            )
        },
    },
    Row {
        name: "directory and umask",
        config: "[program:a]\ncommand=sleep 1000\nstartsecs=0\n[supervisord]\ndirectory=%(here)s/logs\numask=027\n",
        steps: |bench| whole_life(bench, "umask 022; supervisord -c supervisord.conf"),
    },
    Row {
        name: "a directory that vanishes",
        config: "[program:a]\ncommand=sleep 1000\nstartsecs=0\n",
        steps: |bench| {
            // Root enters everything: only a directory that is gone cannot be entered.
            whole_life(
                bench,
                "mkdir gone; supervisord -d /proc/self/task -c supervisord.conf | cat",
            );
        },
    },
    Row {
        name: "closed standard descriptors in the foreground",
        config: SLEEPER,
        steps: |bench| {
            bench.start("supervisord -ns -c supervisord.conf <&- >&- 2>&- &");
            bench.daemon.wait_state("a", "RUNNING");
            bench.stop();
            bench.log();
        },
    },
    Row {
        name: "every line of a start",
        config: "[include]\nfiles=*.ini\n[supervisord]\nminfds=1050\ndirectory=/\nuser=0\n\
                 [inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n\
                 [unix_http_server]\nusername=u\npassword=p\n",
        steps: |bench| {
            bench.quietly("printf '[program:a]\\ncommand=sleep 1000\\nstartsecs=0\\n' >a.ini; printf '[supervisorctl]' >b.ini");
            bench.sh("ulimit -S -n 1030; as_root supervisord -c supervisord.conf");
            bench.sleeps();
            bench.signal("TERM");
            bench.daemon.wait_log("stopped: a");
            bench.gone();
            bench.log();
        },
    },
    Row {
        name: "as root without user",
        config: SLEEPER,
        steps: |bench| {
            bench.start("as_root supervisord -c supervisord.conf");
            bench.daemon.wait_state("a", "RUNNING");
            bench.stop();
            bench.log();
        },
    },
    Row {
        name: "without any server",
        config: "",
        steps: |bench| {
            bench.quietly(
                "printf '[supervisord]\\nlogfile=supervisord.log\\npidfile=supervisord.pid\\n' >supervisord.conf
                 printf '[program:a]\\ncommand=sh -c \"env | grep ^SUPERVISOR_ | sort >env; exec sleep 1000\"\\n' \
                 >>supervisord.conf",
            );
            bench.sh(DAEMONIZE);
            bench.daemon.wait_log("entered RUNNING state");
            bench.sh("cat env");
            bench.stop();
            bench.log();
        },
    },
    Row {
        name: "a pidfile that cannot be written",
        config: "[program:a]\ncommand=sleep 1000\nstartsecs=0\n",
        steps: |bench| {
            bench.sh("mkdir pids; supervisord -j pids -c supervisord.conf");
            bench.daemon.wait_until_up();
            bench.daemon.wait_state("a", "RUNNING");
            bench.sleeps();
            bench.daemon.call("shutdown", serde_json::json!([]));
            bench.gone();
            bench.log();
        },
    },
    Row {
        name: "a relative log, a relative file and a restart",
        config: "[supervisord]\nlogfile=relative.log\nloglevel=info\n",
        steps: |bench| {
            bench.start_with_log(DAEMONIZE, "relative.log");
            bench.signal("TERM");
            bench.gone();
            bench.log_of("relative.log");
            bench.sh("ls");
        },
    },
];

#[test]
fn whole_lives_agree() {
    compare("cli: lives", LIFE_ROWS);
}

/// Refused in the foreground and before the background: the same words and status.
fn refused(bench: &mut Bench) {
    bench.sh("supervisord -ns -c supervisord.conf; echo $?; supervisord -c supervisord.conf");
    bench.sh("ls -A | grep -v log$");
}

const REFUSAL_ROWS: &[Row] = &[
    Row {
        name: "a port in use",
        config: "[inet_http_server]\nport=127.0.0.1:%(ENV_TEST_PORT)s\n",
        steps: |bench| {
            let taken = std::net::TcpListener::bind(("127.0.0.1", bench.daemon.port()));
            refused(bench);
            drop(taken.expect("the port is free"));
        },
    },
    Row {
        name: "no directory for the socket",
        config: "[unix_http_server]\nfile=%(here)s/nowhere/s.sock\n",
        steps: refused,
    },
    Row {
        name: "a socket's path too long",
        config: "[unix_http_server]\nfile=%(here)s/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        steps: refused,
    },
    Row {
        name: "an address that is not ours",
        config: "[inet_http_server]\nport=192.0.2.1:%(ENV_TEST_PORT)s\n",
        steps: refused,
    },
    Row {
        name: "a host that does not resolve",
        config: "[inet_http_server]\nport=nowhere.invalid:%(ENV_TEST_PORT)s\n",
        steps: refused,
    },
    Row {
        name: "a socket to be owned by somebody else",
        config: "[unix_http_server]\nchown=root:root\n[supervisord]\nuser=nobody\n",
        steps: |bench| {
            bench.sh("chmod 777 . logs; as_root supervisord -ns -c supervisord.conf");
        },
    },
    Row {
        name: "limits that cannot be had",
        config: "",
        steps: |bench| {
            bench.sh("chmod 777 . logs; as_nobody prlimit --nofile=200 supervisord -ns -a 300 -c supervisord.conf \
                      2>&1 | sed 's/current environment will only allow.*//'");
            bench.sh(
                "as_nobody prlimit --nofile=200 supervisord -a 300 -c supervisord.conf >/dev/null 2>&1",
            );
            bench.sh("as_nobody prlimit --nproc=5000 supervisord -ns -a 100 --minprocs 6000 -c supervisord.conf \
                      2>&1 | sed 's/current environment will only allow.*//'");
        },
    },
    Row {
        name: "a factory that fails",
        config: "[rpcinterface:other]\nsupervisor.rpcinterface_factory=nowhere:make\n",
        // What ours adds is advice.
        steps: |bench| {
            bench.sh("supervisord -ns -c supervisord.conf 2>stderr; echo $?; sed 's/: Python.*//' stderr");
        },
    },
    Row {
        name: "a running daemon",
        config: SLEEPER,
        steps: |bench| {
            bench.start(DAEMONIZE);
            bench.daemon.wait_state("a", "RUNNING");
            let (pid, child) = (bench.recorded_pid(), bench.daemon.process_pid("a"));
            bench.sh("supervisord -ns -c supervisord.conf");
            bench.sh("supervisord -c supervisord.conf");
            assert_eq!(
                (bench.recorded_pid(), bench.daemon.process_pid("a")),
                (pid, child)
            );
            bench.stop();
        },
    },
    Row {
        name: "another daemon with the same pidfile",
        config: SLEEPER,
        steps: |bench| {
            bench.start(DAEMONIZE);
            let first = bench.recorded_pid();
            bench.sh("sed 's,s\\.sock,other.sock,; s,supervisord.log,other.log,' supervisord.conf >other.conf");
            bench.sh("supervisord -c other.conf");
            wait::until("the pidfile to be overwritten", || {
                match bench.recorded_pid() {
                    pid if pid.is_some() && pid != first => Ok(()),
                    pid => Err(pid),
                }
            });
            bench.quietly(&format!("kill {}", first.expect("a pid")));
            wait::until_true("the first to end", || {
                (!bench.daemon.path("s.sock").exists(), ())
            });
            bench.sh("ls supervisord.pid other.sock");
            bench.sh("supervisorctl -c other.conf shutdown");
            bench.gone();
        },
    },
    Row {
        name: "a stale socket, a file in its place",
        config: SLEEPER,
        steps: |bench| {
            bench.quietly(
                "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s.sock\")'",
            );
            bench.start(DAEMONIZE);
            bench.stop();
            bench.quietly("echo precious >s.sock");
            bench.start(DAEMONIZE);
            bench.stop();
            bench.sh("ls");
        },
    },
];

#[test]
fn refusals_to_start_agree() {
    compare("cli: refusals to start", REFUSAL_ROWS);
}

/// Failures at which the original shows a traceback and exits 1: ours says a line and exits 2, synchronously.
#[test]
fn internal_failures_are_one_line() {
    let rows = [
        (
            "a directory for a log",
            "[supervisord]\nlogfile=%(here)s/logs\n",
            "could not open the activity log ",
        ),
        (
            "no socket for fcgi",
            "[fcgi-program:f]\ncommand=true\nsocket=unix:///nonexistent/f.sock\n",
            "Could not create FastCGI socket unix:///nonexistent/f.sock: ",
        ),
    ];
    for (name, config, message) in rows {
        let bench = Bench::new(Flavour::under_test(), config);
        for command in ["supervisord -ns -c supervisord.conf", DAEMONIZE] {
            let output = bench.quietly(command);
            if bench.daemon.flavour() == Flavour::Original {
                assert_eq!(output.code, 1, "{name}: {output:?}");
                assert!(
                    output.stderr.starts_with("Traceback "),
                    "{name}: {output:?}"
                );
            } else {
                let line = output
                    .stderr
                    .lines()
                    .find(|line| line.starts_with("Error: "));
                assert_eq!(output.code, 2, "{name}: {output:?}");
                assert!(
                    line.is_some_and(|line| line[7..].starts_with(message)),
                    "{name}: {output:?}"
                );
            }
            assert!(
                !bench.daemon.path("s.sock").exists()
                    || bench.daemon.flavour() == Flavour::Original
            );
        }
    }
}
