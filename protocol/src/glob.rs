//! Shell wildcards in names: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`, as Python's `fnmatch` reads them. There are no
//! escapes; a bracket that is never closed stands for itself.

/// Whether a text has wildcards.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether the whole text fits the pattern. Only the last star is ever tried again, so the time is at most the product
/// of the lengths.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    let mut star: Option<(&str, &str)> = None;
    loop {
        if let Some(after) = pattern.strip_prefix('*') {
            star = Some((after, text));
            pattern = after;
        } else if pattern.is_empty() && text.is_empty() {
            return true;
        } else if let Some(rests) = step(pattern, text) {
            (pattern, text) = rests;
        } else {
            // The star takes a character more.
            let Some((after, from)) = star else {
                return false;
            };
            let mut rest = from.chars();
            if rest.next().is_none() {
                return false;
            }
            star = Some((after, rest.as_str()));
            (pattern, text) = (after, rest.as_str());
        }
    }
}

/// Matches one character; what is left of pattern and text.
fn step<'a>(pattern: &'a str, text: &'a str) -> Option<(&'a str, &'a str)> {
    let mut text = text.chars();
    let character = text.next()?;
    let mut rest = pattern.chars();
    let fits = match rest.next()? {
        '?' => true,
        '[' => match split_set(rest.as_str()) {
            Some((set, after)) => {
                rest = after.chars();
                set_has(set, character)
            }
            None => character == '[',
        },
        wanted => wanted == character,
    };
    fits.then_some((rest.as_str(), text.as_str()))
}

/// The inside of a bracket and what follows it. A closing bracket in the first place belongs to the set.
fn split_set(text: &str) -> Option<(&str, &str)> {
    let negation = usize::from(text.starts_with('!'));
    let first = text[negation..].chars().next()?;
    let skipped = negation + first.len_utf8();
    let end = skipped + text[skipped..].find(']')?;
    Some((&text[..end], &text[end + 1..]))
}

fn set_has(set: &str, character: char) -> bool {
    let (wanted, set) = match set.strip_prefix('!') {
        Some(set) => (false, set),
        None => (true, set),
    };
    let mut members = set.chars();
    while let Some(low) = members.next() {
        let mut ahead = members.clone();
        let high = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(high)) => {
                members = ahead;
                high
            }
            _ => low,
        };
        if (low..=high).contains(&character) {
            return wanted;
        }
    }
    !wanted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Checked against Python's `fnmatch.fnmatchcase`.
    #[test]
    fn patterns_match_as_in_python() {
        let rows = [
            ("web*", "web", true),
            ("web*", "web:a", true),
            ("web*", "aweb", false),
            ("*", "", true),
            ("", "a", false),
            ("a?c", "aüc", true),
            ("a?c", "ac", false),
            ("*b*b", "abcb", true),
            ("*b*b", "abc", false),
            ("w[12]", "w2", true),
            ("w[!12]", "w2", false),
            ("w[!12]", "w3", true),
            ("w[0-9]", "w7", true),
            ("w[0-9]", "w", false),
            ("w[z-a]", "wb", false),
            ("w[a-]", "w-", true),
            ("w[]]", "w]", true),
            ("w[!]]", "w]", false),
            ("w[1", "w[1", true),
            ("w[", "w[", true),
            ("w[]", "w[]", true),
            ("w[!]", "w[!]", true),
            ("g:w_[0-9][0-9]", "g:w_07", true),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn text_without_wildcards_matches_itself_alone(a in "[a-c:]{0,4}", b in "[a-c:]{0,4}") {
            prop_assert!(!is_pattern(&a));
            prop_assert_eq!(matches(&a, &b), a == b);
        }

        #[test]
        fn stars_match_any_split(before in ".{0,4}", between in ".{0,4}", after in ".{0,4}") {
            prop_assume!(!is_pattern(&before) && !is_pattern(&after));
            let text = format!("{before}{between}{after}");
            let pattern = format!("{before}*{after}");
            prop_assert!(matches(&pattern, &text));
        }

        #[test]
        fn stars_around_a_pattern_only_loosen_it(pattern in "[a*?\\[\\]!-]{0,12}", text in "[a\\[\\]!-]{0,12}") {
            let looser = format!("*{pattern}*");
            prop_assert!(matches(&looser, &text) || !matches(&pattern, &text));
        }
    }
}
