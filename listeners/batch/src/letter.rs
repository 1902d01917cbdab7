//! What a letter says besides its lines.

use listener_kit::Mail;

/// So much of the body goes to the log, in characters.
const DIGEST: usize = 76;

/// Everything about a letter but its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Recipients, as given.
    pub(crate) to: Vec<String>,
    /// Sender, as given.
    pub(crate) from: String,
    /// Subject; `None` or empty: there is no such header.
    pub(crate) subject: Option<String>,
}

impl Letter {
    /// What the log shows of a letter with this body.
    pub(crate) fn summary(&self, body: &str) -> String {
        let end = body.char_indices().nth(DIGEST).map(|(end, _)| end);
        let (digest, dots) = match end {
            Some(end) => (&body[..end], "..."),
            None => (body, ""),
        };
        format!(
            "Sending notification email:\nTo: {}\nFrom: {}\nSubject: {}\nBody:\n{digest}{dots}",
            self.to.join(", "),
            self.from,
            self.subject.as_deref().unwrap_or("None")
        )
    }

    /// The mail with this body.
    pub(crate) fn mail(&self, body: String) -> Mail {
        Mail {
            to: self.to.join(", "),
            subject: self.subject.clone().unwrap_or_default(),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: Option<&str>) -> Letter {
        Letter {
            to: vec!["a@x.org".into(), "root".into()],
            from: "Me <me@z.org>".into(),
            subject: subject.map(str::to_owned),
        }
    }

    #[test]
    fn the_summary_is_exact() {
        let head = "Sending notification email:\nTo: a@x.org, root\nFrom: Me <me@z.org>\nSubject: ";
        let long = "é".repeat(77);
        let rows = [
            (Some("S"), "one\ntwo", format!("{head}S\nBody:\none\ntwo")),
            (None, "one", format!("{head}None\nBody:\none")),
            (
                Some("S"),
                &long[..152],
                format!("{head}S\nBody:\n{}", &long[..152]),
            ),
            (
                Some("S"),
                &long,
                format!("{head}S\nBody:\n{}...", &long[..152]),
            ),
        ];
        for (subject, body, want) in rows {
            assert_eq!(letter(subject).summary(body), want);
        }
    }

    #[test]
    fn mail_goes_to_all() {
        let mail = letter(None).mail("one".into());
        assert_eq!(
            (mail.to.as_str(), mail.subject.as_str()),
            ("a@x.org, root", "")
        );
    }
}
