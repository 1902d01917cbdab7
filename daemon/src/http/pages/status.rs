//! The status page.

use jiff::Zoned;
use protocol::namespec::canonical;
use protocol::states::{DaemonState, ProcessState};

use super::form::quote;
use super::html::{Html, PREAMBLE};
use crate::access::{Caller, Deed, Target};
use crate::rpc::SUPERVISOR_VERSION;
use crate::supervisor::messages::{PoolInfo, ProcessInfo};

const BYTES_PER_PROCESS: usize = 1280;

/// The page as the caller may use it, with a message above the processes if there is one.
///
/// What the caller may not act on is marked by `data-forbidden`, which the script reads as well.
pub(super) fn render(
    processes: &[ProcessInfo],
    pools: &[PoolInfo],
    message: Option<&str>,
    caller: &Caller,
) -> String {
    let mut page = Html::with_capacity(4096 + processes.len() * BYTES_PER_PROCESS);
    header(&mut page, caller);
    match message {
        Some(message) => page
            .raw("<div class=\"status_msg\">")
            .text(message)
            .raw("</div>\n"),
        None => page.raw("<div class=\"hidden\">#</div>\n"),
    };
    page.raw(match caller.may(&Deed::Operate(Target::All)) {
        true => FORM,
        false => FORM_TO_LOOK,
    });
    if processes.is_empty() {
        page.raw("No programs to manage\n");
    } else {
        table(&mut page, processes, caller);
    }
    page.raw("</form>\n");
    losses(&mut page, pools);
    footer(&mut page);
    page.finish()
}

/// Events that pools had to throw away; nothing on a good day.
fn losses(page: &mut Html, pools: &[PoolInfo]) {
    let lossy = pools.iter().filter(|pool| pool.tally.discarded > 0);
    for pool in lossy {
        page.raw("<p class=\"losses\">Listener pool ")
            .text(&pool.name)
            .raw(" has lost ")
            .text(&pool.tally.discarded.to_string())
            .raw(" events.</p>\n");
    }
}

/// The page while the daemon goes down: there is nothing to do any more.
pub(super) fn render_ending(state: DaemonState) -> String {
    let mut page = Html::with_capacity(4096);
    header(&mut page, &Caller::anybody());
    page.raw("<div class=\"status_msg\">Supervisor is ")
        .text(match state {
            DaemonState::Restarting => "restarting",
            _ => "shutting down",
        });
    page.raw("</div>\n");
    footer(&mut page);
    page.finish()
}

const FORM: &str = "\
<form action=\"index.html\" method=\"post\">
<ul id=\"buttons\" class=\"clr\">
<li class=\"action-button\"><a href=\"index.html?action=refresh\">Refresh</a></li>
<li class=\"action-button\"><a href=\"index.html?action=restartall\">Restart All</a></li>
<li class=\"action-button\"><a href=\"index.html?action=stopall\">Stop All</a></li>
</ul>
";

/// The same for those who may not act on everything.
const FORM_TO_LOOK: &str = "\
<form action=\"index.html\" method=\"post\" data-forbidden=\"*\">
<ul id=\"buttons\" class=\"clr\">
<li class=\"action-button\"><a href=\"index.html?action=refresh\">Refresh</a></li>
</ul>
";

fn header(page: &mut Html, caller: &Caller) {
    page.raw(PREAMBLE)
        .raw("Supervisor Status</title>\n</head>\n<body");
    if caller.is_known() {
        page.raw(" data-caller=\"")
            .text(&caller.to_string())
            .raw("\"");
    }
    page.raw(">\n<div id=\"wrapper\">\n");
    page.raw("<div id=\"header\"><img src=\"images/supervisor.gif\" alt=\"Supervisor status\" /></div>\n<div>\n");
}

fn footer(page: &mut Html) {
    page.raw("</div>\n</div>\n<div id=\"footer\" class=\"clr\">\n<div class=\"left\">");
    page.raw("<a href=\"http://supervisord.org\">Supervisor</a> <span>")
        .text(SUPERVISOR_VERSION);
    page.raw("</span></div>\n<div class=\"right\">&copy; 2006-<span>")
        .text(&Zoned::now().year().to_string());
    page.raw("</span> <strong><a href=\"index.html\">Callboard contributors</a></strong></div>\n</div>\n");
    page.raw("</body>\n</html>\n");
}

