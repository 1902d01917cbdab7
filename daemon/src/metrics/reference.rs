//! The page of documentation, as Markdown.

use std::fmt::Write as _;

use super::families::ALL;

const BEFORE: &str = include_str!("reference.md");

/// The place of the table.
const MARK: &str = "<!-- table -->\n";

/// The whole page.
pub fn reference() -> String {
    let mut table = String::from("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n");
    for family in ALL.iter().copied().flatten() {
        let labels: Vec<_> = family
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (name, kind) = (family.name, family.kind.name());
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{name}` | {kind} | {} | {} |",
            labels.join(", "),
            family.help
        );
    }
    BEFORE.replace(MARK, &table)
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::metrics::families::Kind;

    #[test]
    fn the_committed_page_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
        let page = reference();
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == page,
            "docs/metrics.md is stale: run UPDATE_DOCS=1 cargo test -p callboard-daemon"
        );
    }

    #[test]
    fn names_follow_the_customs() {
        for family in ALL.iter().copied().flatten() {
            let is_counter = family.kind == Kind::Counter;
            assert_eq!(
                family.name.ends_with("_total"),
                is_counter,
                "{}",
                family.name
            );
            assert!(!family.help.contains(['\n', '\\', '|']), "{}", family.name);
        }
    }
}
