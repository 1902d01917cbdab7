//! Python's own XML-RPC client, over TCP and through the original's transport over the Unix socket.

use callboard_tests::{Daemon, Flavour};

use crate::install::{self, fixture};
use crate::transcript::{both_agree, masked};

pub(crate) const CONFIG: &str = "\
[inet_http_server]
port=127.0.0.1:%(ENV_TEST_PORT)s
username=ann
password=secret
[program:talk]
command=cat
startsecs=0
stdout_logfile=%(here)s/talk.out
[program:idle]
command=sleep 1000
startsecs=0
autostart=false
stdout_logfile=NONE
stderr_logfile=NONE
[program:pair]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
autostart=false
stdout_logfile=NONE
stderr_logfile=NONE
";

fn answers(flavour: Flavour) -> Vec<String> {
    let daemon = Daemon::start(flavour, CONFIG);
    daemon.wait_state("talk", "RUNNING");
    let script = fixture("stdlib.py").display().to_string();
    let port = daemon.port().to_string();
    let socket = daemon.path("s.sock").display().to_string();
    masked(
        &daemon,
        &daemon.run(&install::python("python"), &[script, port, socket]),
    )
}

#[test]
fn pythons_client_finds_no_difference() {
    both_agree(answers);
}
