//! Listening sockets, bound before the daemon leaves the terminal, so that every failure still has a reader.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::{fs, process};

use config::model::{ServerAddress, ServerConfig};
use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, UnixAddr, bind, listen,
    setsockopt, socket, sockopt,
};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, Uid, User, fchownat, geteuid};

use super::auth::{Accounts, BadPassword, Gate};
use super::guard::Guard;
use super::tls::{Certificate, TlsError};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// The bits of a mode that chmod(2) sets.
const ALL_BITS: u32 = 0o7777;

/// How often a stale socket file is removed before giving up: somebody else keeps creating it.
const ATTEMPTS: usize = 10;

/// A server section whose socket listens.
#[derive(Debug)]
pub struct BoundServer {
    /// The section's name.
    pub(super) section: String,
    pub(super) listener: Listener,
    /// With TLS.
    pub(super) certificate: Option<Certificate>,
    pub(super) gate: Gate,
    pub(super) guard: Guard,
    /// Removed together with the server.
    pub(super) file: Option<SocketFile>,
}

/// By what a server and its clients know each other.
#[derive(Debug)]
pub(super) struct Trust {
    certificate: Option<Certificate>,
    gate: Gate,
}

impl Trust {
    /// That of a section, its files read.
    pub(super) fn of(server: &ServerConfig, accounts: &Accounts) -> Result<Self, BindError> {
        let gate = Gate::new(accounts, &server.section, server.credentials.as_ref())?;
        let files = server.tls.as_ref();
        let certificate = files.map(|files| Certificate::load(&server.section, files));
        Ok(Self {
            certificate: certificate.transpose()?,
            gate,
        })
    }
}

#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Place),
}

/// Where a Unix socket is, and how.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    mode: u32,
    owner: Option<(Uid, Option<Gid>)>,
}

impl Place {
    /// As the configuration has it.
    pub(super) fn new(path: &Path, mode: u32, owner: Option<(Uid, Option<Gid>)>) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            owner,
        }
    }
}

impl Listener {
    /// Another handle to the same socket.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener, place) => Self::Unix(listener.try_clone()?, place.clone()),
        })
    }

    /// The number of the socket.
    pub(super) fn descriptor(&self) -> RawFd {
        match self {
            Self::Tcp(listener) => listener.as_raw_fd(),
            Self::Unix(listener, _) => listener.as_raw_fd(),
        }
    }
}

/// Why a server cannot listen, in Supervisor's words.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error(
        "Another program is already listening on a port that one of our HTTP servers is configured to use.  \
         Shut this program down first before starting supervisord."
    )]
    InUse,
    /// Anything else that the system refuses.
    #[error("Cannot open an HTTP server: socket.error reported errno.{0:?} ({code})", code = *.0 as i32)]
    Refused(Errno),
    /// The host has no address; the number is getaddrinfo's.
    #[error("Cannot open an HTTP server: socket.error reported {0}")]
    Unresolved(i32),
    /// The path of a socket, or its temporary one, is longer than the system allows.
    #[error("Cannot open an HTTP server: socket.error reported AF_UNIX path too long")]
    PathTooLong,
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The password of somebody who may log in.
    #[error(transparent)]
    Password(#[from] BadPassword),
    /// The socket file may not be given away.
    #[error(
        "Not permitted to chown {path} to uid/gid ({uid}, {gid}); adjust \"sockchown\" value in config file or on \
         command line to values that the current user ({user}) can successfully chown"
    )]
    Chown {
        /// The socket file.
        path: String,
        /// The wanted owner.
        uid: Uid,
        /// The wanted group, -1 for none.
        gid: i64,
        /// Who we are.
        user: String,
    },
}

impl BindError {
    pub(super) fn from_io(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::AddrInUse => Self::InUse,
            _ => Self::from_errno(Errno::from_raw(error.raw_os_error().unwrap_or(0))),
        }
    }

    fn from_errno(errno: Errno) -> Self {
        match errno {
            Errno::EADDRINUSE => Self::InUse,
            Errno::ENAMETOOLONG => Self::PathTooLong,
            errno => Self::Refused(errno),
        }
    }
}

impl BoundServer {
    /// Reads what one section needs and opens its socket.
    pub(super) fn open(server: &ServerConfig, accounts: &Accounts) -> Result<Self, BindError> {
        let trust = Trust::of(server, accounts)?;
        let (listener, file) = match &server.address {
            ServerAddress::Inet { host, port } => (Listener::Tcp(listen_tcp(host, *port)?), None),
            ServerAddress::Unix { path, mode, owner } => {
                let place = Place::new(path, *mode, *owner);
                let (listener, file) = listen_unix(&place)?;
                (Listener::Unix(listener, place), Some(file))
            }
        };
        Ok(Self::around(server, trust, listener, file))
    }

    /// The server of a section with its socket.
    pub(super) fn around(
        server: &ServerConfig,
        Trust { certificate, gate }: Trust,
        listener: Listener,
        file: Option<SocketFile>,
    ) -> Self {
        Self {
            section: server.section.clone(),
            listener,
            certificate,
            guard: Guard::new(server, gate.is_open()),
            gate,
            file,
        }
    }

