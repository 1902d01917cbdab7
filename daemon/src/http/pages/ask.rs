//! The page that asks whether something is really wanted, when a browser does not say which page of ours its link is on:
//! an address that was typed or kept as a bookmark, or another web site's doing.

use super::form::Form;
use super::html::{Html, PREAMBLE};

/// Asks about what a form wants. The answer is a POST, of which browsers say where it comes from.
pub(super) fn render(form: &Form) -> String {
    let action = form.action.as_deref().unwrap_or_default();
    let mut page = Html::with_capacity(2048);
    page.raw(PREAMBLE)
        .raw("Supervisor: really?</title>\n</head>\n<body class=\"tail\">\n<p>Your browser is to do this: <strong>")
        .text(action);
    if let Some(name) = &form.processname {
        page.raw(" ").text(name);
    }
    page.raw("</strong></p>\n<p>It does not say that the link was on the status page. If it was on another web site, or \
              in a message, leave this page.</p>\n<form action=\"index.html\" method=\"post\">\n<div>");
    hidden(&mut page, "action", Some(action));
    hidden(&mut page, "processname", form.processname.as_deref());
    page.raw("<input type=\"submit\" value=\"Do it\" /> <a href=\"index.html\">Leave everything as it is</a>")
        .raw("</div>\n</form>\n</body>\n</html>\n");
    page.finish()
}

fn hidden(page: &mut Html, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        page.raw("<input type=\"hidden\" name=\"")
            .raw(name)
            .raw("\" value=\"")
            .text(value)
            .raw("\" />");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_about_is_shown_and_sent() {
        let page = render(&Form::parse("action=stop&processname=%22%3Cb%3E:c", b""));
        assert!(
            page.contains("<strong>stop &quot;&lt;b&gt;:c</strong>"),
            "{page}"
        );
        assert!(page.contains("name=\"action\" value=\"stop\""));
        assert!(page.contains("name=\"processname\" value=\"&quot;&lt;b&gt;:c\""));
        let page = render(&Form::parse("action=stopall", b""));
        assert!(page.contains("<strong>stopall</strong>") && !page.contains("processname"));
    }
}
