//! supervisor-wildcards, a plug-in of the original supervisorctl, and what it became in ours.

use callboard_tests::{CtlOutput, Daemon, Flavour};

use crate::install;
use crate::transcript::{both, masked};

const CONFIG: &str = "\
[ctlplugin:wildcards]
supervisor.ctl_factory=supervisorwildcards.controllerplugin:make_wildcards_controllerplugin
[program:web]
command=sleep 1000
process_name=%(program_name)s_%(process_num)d
numprocs=3
startsecs=0
autostart=false
[program:other]
command=sleep 1000
startsecs=0
[group:team]
programs=other
";

const COMMANDS: &[&[&str]] = &[
    &["mstart", "web_[01]"],
    &["mstart", "web_0"],
    &["mrestart", "web_1", "oth*"],
    &["mstop", "web*", "other"],
    &["mstop", "*"],
    &["mstart", "nobody*"],
    &["mstart", "all"],
    &["mstop", "?eb_2"],
];

/// What a tool says to each command, its lines sorted: the plug-in has a thread per process.
fn outcomes(daemon: &Daemon, tool: impl Fn(&[&str]) -> CtlOutput) -> Vec<String> {
    daemon.wait_state("team:other", "RUNNING");
    let outcome = |words: &&[&str]| {
        let output = tool(words);
        let mut lines = masked(daemon, &CtlOutput { code: 0, ..output });
        lines.sort();
        [format!("{words:?}")].into_iter().chain(lines)
    };
    COMMANDS.iter().flat_map(outcome).collect()
}

/// The original tool with its plug-in.
fn with_plugin(flavour: Flavour) -> Vec<String> {
    let daemon = Daemon::start(flavour, CONFIG);
    let tool = install::python("supervisorctl");
    outcomes(&daemon, |words| {
        let config = daemon.config_path().display().to_string();
        let arguments = [&["-c", config.as_str()], words].concat();
        daemon.run(&tool, &arguments)
    })
}

#[test]
fn the_plugin_works_with_our_daemon() {
    let [original, ours] = both(with_plugin);
    assert_eq!(ours, original);
}

#[test]
fn our_commands_say_what_the_plugin_says() {
    let [plugin, built_in] = both(|flavour| match flavour {
        Flavour::Original => with_plugin(flavour),
        Flavour::Ours => {
            let daemon = Daemon::start(flavour, CONFIG);
            outcomes(&daemon, |words| daemon.ctl(words))
        }
    });
    assert_eq!(built_in, plugin);
}