    /// Closes this process's copy of the socket and leaves its file: another process serves it.
    pub fn abandon(mut self) {
        std::mem::forget(self.file.take());
    }
}

fn listen_tcp(host: &str, port: u16) -> Result<TcpListener, BindError> {
    if !host.is_empty() {
        return listen_at(resolve(host, port)?).map_err(BindError::from_errno);
    }
    match listen_at((Ipv6Addr::UNSPECIFIED, port).into()) {
        // A system without IPv6.
        Err(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) => {
            listen_at((Ipv4Addr::UNSPECIFIED, port).into()).map_err(BindError::from_errno)
        }
        other => other.map_err(BindError::from_errno),
    }
}

/// The address of a host, by preference an IPv4 one, as that is what Supervisor listens on.
fn resolve(host: &str, port: u16) -> Result<SocketAddr, BindError> {
    let addresses: Vec<_> = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Err(BindError::Unresolved(getaddrinfo_code(&error))),
    };
    let preferred = addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or(addresses.first());
    preferred
        .copied()
        .ok_or(BindError::Unresolved(libc::EAI_NONAME))
}

/// The standard library keeps getaddrinfo's text but not its number.
fn getaddrinfo_code(error: &io::Error) -> i32 {
    match error.to_string().contains("emporary failure") {
        true => libc::EAI_AGAIN,
        false => libc::EAI_NONAME,
    }
}

fn listen_at(address: SocketAddr) -> Result<TcpListener, Errno> {
    let family = if address.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let fd = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    if address.is_ipv6() {
        // Every interface means the IPv4 ones as well, whatever the system's default.
        setsockopt(&fd, sockopt::Ipv6V6Only, &false)?;
    }
    bind(fd.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&fd, Backlog::new(BACKLOG)?)?;
    Ok(fd.into())
}

/// Makes the socket under a temporary name and links it into place, so that it appears with its owner and mode and never
/// replaces a socket that somebody listens on.
pub(super) fn listen_unix(place: &Place) -> Result<(UnixListener, SocketFile), BindError> {
    let path = &place.path;
    let temporary = TemporaryName::of(path);
    for _ in 0..ATTEMPTS {
        let listener = temporary.listen(place)?;
        match fs::hard_link(&temporary.0, path) {
            Ok(()) => {
                let file = SocketFile::of(path).map_err(|error| BindError::from_io(&error))?;
                return Ok((listener, file));
            }
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(BindError::from_io(&error));
            }
            Err(_) if is_alive(path) => return Err(BindError::InUse),
            Err(_) => remove_stale(path).map_err(|error| BindError::from_io(&error))?,
        }
    }
    Err(BindError::InUse)
}

/// `<path>.<pid>`, removed when it is no longer needed.
struct TemporaryName(PathBuf);

impl TemporaryName {
    fn of(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", process::id()));
        Self(name.into())
    }

    fn listen(&self, place: &Place) -> Result<UnixListener, BindError> {
        // Usually there is nothing to remove.
        let _ = fs::remove_file(&self.0);
        let fd = self
            .bind(place.mode)
            .map_err(|error| BindError::from_io(&error))?;
        let file = self.hold().map_err(|error| BindError::from_io(&error))?;
        give_away(&file, place)?;
        self.complete(&file, place.mode)
            .map_err(|error| BindError::from_io(&error))?;
        // Until now nobody could connect.
        listen(&fd, Backlog::new(BACKLOG).map_err(BindError::from_errno)?)
            .map_err(BindError::from_errno)?;
        Ok(fd.into())
    }

    /// The file gets the mode less the umask.
    fn bind(&self, mode: u32) -> io::Result<OwnedFd> {
        let (family, kind) = (AddressFamily::Unix, SockType::Stream);
        let fd = socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
        fchmod(&fd, Mode::from_bits_truncate(mode))?;
        bind(fd.as_raw_fd(), &UnixAddr::new(&self.0)?)?;
        Ok(fd)
    }

    /// The file that was made: where others may write to the directory, its name may soon mean another one.
    fn hold(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let flags = libc::O_PATH | libc::O_NOFOLLOW;
        let file = options.read(true).custom_flags(flags).open(&self.0)?;
        match file.metadata()?.file_type().is_socket() {
            true => Ok(file),
            false => Err(Errno::EEXIST.into()),
        }
    }

