//! Process names as clients write them: `name`, `group:name`, `group:*`.

use std::fmt;

/// A parsed name, borrowed from what the client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespec<'a> {
    /// The group's name.
    pub group: &'a str,
    /// The process's name; `None` means every process of the group.
    pub process: Option<&'a str>,
}

impl<'a> Namespec<'a> {
    /// Splits at the first colon. A bare `name` is process `name` of group `name`;
    /// `group:*` and `group:` name the whole group.
    pub fn parse(text: &'a str) -> Self {
        match text.split_once(':') {
            None => Self {
                group: text,
                process: Some(text),
            },
            Some((group, "" | "*")) => Self {
                group,
                process: None,
            },
            Some((group, process)) => Self {
                group,
                process: Some(process),
            },
        }
    }
}

impl fmt::Display for Namespec<'_> {
    /// The canonical form: just the name where group and process have one name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process {
            Some(process) if process == self.group => f.write_str(process),
            Some(process) => write!(f, "{}:{process}", self.group),
            None => write!(f, "{}:*", self.group),
        }
    }
}

/// The canonical name of a process.
pub fn canonical(group: &str, process: &str) -> String {
    Namespec {
        group,
        process: Some(process),
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_first_colon() {
        let rows = [
            ("cat", "cat", Some("cat")),
            ("g:cat", "g", Some("cat")),
            ("g:a:b", "g", Some("a:b")),
            ("g:*", "g", None),
            ("g:", "g", None),
            (":x", "", Some("x")),
            ("", "", Some("")),
        ];
        for (text, group, process) in rows {
            assert_eq!(Namespec::parse(text), Namespec { group, process }, "{text}");
        }
    }

    #[test]
    fn the_canonical_form_drops_a_group_of_the_same_name() {
        assert_eq!(canonical("cat", "cat"), "cat");
        assert_eq!(canonical("g", "cat"), "g:cat");
        assert_eq!(Namespec::parse("g:").to_string(), "g:*");
    }
}
