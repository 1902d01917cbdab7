use std::collections::HashSet;
use std::path::Path;

use super::*;

#[test]
fn every_option_of_a_section_has_one_row() {
    let mut seen = HashSet::new();
    for row in rows() {
        let about = row.about();
        for section in about.sections {
            assert!(
                seen.insert((section.written(), about.key)),
                "{} twice",
                about.key
            );
        }
        assert!(
            !about.sections.is_empty() && about.prose.ends_with('.'),
            "{}",
            about.key
        );
        assert!(
            !row.type_name().is_empty() && !row.accepts().is_empty(),
            "{}",
            about.key
        );
    }
}

#[test]
fn defaults_are_values_of_their_types() {
    for row in rows() {
        if let Absent::Default(text) = row.about().absent {
            assert_eq!(
                row.check(text, Path::new("/"), None),
                Ok(()),
                "{}",
                row.about().key
            );
        }
    }
}

#[test]
fn flags_are_unique() {
    let mut letters = HashSet::from(['c', 'h', 'v', '?']);
    for flag in rows().filter_map(|row| row.about().flag) {
        assert!(
            flag.short.is_none_or(|letter| letters.insert(letter)),
            "{flag:?}"
        );
        assert!(!flag.help.is_empty());
    }
}

#[test]
fn sections_are_known_by_name_or_beginning() {
    let rows = [
        ("supervisord", Some(SectionKind::Supervisord)),
        ("supervisorctl", Some(SectionKind::Supervisorctl)),
        ("inet_http_server:2", Some(SectionKind::InetHttpServer)),
        ("unix_http_server2", Some(SectionKind::UnixHttpServer)),
        ("program:x", Some(SectionKind::Program)),
        ("fcgi-program:", Some(SectionKind::FcgiProgram)),
        ("Program:x", None),
        (" program:x", None),
        ("program", None),
        ("includes", None),
    ];
    for (name, want) in rows {
        assert_eq!(SectionKind::of(name), want, "{name}");
    }
}