fn table(page: &mut Html, processes: &[ProcessInfo], caller: &Caller) {
    page.raw("<table cellspacing=\"0\">\n<thead>\n<tr><th class=\"state\">State</th>");
    page.raw("<th class=\"desc\">Description</th><th class=\"name\">Name</th>");
    page.raw("<th class=\"action\">Action</th></tr>\n</thead>\n<tbody>\n");
    for (index, process) in processes.iter().enumerate() {
        page.raw(if index % 2 == 0 {
            "<tr class=\"\""
        } else {
            "<tr class=\"shade\""
        });
        let key = format!("{}:{}", process.config.group, process.config.name);
        let allowed = caller.may(&Deed::Operate(Target::Named(&key)));
        if !allowed {
            page.raw(" data-forbidden=\"").text(&key).raw("\"");
        }
        page.raw(">\n");
        row(page, process, allowed);
        page.raw("</tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
}

fn row(page: &mut Html, process: &ProcessInfo, allowed: bool) {
    let name = canonical(&process.config.group, &process.config.name);
    let quoted = quote(&name);
    page.raw("<td class=\"status\"><span class=\"")
        .raw(class(process.state))
        .raw("\">");
    page.text(&process.state.name().to_ascii_lowercase());
    page.raw("</span></td>\n<td><span>")
        .text(&process.description)
        .raw("</span></td>\n<td>");
    page.raw("<a href=\"tail.html?processname=")
        .text(&quoted)
        .raw("\" target=\"_blank\">")
        .text(&name);
    page.raw("</a></td>\n<td class=\"action\"><ul>\n");
    for item in items(process.state) {
        let item = match item {
            Item::Action(..) if !allowed => Item::Hidden,
            item => item,
        };
        item_link(page, item, &quoted);
    }
    page.raw("</ul></td>\n");
}

fn class(state: ProcessState) -> &'static str {
    match state {
        ProcessState::Running => "statusrunning",
        ProcessState::Fatal | ProcessState::Backoff => "statuserror",
        _ => "statusnominal",
    }
}

/// A link of the last column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    /// Keeps the others in their columns.
    Hidden,
    /// An action of the status page: its text and its parameter.
    Action(&'static str, &'static str),
    /// A log stream: its text and what follows the name.
    Stream(&'static str, &'static str),
}

fn items(state: ProcessState) -> [Item; 5] {
    const START: Item = Item::Action("Start", "start");
    const STOP: Item = Item::Action("Stop", "stop");
    const RESTART: Item = Item::Action("Restart", "restart");
    let (first, second) = match state {
        ProcessState::Running => (RESTART, STOP),
        ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => (START, Item::Hidden),
        ProcessState::Starting | ProcessState::Backoff => (Item::Hidden, STOP),
        ProcessState::Stopping | ProcessState::Unknown => (Item::Hidden, Item::Hidden),
    };
    [
        first,
        second,
        Item::Action("Clear Log", "clearlog"),
        Item::Stream("Tail -f Stdout", ""),
        Item::Stream("Tail -f Stderr", "/stderr"),
    ]
}

fn item_link(page: &mut Html, item: Item, quoted: &str) {
    page.raw("<li>");
    match item {
        Item::Hidden => page.raw("<a href=\"#\" name=\"#\" class=\"hidden\">Action</a>"),
        Item::Action(text, action) => {
            page.raw("<a href=\"index.html?processname=")
                .text(quoted)
                .raw("&amp;action=")
                .raw(action);
            page.raw("\" name=\"")
                .raw(text)
                .raw("\">")
                .raw(text)
                .raw("</a>")
        }
        Item::Stream(text, channel) => {
            page.raw("<a href=\"logtail/")
                .text(quoted)
                .raw(channel)
                .raw("\" name=\"")
                .raw(text);
            page.raw("\" target=\"_blank\">").raw(text).raw("</a>")
        }
    };
    page.raw("</li>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_follow_the_state() {
        let rows = [
            (ProcessState::Stopped, ["Start", ""]),
            (ProcessState::Starting, ["", "Stop"]),
            (ProcessState::Running, ["Restart", "Stop"]),
            (ProcessState::Backoff, ["", "Stop"]),
            (ProcessState::Stopping, ["", ""]),
            (ProcessState::Exited, ["Start", ""]),
            (ProcessState::Fatal, ["Start", ""]),
            (ProcessState::Unknown, ["", ""]),
        ];
        for (state, expected) in rows {
            let texts = items(state).map(|item| match item {
                Item::Hidden => "",
                Item::Action(text, _) | Item::Stream(text, _) => text,
            });
            assert_eq!(texts[..2], expected, "{state}");
            assert_eq!(
                texts[2..],
                ["Clear Log", "Tail -f Stdout", "Tail -f Stderr"]
            );
        }
    }

    #[test]
    fn messages_are_escaped_and_nothing_is_said_of_no_programs() {
        let page = render(&[], &[], Some("<script>"), &Caller::anybody());
        assert!(page.contains("<div class=\"status_msg\">&lt;script&gt;</div>"));
        assert!(page.contains("No programs to manage") && !page.contains("<table"));
        let page = render(&[], &[], None, &Caller::anybody());
        assert!(page.contains("<div class=\"hidden\">#</div>") && page.contains("<body>"));
    }
}
