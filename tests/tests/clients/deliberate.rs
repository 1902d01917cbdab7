//! The differences from the original that these suites meet and that are wanted.

use callboard_tests::deliberate::{Deliberate, Text, original, ours};

/// Scenarios in which our supervisorctl gets every command.
const COMMANDS: &[&str] = &["commands, Ours tool"];

/// Scenarios in which our supervisorctl shows its help.
const HELP: &[&str] = &["commands, Ours tool", "help, Ours tool"];

const CLEAR: &str = "clear takes groups";
const WORDING: &str = "the wording of the help is our own";
const BUILT_IN: &str =
    "commands that plug-ins of the original add are built in, and listed apart from its own";
const OPTIONS: &str = "options the original does not have";

const TYPES: &[&str] = &["types, Ours tool"];
const TYPED: &str =
    "a value of the wrong type is told to be that, where the original fails inside or converts it";

/// All of them.
pub(crate) const DELIBERATE: &[Deliberate] = &[
    original(
        COMMANDS,
        Text::Is("$ supervisorctl clear g:* -> exit 1"),
        CLEAR,
    ),
    original(
        COMMANDS,
        Text::Is("$ supervisorctl clear g: -> exit 1"),
        CLEAR,
    ),
    original(
        COMMANDS,
        Text::Is("  out| g:None: ERROR (no such process)"),
        CLEAR,
    ),
    original(
        COMMANDS,
        Text::Is("  out| zz:None: ERROR (no such process)"),
        CLEAR,
    ),
    ours(
        COMMANDS,
        Text::Is("$ supervisorctl clear g:* -> exit 0"),
        CLEAR,
    ),
    ours(
        COMMANDS,
        Text::Is("$ supervisorctl clear g: -> exit 0"),
        CLEAR,
    ),
    ours(COMMANDS, Text::Is("  out| g:x: cleared"), CLEAR),
    ours(
        COMMANDS,
        Text::Is("  out| zz: ERROR (no such group)"),
        CLEAR,
    ),
    original(
        HELP,
        Text::Has("Note: restart does not reread config files."),
        WORDING,
    ),
    ours(
        HELP,
        Text::Has("Note: configuration files are not read again"),
        WORDING,
    ),
    original(
        &["help, Ours tool"],
        Text::Is("  out| "),
        "the help of maintail ends with a stray blank line",
    ),
    ours(
        COMMANDS,
        Text::Is("  out| further commands (type help <topic>):"),
        BUILT_IN,
    ),
    ours(
        COMMANDS,
        Text::Is("  out| ====================================="),
        BUILT_IN,
    ),
    ours(COMMANDS, Text::Has("mrestart  mstart  mstop"), BUILT_IN),
    ours(COMMANDS, Text::Is("  out| "), BUILT_IN),
    original(TYPES, Text::Has(" -> "), TYPED),
    ours(TYPES, Text::Has(" -> fault 2 INCORRECT_PARAMETERS"), TYPED),
    ours(&["help, Ours tool"], Text::Has("status --json"), OPTIONS),
    ours(
        &["help, Ours tool"],
        Text::Has("status --ignore-stopped"),
        OPTIONS,
    ),
];
