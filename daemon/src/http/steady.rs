//! A Unix socket that outlasts its file: when that is deleted, by somebody who tidies up `/tmp`, another takes its place.
//! Without that only a restart of everything would let anybody in again.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::io;
use std::os::fd::{AsFd as _, RawFd};
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::unistd::read;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

use super::listen::{Listener, Place, SocketFile, listen_unix};
use super::sockets::{Accepted, Acceptor};
use crate::logs::activity::ActivityLog;
use crate::sys::readiness::{SharedFd, readable};

/// How long a file is gone before another takes its place: who removes it may be about to remove its directory as well.
const PAUSE: Duration = Duration::from_millis(200);

/// How often it is tried to make a socket where that is not possible.
const RETRY: Duration = Duration::from_secs(1);

/// A socket that listens, and its file if it has one; shared by who keeps it open and who accepts what comes.
#[derive(Debug, Clone)]
pub(super) struct Open(Rc<RefCell<Parts>>);

#[derive(Debug)]
struct Parts {
    listener: Listener,
    file: Option<SocketFile>,
}

/// A Unix socket that is made anew when its file has gone.
pub(super) struct Steady {
    open: Open,
    place: Place,
    current: RefCell<Current>,
    /// What has been told of.
    trouble: Cell<Trouble>,
    log: ActivityLog,
}

/// The socket from which connections come.
#[derive(Clone)]
struct Current {
    listener: Rc<UnixListener>,
    /// Readable when something has happened to the file. The system may have no such thing left; then nobody notices.
    watch: Option<Rc<AsyncFd<SharedFd>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Gone,
    /// It cannot be made anew, either.
    Lost,
}

impl Open {
    pub(super) fn new(listener: Listener, file: Option<SocketFile>) -> Self {
        Self(Rc::new(RefCell::new(Parts { listener, file })))
    }

    /// The number of the socket.
    pub(super) fn descriptor(&self) -> RawFd {
        self.0.borrow().listener.descriptor()
    }

    /// Device and inode of the file.
    pub(super) fn identity(&self) -> Option<(u64, u64)> {
        self.0.borrow().file.as_ref().map(SocketFile::identity)
    }

    /// Another handle to the socket, and the file, which is not made anew any more.
    ///
    /// # Errors
    /// No descriptor is left.
    pub(super) fn take(&self) -> io::Result<(Listener, Option<SocketFile>)> {
        let mut parts = self.0.borrow_mut();
        Ok((parts.listener.try_clone()?, parts.file.take()))
    }

    /// Removes the file, if it is still there.
    pub(super) fn remove_file(&self) {
        drop(self.0.borrow_mut().file.take());
    }

    /// There ought to be a file, and is none, or one of somebody else.
    fn is_missing(&self) -> bool {
        let parts = self.0.borrow();
        parts.file.as_ref().is_some_and(|file| !file.is_there())
    }
}

impl Steady {
    /// Around a socket that listens already.
    ///
    /// # Errors
    /// It cannot be handed to the runtime.
    pub(super) fn new(
        listener: std::os::unix::net::UnixListener,
        open: Open,
        place: Place,
        log: ActivityLog,
    ) -> io::Result<Self> {
        let current = Current::of(listener, &place.path)?;
        Ok(Self {
            open,
            place,
            current: RefCell::new(current),
            trouble: Cell::new(Trouble::None),
            log,
        })
    }

    /// Makes the socket anew, or waits a while if that is not possible yet.
    async fn renew(&self) {
        let path = self.place.path.display();
        if self.trouble.get() == Trouble::None {
            self.trouble.set(Trouble::Gone);
            let log = &self.log;
            log.warn(format_args!("the socket {path} is gone, making it anew"));
            sleep(PAUSE).await;
        }
        match self.try_renew() {
            Ok(()) => {
                self.trouble.set(Trouble::None);
                self.log
                    .info(format_args!("the socket {path} is there again"));
            }
            Err(reason) => {
                if self.trouble.replace(Trouble::Lost) != Trouble::Lost {
                    self.log.error(format_args!(
                        "cannot make the socket {path} anew: {reason}; it is tried again every second"
                    ));
                }
                sleep(RETRY).await;
            }
        }
    }

    fn try_renew(&self) -> Result<(), String> {
        let path = &self.place.path;
        if path.symlink_metadata().is_ok() {
            return Err("there is something else in its place".to_owned());
        }
        let (listener, file) = listen_unix(&self.place).map_err(|it| it.to_string())?;
        let described = |error: io::Error| error.to_string();
        let kept = listener.try_clone().map_err(described)?;
        let current = Current::of(listener, path).map_err(described)?;
        // The old socket is closed after the new one has its inode, so that they cannot be taken for each other.
        *self.open.0.borrow_mut() = Parts {
            listener: Listener::Unix(kept, self.place.clone()),
            file: Some(file),
        };
        self.current.replace(current);
        Ok(())
    }
}

impl Acceptor for Steady {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<Accepted<UnixStream>> {
        loop {
            let current = self.current.borrow().clone();
            let accepted = pin!(current.listener.accept());
            let gone = pin!(current.gone(&self.open));
            match select(accepted, gone).await {
                Either::Left((accepted, _)) => return Ok(Accepted::unix(accepted?.0)),
                Either::Right(((), _)) => self.renew().await,
            }
        }
    }
}

impl Current {
    fn of(listener: std::os::unix::net::UnixListener, path: &Path) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener: Rc::new(UnixListener::from_std(listener)?),
            watch: watch(path).ok().map(Rc::new),
        })
    }

    /// Returns when the file is not there any more.
    async fn gone(&self, open: &Open) {
        while !open.is_missing() {
            let Some(watch) = &self.watch else {
                return pending().await;
            };
            // What happened does not matter: a look tells.
            let seen = watch.async_io(Interest::READABLE, |fd| Ok(read(&fd.0, &mut [0; 1024])?));
            if seen.await.is_err() {
                return pending().await;
            }
        }
    }
}

/// Watches a file for changes of its names.
fn watch(path: &Path) -> io::Result<AsyncFd<SharedFd>> {
    let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
    let flags =
        AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF;
    match watch.add_watch(path, flags) {
        // Gone already: the first look tells.
        Ok(_) | Err(Errno::ENOENT) => {}
        Err(errno) => return Err(errno.into()),
    }
    readable(SharedFd(Rc::new(watch.as_fd().try_clone_to_owned()?)))
}
