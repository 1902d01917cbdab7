//! Markup that cannot forget to escape.

/// A page under construction: markup comes from the program, text from anywhere.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(String::with_capacity(capacity))
    }

    /// Appends markup.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends text, for between tags and inside quotes alike.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            self.0.push_str(&rest[..at]);
            self.0.push_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            });
            rest = &rest[at + 1..];
        }
        self.0.push_str(rest);
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// What all pages begin with, up to the title.
pub(super) const PREAMBLE: &str = "\
<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \
\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">
<html xmlns=\"http://www.w3.org/1999/xhtml\">
<head>
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />
<link href=\"stylesheets/supervisor.css\" rel=\"stylesheet\" type=\"text/css\" />
<link href=\"images/icon.png\" rel=\"icon\" type=\"image/png\" />
<script src=\"scripts/status.js\" type=\"text/javascript\"></script>
<title>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_markup_is_not() {
        let mut html = Html::default();
        html.raw("<b title=\"")
            .text("\"a' <&>\u{e9}")
            .raw("\">")
            .text("")
            .raw("</b>");
        assert_eq!(
            html.finish(),
            "<b title=\"&quot;a&#39; &lt;&amp;&gt;\u{e9}\"></b>"
        );
    }
}
