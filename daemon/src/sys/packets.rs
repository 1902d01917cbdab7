//! Packets between two processes, with descriptors beside them: unix(7), SOCK_SEQPACKET.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, setsockopt, socketpair, sockopt,
};

/// So many descriptors can go with a packet: SCM_MAX_FD.
pub const MOST_DESCRIPTORS: usize = 253;

/// How much may be on its way, in bytes, as far as the kernel lets us.
const ON_ITS_WAY: usize = 4 * 1024 * 1024;

/// A connection; neither end waits.
///
/// # Errors
/// No descriptor is left.
pub fn pair() -> nix::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let ends = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    for end in [&ends.0, &ends.1] {
        // The first one is for those who may have more than others.
        if setsockopt(end, sockopt::SndBufForce, &ON_ITS_WAY).is_err() {
            let _ = setsockopt(end, sockopt::SndBuf, &ON_ITS_WAY);
        }
    }
    Ok(ends)
}

/// Sends a packet without waiting.
///
/// # Errors
/// EAGAIN, or ETOOMANYREFS for descriptors, as long as too much is on its way; EPIPE when the other
/// end is closed.
pub fn send(socket: BorrowedFd<'_>, packet: &[u8], descriptors: &[RawFd]) -> nix::Result<()> {
    let parts = [IoSlice::new(packet)];
    let rights = [ControlMessage::ScmRights(descriptors)];
    let beside = match descriptors {
        [] => &rights[..0],
        _ => &rights,
    };
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    loop {
        match sendmsg::<()>(socket.as_raw_fd(), &parts, beside, flags, None) {
            Err(Errno::EINTR) => {}
            sent => return sent.map(drop),
        }
    }
}

/// Takes the next packet without waiting, and the descriptors that came with it; `None` at the end.
///
/// # Errors
/// EAGAIN when there is none; ECONNRESET when the other end was closed before it had read all.
pub fn receive<'a>(
    socket: BorrowedFd<'_>,
    buffer: &'a mut [u8],
) -> nix::Result<Option<(&'a [u8], Vec<OwnedFd>)>> {
    let mut beside = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let (length, descriptors) = loop {
        let mut parts = [IoSliceMut::new(buffer)];
        let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut beside), flags);
        match message {
            Ok(message) => {
                let rights = message.cmsgs()?.flat_map(|beside| match beside {
                    ControlMessageOwned::ScmRights(numbers) => numbers,
                    _ => Vec::new(),
                });
                // SAFETY: the kernel has just made them for us, and nobody else knows of them.
                let owned = rights.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
                break (message.bytes, owned.collect());
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    };
    Ok((length > 0).then_some((&buffer[..length], descriptors)))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsFd as _;

    use nix::fcntl::{FcntlArg, FdFlag, fcntl};

    use super::*;
    use crate::sys::fds;

    #[test]
    fn packets_stay_apart_and_bring_descriptors() {
        let (ours, theirs) = pair().unwrap();
        let pipe = fds::output_pipe().unwrap();
        send(ours.as_fd(), b"one", &[pipe.theirs.as_raw_fd()]).unwrap();
        send(ours.as_fd(), b"two", &[]).unwrap();
        let mut buffer = [0; 16];
        let (packet, mut descriptors) = receive(theirs.as_fd(), &mut buffer).unwrap().unwrap();
        assert_eq!(packet, b"one");
        let came = descriptors.pop().unwrap();
        let flags = fcntl(&came, FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags, FdFlag::FD_CLOEXEC.bits());
        drop(pipe.theirs);
        File::from(came).write_all(b"x").unwrap();
        assert_eq!(File::from(pipe.ours).read(&mut [0; 4]).unwrap(), 1);
        let (packet, descriptors) = receive(theirs.as_fd(), &mut buffer).unwrap().unwrap();
        assert_eq!((packet, descriptors.len()), (&b"two"[..], 0));
        assert_eq!(
            receive(theirs.as_fd(), &mut buffer).unwrap_err(),
            Errno::EAGAIN
        );
        drop(ours);
        assert!(receive(theirs.as_fd(), &mut buffer).unwrap().is_none());
        assert_eq!(send(theirs.as_fd(), b"x", &[]), Err(Errno::EPIPE));
    }

    #[test]
    fn nobody_waits_for_one_who_does_not_listen() {
        let (ours, _theirs) = pair().unwrap();
        let packet = [0; 32 * 1024];
        let sent = (0..10_000).find_map(|_| send(ours.as_fd(), &packet, &[]).err());
        assert_eq!(sent, Some(Errno::EAGAIN));
    }
}
