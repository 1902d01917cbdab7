//! The tail page: the end of a process's standard output.

use protocol::events::Channel;
use protocol::faults::FaultCode;

use super::actions::unexpected;
use super::form::{Form, quote};
use super::html::{Html, PREAMBLE};
use crate::rpc::{RpcContext, read_process_log};

/// How much is shown at least, and unless more is asked for.
const SMALLEST: i64 = 1024;

/// How much is shown at most.
const LARGEST: i64 = 1024 * 1024;

pub(super) async fn render(context: &RpcContext, form: &Form) -> String {
    let limit = limit(form.limit.as_deref());
    match &form.processname {
        Some(name) => page(name, &text(context, name, limit).await, Some(limit)),
        None => page("None", "No process name found", None),
    }
}

fn limit(wanted: Option<&str>) -> i64 {
    let digits = wanted
        .filter(|wanted| !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_digit()));
    let wanted = digits.map_or(SMALLEST, |digits| digits.parse().unwrap_or(LARGEST));
    wanted.clamp(SMALLEST, LARGEST)
}

async fn text(context: &RpcContext, name: &str, limit: i64) -> String {
    match read_process_log(context, name.to_owned(), Channel::Stdout, -limit, 0).await {
        Ok(text) => text,
        Err(fault) if fault.code == FaultCode::NoFile => format!("No file for {name}"),
        Err(fault) => format!("ERROR: {}", unexpected(fault)),
    }
}

fn page(name: &str, text: &str, refresh: Option<i64>) -> String {
    let mut page = Html::with_capacity(1024 + text.len());
    page.raw(PREAMBLE)
        .raw("Supervisor tail of process ")
        .text(name)
        .raw("</title>\n</head>\n<body class=\"tail\">\n");
    page.raw("<pre>")
        .text(text)
        .raw("</pre>\n<form action=\"index.html\" method=\"post\">\n<div>");
    if let Some(limit) = refresh {
        page.raw("<a href=\"tail.html?processname=")
            .text(&quote(name))
            .raw("&amp;limit=")
            .text(&limit.to_string());
        page.raw("\"><input type=\"button\" value=\" Refresh \" name=\"refresh\" /></a>");
    }
    page.raw("</div>\n</form>\n</body>\n</html>\n");
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_digits_within_reason() {
        let rows = [
            (None, 1024),
            (Some("10"), 1024),
            (Some("2048"), 2048),
            (Some("-2048"), 1024),
            (Some("4k"), 1024),
            (Some("99999999999999999999"), LARGEST),
        ];
        for (wanted, expected) in rows {
            assert_eq!(limit(wanted), expected, "{wanted:?}");
        }
    }

    #[test]
    fn names_and_text_are_escaped() {
        let page = page("a<b:c", "x & y", Some(1024));
        assert!(page.contains("<title>Supervisor tail of process a&lt;b:c</title>"));
        assert!(page.contains("<pre>x &amp; y</pre>"));
        assert!(page.contains("href=\"tail.html?processname=a%3Cb%3Ac&amp;limit=1024\""));
    }
}
