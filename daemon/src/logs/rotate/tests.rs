use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use nix::sys::stat::Mode;
use proptest::prelude::*;

use super::*;

/// A directory and the path of a log in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f.log");
    (directory, path)
}

fn written(outcome: Outcome) {
    assert!(matches!(outcome, Outcome::Written), "{outcome:?}");
}

/// What the log and its backups hold, the newest first; `None` for a missing one.
fn contents(path: &Path, backups: u32) -> Vec<Option<String>> {
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let numbered = (1..=backups).map(|number| read(numbered(path, number)));
    [read(path.to_owned())]
        .into_iter()
        .chain(numbered)
        .collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn a_full_file_moves_up_after_the_write_that_filled_it() {
    let (_directory, path) = place();
    let mut log = RotatingFile::open(&path, Rotation::new(10, 2)).unwrap();
    let rows = [
        ("123456789", vec![Some("123456789".into()), None, None]),
        (
            "abcdef",
            vec![Some(String::new()), Some("123456789abcdef".into()), None],
        ),
        ("0123456789", some(&["", "0123456789", "123456789abcdef"])),
        ("x", some(&["x", "0123456789", "123456789abcdef"])),
        ("yyyyyyyyy", some(&["", "xyyyyyyyyy", "0123456789"])),
    ];
    for (data, expected) in rows {
        written(log.write(data.as_bytes()));
        assert_eq!(contents(&path, 2), expected, "after {data}");
    }
    assert!(!numbered(&path, 3).exists());
}

#[test]
fn an_existing_file_counts() {
    let (_directory, path) = place();
    fs::write(&path, "12345678").unwrap();
    let mut log = RotatingFile::open(&path, Rotation::new(10, 1)).unwrap();
    written(log.write(b"9a"));
    assert_eq!(contents(&path, 1), some(&["", "123456789a"]));
}

#[test]
fn without_backups_the_file_is_emptied() {
    let (_directory, path) = place();
    let mut log = RotatingFile::open(&path, Rotation::new(3, 0)).unwrap();
    for _ in 0..3 {
        written(log.write(b"four"));
        assert_eq!(contents(&path, 1), vec![Some(String::new()), None]);
    }
}

#[test]
fn without_a_limit_the_file_only_grows() {
    for maxbytes in [0, -1] {
        let (_directory, path) = place();
        let mut log = RotatingFile::open(&path, Rotation::new(maxbytes, 5)).unwrap();
        written(log.write(&[b'x'; 100_000]));
        assert_eq!(fs::metadata(&path).unwrap().len(), 100_000);
        assert!(!numbered(&path, 1).exists());
    }
}

#[test]
fn a_file_taken_away_is_opened_again_when_it_is_full() {
    let (_directory, path) = place();
    let mut log = RotatingFile::open(&path, Rotation::new(4, 2)).unwrap();
    fs::remove_file(&path).unwrap();
    written(log.write(b"lost"));
    written(log.write(b"new"));
    assert_eq!(contents(&path, 2), vec![Some("new".into()), None, None]);
}

#[test]
fn a_second_writer_does_not_rotate_once_more() {
    let (_directory, path) = place();
    let mut stdout = RotatingFile::open(&path, Rotation::new(4, 2)).unwrap();
    let mut stderr = RotatingFile::open(&path, Rotation::new(4, 2)).unwrap();
    written(stderr.write(b"err"));
    written(stdout.write(b"out!"));
    written(stderr.write(b"more"));
    written(stderr.write(b"end"));
    assert_eq!(
        contents(&path, 2),
        vec![Some("end".into()), Some("errout!more".into()), None]
    );
}

#[test]
fn reopening_follows_the_path_and_keeps_what_was_moved() {
    let (directory, path) = place();
    let moved = directory.path().join("moved");
    let mut log = RotatingFile::open(&path, Rotation::NEVER).unwrap();
    written(log.write(b"before"));
    fs::rename(&path, &moved).unwrap();
    written(log.write(b" still"));
    log.reopen().unwrap();
    written(log.write(b"after"));
    assert_eq!(fs::read_to_string(moved).unwrap(), "before still");
    assert_eq!(fs::read_to_string(path).unwrap(), "after");
}

#[test]
fn clearing_starts_a_new_file_and_keeps_backups() {
    let (_directory, path) = place();
    let mut log = RotatingFile::open(&path, Rotation::new(4, 1)).unwrap();
    written(log.write(b"full"));
    written(log.write(b"xx"));
    log.clear().unwrap();
    assert_eq!(contents(&path, 1), some(&["", "full"]));
    written(log.write(b"yyy"));
    assert_eq!(
        contents(&path, 1),
        some(&["yyy", "full"]),
        "counting starts again"
    );
    log.clear().unwrap();
    assert!(path.exists());
}

#[test]
fn the_log_of_a_stopped_process_is_emptied_and_nothing_else_is_touched() {
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("log"), directory.path().join("link"));
    clear_path(&file).unwrap();
    assert!(!file.exists());
    fs::write(&file, "text").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    clear_path(&link).unwrap();
    assert_eq!(fs::read_to_string(&link).unwrap(), "text");
    clear_path(&file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
}

#[test]
fn new_files_have_the_mode_asked_for() {
    let (_directory, path) = place();
    let mut log =
        RotatingFile::open_with(&path, Rotation::new(1, 1), 0o600, Changes::default()).unwrap();
    written(log.write(b"x"));
    for path in [path.clone(), numbered(&path, 1)] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_full_disk_is_reported_once() {
    let mut log = RotatingFile::open(Path::new("/dev/full"), Rotation::new(10, 3)).unwrap();
    assert!(matches!(log.write(b"one"), Outcome::Failed(_)));
    assert!(matches!(log.write(b"two"), Outcome::StillFailing));
    assert!(!Path::new("/dev/full.1").exists());
}

#[test]
fn writing_resumes_and_tells_what_was_lost() {
    let (directory, path) = place();
    let mut log = RotatingFile::open(&path, Rotation::NEVER).unwrap();
    // A file that is open for reading only refuses writes.
    let Target::File(regular) = &mut log.target else {
        panic!()
    };
    regular.file = File::open(directory.path()).unwrap();
    assert!(matches!(log.write(b"one"), Outcome::Failed(_)));
    assert!(matches!(log.write(b"twotwo"), Outcome::StillFailing));
    log.reopen().unwrap();
    assert!(matches!(log.write(b"three"), Outcome::Resumed { lost: 9 }));
    written(log.write(b"four"));
    assert_eq!(fs::read_to_string(path).unwrap(), "threefour");
}

#[test]
fn a_rotation_that_fails_is_reported_once_costs_no_data_and_is_not_tried_at_every_write() {
    let (_directory, path) = place();
    // A directory that is not empty cannot be renamed over by a file.
    fs::create_dir_all(numbered(&path, 1).join("in the way")).unwrap();
    let mut log = RotatingFile::open(&path, Rotation::new(4, 1)).unwrap();
    assert!(matches!(log.write(b"full"), Outcome::Unrotated(_)));
    written(log.write(b"x"));
    written(log.write(b"full"));
    fs::remove_dir_all(numbered(&path, 1)).unwrap();
    written(log.write(b"y"));
    assert!(matches!(log.write(b"yyy"), Outcome::Rotates));
    assert_eq!(contents(&path, 1), some(&["", "fullxfullyyyy"]));
    written(log.write(b"next"));
    assert_eq!(contents(&path, 1), some(&["", "next"]));
}

#[test]
fn a_big_old_backup_goes_away() {
    let (_directory, path) = place();
    let mut log = RotatingFile::open(&path, Rotation::new(SLOW_TO_FREE as i64, 1)).unwrap();
    let data = vec![b'x'; SLOW_TO_FREE as usize];
    written(log.write(&data));
    written(log.write(&data));
    assert_eq!(
        fs::metadata(numbered(&path, 1)).unwrap().len(),
        SLOW_TO_FREE
    );
}

#[test]
fn what_is_no_file_never_rotates() {
    let (directory, _) = place();
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    assert!(
        RotatingFile::open(&fifo, Rotation::NEVER).is_err(),
        "nobody reads it"
    );
    let mut reader = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&fifo)
        .unwrap();
    let mut log = RotatingFile::open(&fifo, Rotation::new(2, 2)).unwrap();
    written(log.write(b"hello"));
    log.reopen().unwrap();
    log.clear().unwrap();
    written(log.write(b" you"));
    let mut text = [0; 20];
    assert_eq!(io::Read::read(&mut reader, &mut text).unwrap(), 9);
    assert!(!numbered(&fifo, 1).exists());
    let socket = directory.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    assert!(RotatingFile::open(&socket, Rotation::NEVER).is_err());
}

#[test]
fn followers_are_woken_by_writes_and_clears() {
    let (_directory, path) = place();
    let changes = Changes::default();
    let mut follower = changes.subscribe();
    let open = || RotatingFile::open_with(&path, Rotation::NEVER, 0o666, changes.clone()).unwrap();
    let mut log = open();
    assert!(!follower.has_changed().unwrap());
    written(log.write(b"x"));
    assert!(follower.has_changed().unwrap());
    follower.mark_unchanged();
    log.clear().unwrap();
    assert!(follower.has_changed().unwrap());
    drop(log);
    follower.mark_unchanged();
    written(open().write(b"the next run of the process"));
    assert!(follower.has_changed().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_byte_is_lost_between_files(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..30),
        maxbytes in 1_u64..60,
    ) {
        let (_directory, path) = place();
        let rotation = Rotation { maxbytes, backups: 40 };
        let mut log = RotatingFile::open(&path, rotation).unwrap();
        for chunk in &chunks {
            written(log.write(chunk));
            prop_assert!(fs::metadata(&path).unwrap().len() < maxbytes);
        }
        let files = (1..=40).rev().map(|number| numbered(&path, number)).chain([path.clone()]);
        let found: Vec<u8> = files.filter_map(|file| fs::read(file).ok()).flatten().collect();
        prop_assert_eq!(found, chunks.concat());
    }
}

#[test]
fn a_file_that_cannot_be_opened_again_is_tried_until_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let (here, gone) = (directory.path().join("here"), directory.path().join("gone"));
    fs::create_dir(&here).unwrap();
    let path = here.join("log");
    let mut file = RotatingFile::open(&path, Rotation::NEVER).unwrap();
    fs::rename(&here, &gone).unwrap();
    assert!(file.reopen().is_err());
    assert!(matches!(file.write(b"kept\n"), Outcome::Written));
    fs::create_dir(&here).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !matches!(file.write(b"x\n"), Outcome::Reopened) {
        assert!(Instant::now() < deadline, "it is never tried again");
        thread::yield_now();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "x\n");
    let before = fs::read_to_string(gone.join("log")).unwrap();
    assert!(before.starts_with("kept\n"));
}

#[test]
fn clearing_leaves_the_old_file_to_those_who_have_it() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("log"), directory.path().join("link"));
    let mut file = RotatingFile::open(&path, Rotation::NEVER).unwrap();
    assert!(matches!(file.write(b"old"), Outcome::Written));
    fs::hard_link(&path, &link).unwrap();
    file.clear().unwrap();
    assert!(matches!(file.write(b"new"), Outcome::Written));
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::read_to_string(&link).unwrap(), "old");
}
