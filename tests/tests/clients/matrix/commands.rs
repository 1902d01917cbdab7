//! Every command of supervisorctl with every form of arguments.

use callboard_tests::CtlOutput;
use callboard_tests::scenario::Session;

use super::oracle::Tool;
use super::state::State;

/// Commands for processes.
const VERBS: [&str; 7] = [
    "status",
    "start",
    "stop",
    "restart",
    "signal WINCH",
    "clear",
    "pid",
];

/// What they are given.
const FORMS: [&str; 11] = [
    "",
    "p",
    "p:p",
    "g:x",
    "g:*",
    "g:",
    "all",
    "nobody",
    "g:nobody",
    "zz:*",
    "p nobody g:x",
];

/// The other commands. `fg` of a running process waits for Ctrl-C: that has a test of its own.
const OTHERS: &[&str] = &[
    "signal",
    "signal WINCH",
    "signal 0 p",
    "signal sigwinch p",
    "signal WAT p",
    "signal WAT nobody",
    "tail p",
    "tail g:x",
    "tail g:*",
    "tail -5 p",
    "tail p stderr",
    "tail -5 p stderr",
    "tail p STDOUT",
    "tail nobody",
    "tail p wat",
    "avail",
    "avail p",
    "reread",
    "update",
    "update p",
    "update all",
    "update nobody p",
    "add",
    "add p",
    "add nobody g",
    "remove",
    "remove p",
    "remove p",
    "remove nobody g",
    "add x",
    "fg",
    "fg nobody",
    "fg g:*",
    "fg p g:x",
    "version p",
    "shutdown p",
    "reload p",
    "wat p",
    "status;p",
    "?",
];

/// What there is help for, and what not.
const TOPICS: &[&str] = &[
    "add", "avail", "clear", "exit", "fg", "help", "maintail", "open", "pid", "quit", "reload",
    "remove", "reread", "restart", "shutdown", "signal", "start", "status", "stop", "tail",
    "update", "version", "wat",
];

pub(super) fn steps(session: &mut Session, state: &State) {
    let mut tool = Tool::new(session.tool(), &session.daemon);
    for verb in VERBS {
        for form in FORMS.iter().filter(|form| state.answers(verb, form)) {
            let command = format!("{verb} {form}");
            run(session, &mut tool, state, &words(&command));
        }
        if state.answers(verb, "p") {
            // One word, as quotes make it.
            run(session, &mut tool, state, &[&format!("{verb} p  g:x")]);
        }
    }
    for command in OTHERS {
        run(session, &mut tool, state, &words(command));
    }
    if matches!(state.name, "STOPPED" | "EXITED" | "FATAL") {
        run(session, &mut tool, state, &["fg", "p"]);
    }
}

/// The pages of help.
pub(super) fn help(session: &mut Session, state: &State) {
    let mut tool = Tool::new(session.tool(), &session.daemon);
    for topic in TOPICS {
        run(session, &mut tool, state, &["help", topic]);
    }
}

fn words(command: &str) -> Vec<&str> {
    command.split_whitespace().collect()
}

/// Runs a command with everything in its state and notes the outcome.
fn run(session: &mut Session, tool: &mut Tool, state: &State, words: &[&str]) {
    state.settle(&session.daemon);
    let output = tool.run(&session.daemon, words);
    let output = CtlOutput {
        stdout: without_pids(&output.stdout),
        ..output
    };
    session.note_output(&format!("supervisorctl {}", words.join(" ")), &output);
}

/// Masks lines that are a pid; 0 is none.
fn without_pids(text: &str) -> String {
    let is_pid = |line: &str| line != "0" && line.parse::<u32>().is_ok();
    let lines = text
        .split_inclusive('\n')
        .map(|line| match is_pid(line.trim_end()) {
            true => "<pid>\n",
            false => line,
        });
    lines.collect()
}
