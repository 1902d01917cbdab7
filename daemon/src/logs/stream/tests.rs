use std::io::Read;
use std::os::unix::net::UnixStream;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use proptest::prelude::*;

use std::time::Duration;

use super::*;

/// A stream into a pipe, by either way of not waiting, and the pipe's other end.
fn pipe(caution: Caution) -> (File, Stream) {
    let (read, write) = pipe2(OFlag::O_CLOEXEC).unwrap();
    if caution == Caution::NonBlocking {
        crate::sys::fds::set_nonblocking(write.as_fd()).unwrap();
    }
    let read: File = read.into();
    (
        read,
        Stream {
            fd: write,
            caution,
            queue: VecDeque::new(),
        },
    )
}

fn read_some(reader: &mut File) -> Vec<u8> {
    let mut buffer = vec![0; 100_000];
    let length = reader.read(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

#[test]
fn a_reader_that_does_not_read_costs_the_overflow_only() {
    for caution in [Caution::NonBlocking, Caution::Ask] {
        let (mut reader, mut stream) = pipe(caution);
        let data: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        stream.write(&data).unwrap();
        assert!(stream.has_pending(), "a pipe takes less than that");
        stream.write(&data).unwrap();
        stream.write(&data).unwrap();
        let loss = stream.write(&data).unwrap_err();
        assert_eq!(loss.error.kind(), ErrorKind::WouldBlock);
        let kept = 400_000 - usize::try_from(loss.bytes).unwrap();
        assert!(
            (QUEUE_BYTES..QUEUE_BYTES + 128 * 1024).contains(&kept),
            "{kept}"
        );
        let mut received = Vec::new();
        while stream.has_pending() {
            received.extend(read_some(&mut reader));
            stream.flush().unwrap();
        }
        drop(stream);
        reader.read_to_end(&mut received).unwrap();
        assert!(received == data.repeat(4)[..kept], "in order and whole");
    }
}

#[test]
fn a_reader_that_has_gone_is_an_error() {
    for caution in [Caution::NonBlocking, Caution::Ask] {
        let (reader, mut stream) = pipe(caution);
        stream.write(&[b'x'; 200_000]).unwrap();
        let queued = stream.queue.len() as u64;
        drop(reader);
        let loss = stream.write(b"abc").unwrap_err();
        assert_eq!(loss.error.kind(), ErrorKind::BrokenPipe);
        assert_eq!(loss.bytes, queued + 3);
        assert!(!stream.has_pending());
    }
}

#[test]
fn a_shared_socket_is_written_without_waiting() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut stream = Stream::shared(ours.into());
    stream.write(&vec![b'x'; 1_000_000]).unwrap_err();
    assert!(stream.has_pending());
    let mut buffer = [0; 1000];
    assert_eq!(theirs.read(&mut buffer).unwrap(), 1000);
}

#[test]
fn lingering_delivers_what_a_reader_still_takes() {
    let (mut reader, mut stream) = pipe(Caution::NonBlocking);
    stream.write(&[b'x'; 200_000]).unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        all.len()
    });
    stream.linger(Instant::now() + Duration::from_secs(60));
    drop(stream);
    assert_eq!(reader.join().unwrap(), 200_000);
}

#[test]
fn lingering_ends_at_the_deadline() {
    let (reader, mut stream) = pipe(Caution::NonBlocking);
    stream.write(&[b'x'; 200_000]).unwrap();
    stream.linger(Instant::now() + Duration::from_millis(5));
    assert!(stream.has_pending());
    drop(reader);
}

#[test]
fn only_the_names_of_standard_output_and_error_are_standard() {
    for (name, standard) in [
        ("/dev/stdout", true),
        ("/dev/stderr", true),
        ("/dev/fd/1", true),
        ("/proc/self/fd/2", true),
        ("/dev/fd/7", false),
        ("/dev/null", false),
        ("stdout", false),
    ] {
        assert_eq!(
            Stream::standard(Path::new(name)).is_some(),
            standard,
            "{name}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_is_reordered(sizes in prop::collection::vec((1_usize..50_000, any::<bool>()), 1..12)) {
        let (mut reader, mut stream) = pipe(Caution::NonBlocking);
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        for (size, read) in sizes {
            let data: Vec<u8> = (sent.len()..sent.len() + size).map(|n| (n / 7) as u8).collect();
            if QUEUE_BYTES - stream.queue.len() < size {
                break;
            }
            stream.write(&data).unwrap();
            sent.extend(data);
            if read {
                received.extend(read_some(&mut reader));
            }
        }
        while stream.has_pending() {
            stream.flush().unwrap();
            received.extend(read_some(&mut reader));
        }
        drop(stream);
        reader.read_to_end(&mut received).unwrap();
        prop_assert!(received == sent);
    }
}