    /// Adds what the umask has taken away.
    fn complete(&self, file: &File, mode: u32) -> io::Result<()> {
        if file.metadata()?.mode() & ALL_BITS == mode & ALL_BITS {
            return Ok(());
        }
        let permissions = fs::Permissions::from_mode(mode);
        let held = format!("/proc/self/fd/{}", file.as_raw_fd());
        // Without /proc there is only the name.
        fs::set_permissions(held, permissions.clone())
            .or_else(|_| fs::set_permissions(&self.0, permissions))
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Whether somebody listens at `path`. One that accepts and says nothing, or is too busy to accept,
/// lives, too: only a refused connection proves the file stale.
fn is_alive(path: &Path) -> bool {
    match UnixStream::connect(path) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// Supervisor says so and tries for ever, even where the file cannot be removed, a directory for one.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        // Done, by us or somebody else.
        Ok(()) | Err(_) => {}
    }
    // Without a reader of stderr nothing is lost.
    let _ = writeln!(io::stderr(), "Unlinking stale socket {}", path.display());
    Ok(())
}

fn give_away(file: &File, place: &Place) -> Result<(), BindError> {
    let Some((uid, gid)) = place.owner else {
        return Ok(());
    };
    match fchownat(file, "", Some(uid), gid, AtFlags::AT_EMPTY_PATH) {
        Ok(()) => Ok(()),
        Err(Errno::EPERM) => Err(BindError::Chown {
            path: place.path.display().to_string(),
            uid,
            gid: gid.map_or(-1, |gid| gid.as_raw().into()),
            user: own_name(),
        }),
        Err(errno) => Err(BindError::Refused(errno)),
    }
}

fn own_name() -> String {
    let uid = geteuid();
    let user = User::from_uid(uid).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

/// A socket file, removed on drop if it is still the one we made.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// One that another daemon has made; its device and inode.
    pub(super) fn known(path: &Path, (device, inode): (u64, u64)) -> Self {
        Self {
            path: path.to_owned(),
            device,
            inode,
        }
    }

    /// Its device and inode.
    pub(super) fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// It is still the file at its path.
    pub(super) fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity())
    }

    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_there() {
            // Somebody else may have been quicker.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    fn server(address: ServerAddress) -> ServerConfig {
        ServerConfig {
            section: "server".to_owned(),
            address,
            credentials: None,
            tls: None,
            server_names: Vec::new(),
        }
    }

    fn open(server: &ServerConfig) -> Result<BoundServer, BindError> {
        BoundServer::open(server, &Accounts::new(&[])?)
    }

    fn unix(path: &Path) -> ServerConfig {
        let path = path.to_owned();
        server(ServerAddress::Unix {
            path,
            mode: 0o640,
            owner: None,
        })
    }

    fn entries(directory: &tempfile::TempDir) -> usize {
        fs::read_dir(directory.path()).unwrap().count()
    }

    #[test]
    fn a_directory_in_the_place_of_the_socket_is_one_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        fs::create_dir(&path).unwrap();
        let error = open(&unix(&path)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Cannot open an HTTP server: socket.error reported errno.EISDIR (21)"
        );
        assert_eq!(entries(&directory), 1, "the temporary name is gone");
    }

    #[test]
    fn a_socket_file_has_its_mode_and_goes_with_its_server() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let bound = open(&unix(&path)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(entries(&directory), 1);
        UnixStream::connect(&path).unwrap();
        drop(bound);
        assert_eq!(entries(&directory), 0);
    }

    #[test]
    fn a_file_that_is_not_ours_any_more_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let bound = open(&unix(&path)).unwrap();
        fs::rename(&path, directory.path().join("moved")).unwrap();
        fs::write(&path, "").unwrap();
        drop(bound);
        assert!(path.exists());
    }

    #[test]
    fn stale_sockets_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        drop(UnixListener::bind(&path).unwrap());
        assert!(UnixStream::connect(&path).is_err());
        let _bound = open(&unix(&path)).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn live_sockets_are_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let other = UnixListener::bind(&path).unwrap();
        let error = open(&unix(&path)).unwrap_err();
        assert!(matches!(error, BindError::InUse), "{error}");
        assert_eq!(entries(&directory), 1);
        drop(other);
    }

    #[test]
    fn ports_in_use_are_refused() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", ""] {
            let address = ServerAddress::Inet {
                host: host.to_owned(),
                port,
            };
            let error = open(&server(address)).unwrap_err();
            assert!(matches!(error, BindError::InUse), "{host:?}: {error}");
        }
    }

    #[test]
    fn every_interface_means_both_families() {
        let listener = listen_tcp("", 0).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        if listener.local_addr().unwrap().is_ipv6() {
            TcpStream::connect(("::1", port)).unwrap();
        }
    }

    #[test]
    fn refusals_are_put_in_supervisors_words() {
        let long = Path::new("/tmp").join("x".repeat(200));
        let rows = [
            (unix(Path::new("/nonexistent/socket")), "errno.ENOENT (2)"),
            (unix(&long), "AF_UNIX path too long"),
            (
                server(ServerAddress::Inet {
                    host: "192.0.2.1".to_owned(),
                    port: 1,
                }),
                "errno.EADDRNOTAVAIL (99)",
            ),
            (
                server(ServerAddress::Inet {
                    host: "no host".to_owned(),
                    port: 1,
                }),
                "-2",
            ),
        ];
        for (server, reason) in rows {
            let error = open(&server).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("Cannot open an HTTP server: socket.error reported {reason}")
            );
        }
    }
}
