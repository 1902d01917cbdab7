//! The colours of the style sheet can be told apart, in both themes: WCAG's contrast of 4.5 to 1 for text.

use std::collections::HashMap;
use std::fs;

use callboard_tests::workspace;

const ENOUGH: f64 = 4.5;

/// Each with the grounds it is written on.
const TEXTS: [(&str, &[&str]); 7] = [
    (
        "ink",
        &["paper", "card", "raised", "hover", "calm-wash", "bad-wash"],
    ),
    ("soft", &["paper", "card", "raised", "hover"]),
    ("accent", &["paper", "card", "hover"]),
    ("good", &["card", "hover", "good-wash"]),
    ("bad", &["paper", "card", "hover", "bad-wash"]),
    ("warn", &["card", "hover", "warn-wash"]),
    ("calm", &["card", "hover", "calm-wash"]),
];

/// The pairs of colours by name: `--name: var(--light, #rrggbb) var(--dark, #rrggbb);`.
fn colours() -> HashMap<String, [f64; 2]> {
    let path = workspace::root().join("daemon/assets/style/base.css");
    let sheet = fs::read_to_string(path).expect("the style sheet");
    let pair = |line: &str| {
        let (name, value) = line
            .trim()
            .strip_prefix("--")?
            .split_once(": var(--light, ")?;
        let (light, dark) = value.strip_suffix(");")?.split_once(") var(--dark, ")?;
        Some((name.to_owned(), [luminance(light)?, luminance(dark)?]))
    };
    sheet.lines().filter_map(pair).collect()
}

/// Relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> Option<f64> {
    let number = u32::from_str_radix(colour.strip_prefix('#')?, 16).ok()?;
    let channel = |shift: u32| {
        let share = f64::from(number >> shift & 0xff) / 255.0;
        match share <= 0.04045 {
            true => share / 12.92,
            false => ((share + 0.055) / 1.055).powf(2.4),
        }
    };
    Some(0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0))
}

/// Where only the newest browsers understand a colour, others would show none at all.
#[test]
fn colours_are_put_as_all_browsers_understand_them() {
    let folder = workspace::root().join("daemon/assets/style");
    for entry in fs::read_dir(folder).expect("the style sheets") {
        let path = entry.expect("an entry").path();
        let sheet = fs::read_to_string(&path).expect("a style sheet");
        for new in ["light-dark(", "color-mix(", "oklch("] {
            assert!(!sheet.contains(new), "{new} in {}", path.display());
        }
    }
}

#[test]
fn text_stands_out_from_its_ground() {
    let colours = colours();
    for (text, grounds) in TEXTS {
        for ground in grounds {
            for (theme, name) in ["light", "dark"].iter().enumerate() {
                let (one, other) = (colours[text][theme], colours[*ground][theme]);
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(
                    contrast >= ENOUGH,
                    "{text} on {ground}, {name}: {contrast:.2}"
                );
            }
        }
    }
}
