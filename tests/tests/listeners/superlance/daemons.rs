//! The batch tools under real daemons, ours and the original; the end-to-end suite does the same with the others.

use callboard_tests::{Daemon, Flavour, wait};

use super::smtp::Smtp;

/// Who watches, and what of it is mailed.
const MAILS: [(&str, &str); 3] = [
    ("crashmailbatch", " -- Process crash:crash (pid "),
    (
        "fatalmailbatch",
        " -- Process fatal:fatal failed to start too many times",
    ),
    ("crashsms", "\n[crash:crash]("),
];

/// A crash, and a program that never comes up.
const PROGRAMS: &str = "[program:crash]\ncommand=sh -c 'exit 4'\nstartsecs=0\nautorestart=false\n\
                        [program:fatal]\ncommand=sh -c 'exit 1'\nstartsecs=10\nstartretries=0\n";

fn config(listeners: Flavour, smtp: &Smtp) -> String {
    let section = |(tool, _): &(&str, &str)| {
        format!(
            "[eventlistener:{tool}]\ncommand={} -t a@x.org -f me@z.org -H 127.0.0.1:{} -e TICK_5 -i 0.05\n\
             events=PROCESS_STATE,TICK_5\nstartsecs=0\nbuffer_size=100\nstderr_logfile=%(here)s/{tool}.err\n",
            listeners.command(tool).display(),
            smtp.port()
        )
    };
    let sections: String = MAILS.iter().map(section).collect();
    sections + PROGRAMS
}

/// Waits for the mail of each tool.
fn check(daemon: Flavour, listeners: Flavour) {
    let smtp = Smtp::start();
    let daemon = Daemon::start(daemon, &config(listeners, &smtp));
    for (tool, text) in MAILS {
        wait::until(&format!("the mail of {tool}"), || match smtp.heard() {
            heard if heard.contains(text) => Ok(()),
            heard => Err(heard),
        });
        daemon.wait_file(
            &format!("{tool}.err"),
            "Sending notification email:\nTo: a@x.org\n",
        );
        daemon.wait_state(tool, "RUNNING");
    }
}

#[test]
fn batch_tools_mail_under_any_daemon() {
    std::thread::scope(|scope| {
        for (daemon, listeners) in [
            (Flavour::Ours, Flavour::Ours),
            (Flavour::Ours, Flavour::Original),
            (Flavour::Original, Flavour::Ours),
        ] {
            scope.spawn(move || check(daemon, listeners));
        }
    });
}
