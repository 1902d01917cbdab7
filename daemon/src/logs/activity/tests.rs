use std::fs;
use std::path::PathBuf;

use super::*;

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("supervisord.log");
    (directory, path)
}

fn open(log: &ActivityLog, path: &Path, level: LogLevel) -> io::Result<()> {
    log.open(&Settings {
        target: &model::ActivityLog::File(path.to_owned()),
        rotation: Rotation::NEVER,
        level,
        mirror: false,
    })
}

/// The log without its time stamps, whose form is checked on the way.
fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let unstamped = text.lines().map(|line| {
        let form: String = line
            .chars()
            .take(24)
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        assert_eq!(form, "0000-00-00 00:00:00,000 ", "{line}");
        line[24..].to_owned()
    });
    unstamped.collect()
}

#[test]
fn levels_have_four_letters_and_quiet_ones_are_dropped() {
    let (_directory, path) = place();
    let log = ActivityLog::holding();
    open(&log, &path, LogLevel::Debug).unwrap();
    log.critical("c");
    log.error("e");
    log.warn("w");
    log.info("i");
    log.debug(format_args!("{}", "d"));
    log.trace("t");
    log.blather("b");
    assert_eq!(
        lines(&path),
        ["CRIT c", "ERRO e", "WARN w", "INFO i", "DEBG d"]
    );
    assert!(log.enabled(LogLevel::Debug) && !log.enabled(LogLevel::Trace));
}

#[test]
fn held_messages_come_first_and_by_weight() {
    let (_directory, path) = place();
    let log = ActivityLog::holding();
    let clone = log.clone();
    clone.info("first");
    clone.warn("odd");
    clone.info("second");
    clone.critical("root");
    clone.debug("too quiet");
    open(&log, &path, LogLevel::Info).unwrap();
    clone.info("open");
    let expected = [
        "CRIT root",
        "WARN odd",
        "INFO first",
        "INFO second",
        "INFO open",
    ];
    assert_eq!(lines(&path), expected);
}

#[test]
fn only_the_first_line_of_a_message_is_stamped() {
    let (_directory, path) = place();
    let log = ActivityLog::holding();
    open(&log, &path, LogLevel::Info).unwrap();
    log.info("one\ntwö");
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .ends_with(" INFO one\ntwö\n")
    );
}

#[test]
fn an_error_when_opening_keeps_what_was_held() {
    let (directory, path) = place();
    let log = ActivityLog::holding();
    log.info("early");
    assert!(open(&log, &directory.path().join("no/such/dir"), LogLevel::Info).is_err());
    open(&log, &path, LogLevel::Info).unwrap();
    assert_eq!(lines(&path), ["INFO early"]);
}

#[test]
fn reopening_clearing_and_closing() {
    let (directory, path) = place();
    let moved = directory.path().join("moved");
    let log = ActivityLog::holding();
    open(&log, &path, LogLevel::Info).unwrap();
    let follower = log.subscribe();
    log.info("one");
    assert!(follower.has_changed().unwrap());
    fs::rename(&path, &moved).unwrap();
    log.reopen().unwrap();
    log.info("two");
    assert_eq!(
        (lines(&moved), lines(&path)),
        (vec!["INFO one".into()], vec!["INFO two".into()])
    );
    log.clear().unwrap();
    log.info("three");
    assert_eq!(lines(&path), ["INFO three"]);
    log.close();
    log.info("four");
    assert!(!log.flush());
    assert_eq!(lines(&path), ["INFO three"]);
}

#[test]
fn a_full_disk_does_not_stop_anybody() {
    let log = ActivityLog::holding();
    open(&log, Path::new("/dev/full"), LogLevel::Info).unwrap();
    for _ in 0..3 {
        log.info("nobody will read this");
    }
}

#[test]
fn every_line_in_the_system_log_is_stamped_and_keeps_its_newline() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let logger = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let log = ActivityLog::holding();
    log.0.output.borrow_mut().sink = Sink::Syslog(Syslog::at(path));
    log.debug("'cat' stdout output:\none\n\n");
    for expected in ["DEBG 'cat' stdout output:\n", "DEBG one\n"] {
        let mut buffer = [0; 256];
        let length = logger.recv(&mut buffer).unwrap();
        let datagram = std::str::from_utf8(&buffer[..length]).unwrap();
        let (header, line) = datagram.split_once(" supervisord: ").unwrap();
        assert!(header.starts_with("<14>"), "{datagram}");
        assert_eq!(&line["2026-11-21 11:19:25,374 ".len()..], expected);
    }
}
