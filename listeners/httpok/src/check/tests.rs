use std::collections::VecDeque;
use std::time::Duration;

use listener_kit::testing::{FakeSupervisor, process};

use super::*;

/// A URL that answers what it is told to, then nothing.
impl Probe for VecDeque<Result<Answer, String>> {
    fn ask(&mut self) -> Result<Answer, String> {
        self.pop_front()
            .unwrap_or_else(|| Err("asked too often".into()))
    }
}

/// Pids of which a core file was written.
impl Dumper for Vec<i32> {
    fn dump(&mut self, name: &str, pid: i32) -> String {
        self.push(pid);
        format!("Saved {name}\n")
    }
}

type Around =
    Surroundings<FakeSupervisor, VecDeque<Result<Answer, String>>, Vec<i32>, Vec<Mail>, Vec<u8>>;

const URL: &str = "http://h/x";

fn answer(status: u16, reason: &str, has_text: bool) -> Result<Answer, String> {
    Ok(Answer {
        status,
        reason: reason.into(),
        has_text,
    })
}

fn bad() -> Result<Answer, String> {
    answer(503, "Busy", true)
}

/// `web` of its own group and `api` of `g` are RUNNING, `idle` is not; `httpok` is the watch itself.
fn around(answer: Result<Answer, String>) -> Around {
    Surroundings {
        supervisor: FakeSupervisor::of([
            process("g", "api", ProcessState::Running, 12),
            process("httpok", "httpok", ProcessState::Running, 13),
            process("idle", "idle", ProcessState::Stopped, 0),
            process("web", "web", ProcessState::Running, 11),
        ]),
        probes: vec![[answer].into()],
        dumper: None,
        mailer: Vec::new(),
        log: Vec::new(),
        clock: Instant::now,
    }
}

fn watch(options: &str) -> Watch {
    let words = options.split_whitespace().chain([URL]);
    let words: Vec<_> = words.map(str::to_owned).collect();
    let options = Options::parse(&words).expect("the options fit");
    Watch::new(options, Identity::new("httpok", "httpok"))
}

fn run(options: &str, around: &mut Around) {
    watch(options).check(around).expect("the log is writable");
}

fn log(around: &Around) -> &str {
    std::str::from_utf8(&around.log).expect("text")
}

#[test]
fn good_answers_lead_to_nothing() {
    let rows = [
        ("-a", answer(200, "OK", true)),
        ("-a -c 404 -c 301", answer(301, "", true)),
    ];
    for (options, answer) in rows {
        let mut around = around(answer);
        run(options, &mut around);
        assert_eq!(
            (around.supervisor.calls.len(), log(&around)),
            (0, ""),
            "{options}"
        );
    }
}

#[test]
fn bad_answers_are_told_by_mail() {
    let rows = [
        (
            "",
            Err("timed out".to_owned()),
            "httpok: http://h/x: bad status returned",
            "error contacting http://h/x:\n\n timed out\n",
        ),
        (
            "-n N",
            bad(),
            "httpok [N]: http://h/x: bad status returned",
            "status contacting http://h/x: 503 Busy\n",
        ),
        (
            "-c 404",
            answer(200, "OK", true),
            "httpok: http://h/x: bad status returned",
            "status contacting http://h/x: 200 OK\n",
        ),
        (
            "-b text",
            answer(200, "OK", false),
            "httpok: http://h/x: bad body returned",
            "status contacting http://h/x: 200 OK\n",
        ),
        (
            "-b text",
            answer(500, "Oops", false),
            "httpok: http://h/x: bad status returned",
            "status contacting http://h/x: 500 Oops\n",
        ),
    ];
    let done =
        "Restarting selected processes ['web']\nweb is in RUNNING state, restarting\nweb restarted";
    for (options, answer, subject, message) in rows {
        let mut around = around(answer);
        run(&format!("-p web -m x@y {options}"), &mut around);
        let want = Mail {
            to: "x@y".into(),
            subject: subject.into(),
            body: format!("{message}{done}"),
        };
        assert_eq!(log(&around), format!("{done}\nMailed:\n\n{want}"));
        assert_eq!(around.mailer, [want]);
    }
}

#[test]
fn one_wrong_answer_of_several_is_enough() {
    let rows = [
        (answer(200, "OK", true), answer(200, "OK", true), None),
        (
            answer(200, "OK", true),
            bad(),
            Some((
                "httpok: http://b: bad status returned",
                "status contacting http://b: 503 Busy",
            )),
        ),
        (
            Err("timed out".to_owned()),
            answer(200, "OK", false),
            Some((
                "httpok: http://h/x: bad status returned, http://b: bad body returned",
                "error contacting http://h/x:\n\n timed out\nstatus contacting http://b: 200 OK",
            )),
        ),
    ];
    let done =
        "Restarting selected processes ['web']\nweb is in RUNNING state, restarting\nweb restarted";
    for (first, second, want) in rows {
        let mut around = around(first);
        around.probes.push([second].into());
        let mut watch = watch("-p web -m x@y -b text");
        watch.options.urls.push("http://b".into());
        watch.check(&mut around).expect("the log is writable");
        let mail = want.map(|(subject, message)| Mail {
            to: "x@y".into(),
            subject: subject.into(),
            body: format!("{message}\n{done}"),
        });
        let text = mail
            .as_ref()
            .zip(want)
            .map(|(mail, (_, message))| format!("{message}\n{done}\nMailed:\n\n{mail}"));
        assert_eq!(log(&around), text.unwrap_or_default());
        assert_eq!(around.mailer, Vec::from_iter(mail));
    }
}

