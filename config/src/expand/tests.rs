use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

struct Fixture(BTreeMap<String, i64>);

impl Names for Fixture {
    fn get(&self, name: &str) -> Option<Replacement<'_>> {
        match name {
            "here" => Some(Replacement::Text("/etc")),
            "one" => Some(Replacement::Text("é")),
            "a(b)c" => Some(Replacement::Text("nested")),
            "ENV_X" => Some(Replacement::Text("x%(here)s")),
            "ENV_E" => Some(Replacement::Text("")),
            "n" => Some(Replacement::Number(7)),
            "neg" => Some(Replacement::Number(-255)),
            "big" => Some(Replacement::Number(123_456_789)),
            _ => self.0.get(name).map(|&number| Replacement::Number(number)),
        }
    }

    fn all(&self) -> Vec<String> {
        ["here", "n", "ENV_X"].map(str::to_owned).to_vec()
    }
}

fn run(format: &str) -> Result<String, String> {
    expand(format, "s.o", &Fixture(BTreeMap::new()))
        .map(Cow::into_owned)
        .map_err(|error| error.to_string())
}

/// Checked against Python.
#[test]
fn formats() {
    let rows = [
        ("plain", "plain"),
        ("", ""),
        ("a%%b", "a%b"),
        ("%(here)s/x", "/etc/x"),
        (
            "%(here)8s|%(here)-8s|%(here).2s|%(here)08s",
            "    /etc|/etc    |/e|    /etc",
        ),
        ("%(here)r %(one)a", "'/etc' '\\xe9'"),
        ("%(one)c%(n)c", "é\x07"),
        ("%(a(b)c)s", "nested"),
        ("%(ENV_X)s", "x%(here)s"),
        (
            "%(n)02d %(n)03x %(n)+i %(n) u|%(n)-4d|%(n)4s",
            "07 007 +7  7|7   |   7",
        ),
        (
            "%(neg)x %(neg)#X %(neg)#010x %(neg)o %(neg)#o",
            "-ff -0XFF -0x00000ff -377 -0o377",
        ),
        ("%(n).3d %(n)6.3d %(neg)06d", "007    007 -00255"),
        (
            "%(n)f %(n).1f %(neg)08.2f %(n)#.0f",
            "7.000000 7.0 -0255.00 7.",
        ),
        ("%(big)e %(big).2E %(n).0e", "1.234568e+08 1.23E+08 7e+00"),
        ("%(big)g %(n)g %(neg)G %(n)#g", "1.23457e+08 7 -255 7.00000"),
        ("%(n)ld %(n)hd", "7 7"),
        (
            "%(ENV_X:-d)s|%(ENV_E:-d)s|%(ENV_N:-a:-b)s|%(ENV_N:-)s",
            "x%(here)s|d|a:-b|",
        ),
        ("日%(here)s本%%語", "日/etc本%語"),
    ];
    for (format, want) in rows {
        assert_eq!(run(format).as_deref(), Ok(want), "{format}");
    }
}

#[test]
fn unknown_names_are_listed_without_values() {
    assert_eq!(
        run("%(foo)s"),
        Err(
            "Format string '%(foo)s' for 's.o' contains names ('foo') which cannot be expanded. \
             Available names: ENV_X, here, n"
                .to_owned()
        )
    );
    assert!(run("%(here:-x)s").is_err_and(|text| text.contains("('here:-x')")));
}

#[test]
fn bad_formats() {
    let rows = [
        ("%", "incomplete format"),
        ("a %(here)", "incomplete format"),
        ("%(here)5.", "incomplete format"),
        ("%(here", "incomplete format key"),
        ("%(he(re)s", "incomplete format key"),
        (
            "%(here)Y",
            "unsupported format character 'Y' (0x59) at index 7",
        ),
        ("é%Y", "unsupported format character 'Y' (0x59) at index 2"),
        (
            "%(here)%",
            "unsupported format character '%' (0x25) at index 7",
        ),
        ("%5%", "unsupported format character '%' (0x25) at index 2"),
        ("%é", "unsupported format character '?' (0xe9) at index 1"),
        ("%d", "%d format: a real number is required, not dict"),
        ("%x", "%x format: an integer is required, not dict"),
        ("%f", "must be real number, not dict"),
        ("%c", "%c requires int or char"),
        ("%(here)d", "%d format: a real number is required, not str"),
        ("%(here)o", "%o format: an integer is required, not str"),
        ("%(here)g", "must be real number, not str"),
        ("%(here)c", "%c requires int or char"),
        ("%(neg)c", "%c arg not in range(0x110000)"),
        ("%*s", "* wants int"),
        ("%(here)*s", "* wants int"),
        ("%(n)*d", "not enough arguments for format string"),
        ("%(n)99999999999999999999d", "width too big"),
        ("%(n)65537d", "width too big"),
        ("%(n).65537d", "precision too big"),
        (
            "date +%s",
            "%s needs a name in parentheses; a percent sign that is meant literally is written %%",
        ),
    ];
    for (format, why) in rows {
        let want = format!(
            "Format string {} for 's.o' is badly formatted: {why}",
            python_repr(format)
        );
        assert_eq!(run(format), Err(want), "{format}");
    }
}

proptest! {
    #[test]
    fn never_panics(format in "(%|\\(|\\)|here|n|[-+ #0]|[0-9]{1,3}|\\.|\\*|[a-zA-Z]|é|\\PC){0,12}") {
        let _ = run(&format);
    }

    #[test]
    fn doubled_percent_signs_round_trip(text in "[^%]{0,8}(%[^%]{0,4}){0,4}") {
        let expanded = run(&text.replace('%', "%%"));
        prop_assert_eq!(expanded, Ok(text));
    }
}
