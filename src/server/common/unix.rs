//! The Unix socket of the local API: for root and for the user that runs us, for nobody else.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// The longest path that fits into a socket address of Linux, the closing zero left out.
const PATH_LIMIT: usize = 107;

/// Bits that let the group or others put another socket into our place.
const OTHERS_WRITE: u32 = 0o022;

/// Why there is no Unix socket.
#[derive(Debug, thiserror::Error)]
pub enum UnixError {
    /// Somebody serves it already.
    #[error("`{}` is served by another process", .0.display())]
    InUse(PathBuf),
    /// A file of that name is no socket; it is left alone.
    #[error("`{}` is in the way: it is not a socket", .0.display())]
    NotASocket(PathBuf),
    /// Socket addresses are short.
    #[error("`{}` is longer than the {PATH_LIMIT} bytes that a socket's path may have; use a shorter state directory", .0.display())]
    TooLong(PathBuf),
    /// Others could put a socket of their own into its place.
    #[error("others can write to `{}`; run `chmod 0700 {}`", .0.display(), .0.display())]
    Directory(PathBuf),
    /// The operating system refused.
    #[error(
        "cannot listen on `{}`: {cause}; name another state directory with `--state` or OCHAMI_SYNC_STATE",
        path.display()
    )]
    Io {
        /// The socket's path.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
}

/// A bound Unix socket, whose file goes with it.
#[derive(Debug)]
pub(super) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The file's inode, so that a file that another process has made since is not removed.
    inode: u64,
    /// Root, and the user that runs us.
    admitted: [u32; 2],
}

impl UnixSocket {
    /// Binds it with mode 0600. A socket file that nobody answers on is left over from a crash and is replaced.
    ///
    /// # Errors
    ///
    /// Somebody answers on it, something else lies there, its directory is writable by others, the path is too long.
    pub(super) fn bind(path: &Path) -> Result<Self, UnixError> {
        if path.as_os_str().len() > PATH_LIMIT {
            return Err(UnixError::TooLong(path.into()));
        }
        let io = |cause| UnixError::Io { path: path.into(), cause };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if directory.metadata().map_err(io)?.mode() & OTHERS_WRITE != 0 {
            return Err(UnixError::Directory(directory.into()));
        }
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(io)?;
        // Between these two calls the mode is the umask's; the peer check holds from the first connection on.
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(io)?;
        let metadata = path.symlink_metadata().map_err(io)?;
        Ok(Self { listener, path: path.into(), inode: metadata.ino(), admitted: [0, metadata.uid()] })
    }

    /// The next connection, and the user at its other end.
    pub(super) async fn accept(&self) -> std::io::Result<(UnixStream, u32)> {
        let (stream, _) = self.listener.accept().await?;
        let uid = stream.peer_cred()?.uid();
        Ok((stream, uid))
    }

    /// Whether that user may use it: root, and the user that runs us.
    pub(super) fn admits(&self, uid: u32) -> bool {
        self.admitted.contains(&uid)
    }
}

#[cfg(test)]
impl UnixSocket {
    /// Stands in for peers of another user, which only root could make.
    pub(super) fn admit_nobody(&mut self) {
        self.admitted = [u32::MAX; 2];
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let ours = self.path.symlink_metadata().is_ok_and(|metadata| metadata.ino() == self.inode);
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), error = %error, "the socket's file stays behind");
        }
    }
}

fn remove_stale(path: &Path) -> Result<(), UnixError> {
    let io = |cause| UnixError::Io { path: path.into(), cause };
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => return Err(UnixError::NotASocket(path.into())),
        Ok(_) => {}
    }
    match StdUnixStream::connect(path) {
        Ok(_) => Err(UnixError::InUse(path.into())),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(io),
        // A full queue answers so: somebody is there and busy.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(UnixError::InUse(path.into())),
        Err(error) => Err(io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> tempfile::TempDir {
        tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap()
    }

    #[tokio::test]
    async fn the_socket_file_is_private_and_goes_with_the_socket() {
        let directory = directory();
        let path = directory.path().join("api.sock");
        let socket = UnixSocket::bind(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_that_is_served_is_left_alone_and_a_stale_one_is_replaced() {
        let directory = directory();
        let path = directory.path().join("api.sock");
        let first = UnixSocket::bind(&path).unwrap();
        assert!(matches!(UnixSocket::bind(&path), Err(UnixError::InUse(named)) if named == path));
        assert!(StdUnixStream::connect(&path).is_ok());
        drop(first);
        // What a killed process leaves behind: a socket file that nobody listens on.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let second = UnixSocket::bind(&path).unwrap();
        assert!(StdUnixStream::connect(&path).is_ok());
        drop(second);
    }

    #[tokio::test]
    async fn the_file_of_another_process_is_not_removed_at_the_end() {
        let directory = directory();
        let path = directory.path().join("api.sock");
        let socket = UnixSocket::bind(&path).unwrap();
        std::fs::rename(&path, directory.path().join("moved.sock")).unwrap();
        let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(socket);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn a_file_in_the_way_an_open_directory_and_a_long_path_are_named() {
        let directory = directory();
        let path = directory.path().join("api.sock");
        std::fs::write(&path, "precious").unwrap();
        assert!(matches!(UnixSocket::bind(&path), Err(UnixError::NotASocket(named)) if named == path));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        let missing = directory.path().join("missing/api.sock");
        assert!(matches!(UnixSocket::bind(&missing), Err(UnixError::Io { path, .. }) if path == missing));
        let long = directory.path().join("x".repeat(PATH_LIMIT));
        assert!(matches!(UnixSocket::bind(&long), Err(UnixError::TooLong(_))));
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o770)).unwrap();
        let refused = UnixSocket::bind(&directory.path().join("other.sock"));
        assert!(matches!(refused, Err(UnixError::Directory(named)) if named == directory.path()));
    }

    #[tokio::test]
    async fn only_root_and_our_own_user_are_admitted() {
        let directory = directory();
        let path = directory.path().join("api.sock");
        let mut socket = UnixSocket::bind(&path).unwrap();
        let own = path.metadata().unwrap().uid();
        let _client = StdUnixStream::connect(&path).unwrap();
        let (_, peer) = socket.accept().await.unwrap();
        assert_eq!(peer, own, "the kernel says who connects");
        assert!(socket.admits(own) && socket.admits(0) && !socket.admits(own + 4711));
        socket.admit_nobody();
        assert!(!socket.admits(own));
    }
}