#[test]
fn the_selected_processes_are_restarted_in_the_servers_order() {
    let web = "web is in RUNNING state, restarting\nweb restarted\n";
    let api = "g:api is in RUNNING state, restarting\ng:api restarted\n";
    let idle = "idle not in RUNNING state, NOT restarting\n";
    let me = "httpok is this httpok, NOT restarting\n";
    let rows = [
        (
            "-p web",
            format!("Restarting selected processes ['web']\n{web}"),
        ),
        (
            "-p web:web",
            format!("Restarting selected processes ['web:web']\n{web}"),
        ),
        (
            "-p api",
            format!("Restarting selected processes ['api']\n{api}"),
        ),
        (
            "-p web -p g:api",
            format!("Restarting selected processes ['web', 'g:api']\n{api}{web}"),
        ),
        (
            "-p idle",
            format!("Restarting selected processes ['idle']\n{idle}"),
        ),
        (
            "-p no -p web -p x:web",
            format!(
                "Restarting selected processes ['no', 'web', 'x:web']\n{web}\
                 Programs not restarted because they did not exist: ['no', 'x:web']\n"
            ),
        ),
        ("", "Restarting selected processes []\n".to_owned()),
        (
            "-p httpok",
            format!("Restarting selected processes ['httpok']\n{me}"),
        ),
        (
            "-a",
            format!("Restarting all running processes\n{api}{me}{idle}{web}"),
        ),
        (
            "-a -p no",
            format!(
                "Restarting all running processes\n{api}{me}{idle}{web}\
                 Programs not restarted because they did not exist: ['no']\n"
            ),
        ),
    ];
    for (options, want) in rows {
        let mut around = around(bad());
        run(options, &mut around);
        assert_eq!(log(&around), want, "{options}");
        assert_eq!(around.mailer, []);
    }
}

#[test]
fn failures_are_told_and_the_rest_goes_on() {
    let mut around = around(bad());
    around.supervisor = around
        .supervisor
        .refusing("stop g:api", "no")
        .refusing("start web", "never");
    run("-p api -p web", &mut around);
    let text = "Restarting selected processes ['api', 'web']\n\
                g:api is in RUNNING state, restarting\nFailed to stop process g:api: <Fault 70: 'no'>\ng:api restarted\n\
                web is in RUNNING state, restarting\nFailed to start process web: <Fault 70: 'never'>\n";
    assert_eq!(log(&around), text);
    assert_eq!(
        around.supervisor.calls,
        ["list", "stop g:api", "start g:api", "stop web", "start web"]
    );
}

#[test]
fn without_the_list_of_processes_nothing_is_done() {
    for options in ["-a -m x@y", "-a -E -m x@y"] {
        let mut around = around(bad());
        around.supervisor.processes = None;
        run(options, &mut around);
        let text = "Exception retrieving process info connection refused, not acting\n";
        assert_eq!(log(&around), text);
        assert_eq!(around.mailer, []);
    }
}

#[test]
fn core_files_are_written_before_a_restart() {
    let mut around = around(bad());
    around.dumper = Some(Vec::new());
    run("-p web -p idle", &mut around);
    let text = "Restarting selected processes ['web', 'idle']\nidle not in RUNNING state, NOT restarting\n\
                gcore output for web:\n\n Saved web\n\nweb is in RUNNING state, restarting\nweb restarted\n";
    assert_eq!(log(&around), text);
    assert_eq!(around.dumper, Some(vec![11]));
}

#[test]
fn not_eager_means_only_while_something_is_running() {
    let rows = [
        ("-p web", true),
        ("-p g:api", true),
        ("-p web:web", true),
        ("-a", true),
        ("-p idle", false),
        ("-p no", false),
        ("-p httpok", false),
        ("", false),
    ];
    for (options, asked) in rows {
        let mut around = around(bad());
        run(&format!("-E {options}"), &mut around);
        assert_eq!(around.probes[0].is_empty(), asked, "-E {options}");
    }
}

#[test]
fn after_a_restart_the_url_is_left_alone_for_a_while() {
    let rows = [
        ("--wait=1h", "-p web", 1),
        ("--wait=1h", "-p idle", 0),
        ("--wait=0", "-p web", 0),
    ];
    for (wait, options, left) in rows {
        let mut around = around(bad());
        around.probes[0].push_back(bad());
        let mut watch = watch(&format!("{wait} {options}"));
        for _ in 0..2 {
            watch.check(&mut around).expect("the log is writable");
        }
        assert_eq!(around.probes[0].len(), left, "{wait} {options}");
    }
    let mut watch = watch("--wait=60");
    let now = Instant::now();
    watch.restarted = Some(now);
    assert!(watch.is_waiting(now + Duration::from_secs(59)));
    assert!(!watch.is_waiting(now + Duration::from_secs(60)));
}
