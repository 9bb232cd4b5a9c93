//! A directory whose files are handed out, and that no name a peer sends leads out of.
//!
//! The kernel resolves names below the directory and refuses what leaves it (`openat2` with `RESOLVE_BENEATH`), so
//! there is no moment between a check and the opening. Symbolic links are followed as long as they stay inside; one
//! that is absolute and leads back inside is followed, too, because that is how sites link `latest`.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The longest name that is looked up, in bytes: the kernel's own bound for paths.
pub const NAME_LIMIT: usize = 4096;

/// A directory that is served.
#[derive(Debug, Clone)]
pub struct Directory(PathBuf);

/// A regular file that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The file, open for reading.
    pub file: File,
    /// What it was when it was opened.
    pub metadata: Metadata,
}

/// Why a name has no file. None of the texts names a path of this machine.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file, or it is no regular file.
    #[error("there is no such file")]
    NotFound,
    /// The name is none that may be looked up, or leads out of the directory.
    #[error("the name leads out of what is served")]
    Outside,
    /// The file is there and may not be read by us.
    #[error("the file may not be read")]
    Denied,
    /// Anything else, such as too many open files or a disk that does not answer.
    #[error("the file cannot be opened: {0}")]
    Io(io::Error),
}

impl Directory {
    /// The directory at this path, which may come to be later.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is on this machine; not for peers.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Opens a regular file by its name below the directory, `openchami/compute/latest/vmlinuz`. Slashes at the start
    /// and repeated ones count for nothing. Blocks on the file system.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::Outside`] for a name with `..`, a backslash or a NUL byte, whether or not it would
    /// lead out.
    pub fn open(&self, name: &str) -> Result<Opened, OpenError> {
        let relative = plain(name).ok_or(OpenError::Outside)?;
        let root = File::open(&self.0).map_err(of_io)?;
        let file = match beneath(&root, &relative) {
            Err(Errno::XDEV) => self.open_resolved(&root, &relative)?,
            // A kernel before 5.6, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => self.open_checked(&relative)?,
            opened => opened.map_err(|error| of_io(error.into()))?.into(),
        };
        let metadata = file.metadata().map_err(of_io)?;
        if metadata.is_file() { Ok(Opened { file, metadata }) } else { Err(OpenError::NotFound) }
    }

    /// A link was absolute or climbed: where it leads is found out first, and that place opened as any other name.
    fn open_resolved(&self, root: &File, relative: &str) -> Result<File, OpenError> {
        let inside = self.resolve(relative)?;
        match beneath(root, &inside) {
            Ok(file) => Ok(file.into()),
            Err(Errno::XDEV) => Err(OpenError::Outside),
            Err(error) => Err(of_io(error.into())),
        }
    }

    /// Without `openat2` the place is checked and then opened; only who may write to the directory could change a link
    /// in between.
    fn open_checked(&self, relative: &str) -> Result<File, OpenError> {
        let place = self.0.canonicalize().map_err(of_io)?.join(self.resolve(relative)?);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
        Ok(rustix::fs::open(place, flags, Mode::empty()).map_err(|error| of_io(error.into()))?.into())
    }

    /// Where a name leads once every link is followed, below the directory.
    fn resolve(&self, relative: &str) -> Result<PathBuf, OpenError> {
        let root = self.0.canonicalize().map_err(of_io)?;
        let place = root.join(relative).canonicalize().map_err(of_io)?;
        place.strip_prefix(&root).map(Path::to_path_buf).map_err(|_| OpenError::Outside)
    }
}

/// Opening does not wait for the other end of a named pipe, which is then found to be no regular file.
fn beneath(root: &File, name: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    rustix::fs::openat2(root, name, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS)
}

/// The name without slashes that count for nothing; none for one that may not be looked up.
fn plain(name: &str) -> Option<String> {
    if name.len() > NAME_LIMIT || name.contains(['\\', '\0']) || name.ends_with('/') {
        return None;
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

fn of_io(error: io::Error) -> OpenError {
    match Errno::from_io_error(&error) {
        // A socket cannot be opened (ENXIO), and is no file to hand out.
        Some(Errno::NOENT | Errno::NOTDIR | Errno::ISDIR | Errno::NAMETOOLONG | Errno::LOOP | Errno::NXIO) => {
            OpenError::NotFound
        }
        Some(Errno::ACCESS | Errno::PERM) => OpenError::Denied,
        _ => OpenError::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A served directory with a file, a secret beside it, and links of every kind.
    fn tree() -> (tempfile::TempDir, Directory) {
        let temp = tempfile::tempdir().unwrap();
        let served = temp.path().join("served");
        std::fs::create_dir_all(served.join("image/1.0")).unwrap();
        std::fs::write(served.join("image/1.0/vmlinuz"), "kernel").unwrap();
        std::fs::write(temp.path().join("secret"), "secret").unwrap();
        symlink("1.0", served.join("image/latest")).unwrap();
        symlink(served.join("image/1.0"), served.join("image/absolute")).unwrap();
        symlink("../../secret", served.join("image/climbs")).unwrap();
        symlink(temp.path().join("secret"), served.join("leaves")).unwrap();
        symlink(temp.path(), served.join("out")).unwrap();
        symlink("loop", served.join("loop")).unwrap();
        (temp, Directory::new(served))
    }

    fn read(directory: &Directory, name: &str) -> Result<String, OpenError> {
        let mut text = String::new();
        directory.open(name)?.file.read_to_string(&mut text).unwrap();
        Ok(text)
    }

    #[test]
    fn files_and_links_that_stay_inside_are_opened() {
        let (_temp, directory) = tree();
        for name in ["image/1.0/vmlinuz", "/image//1.0/./vmlinuz", "image/latest/vmlinuz", "image/absolute/vmlinuz"] {
            assert_eq!(read(&directory, name).unwrap(), "kernel", "{name}");
        }
    }

    #[test]
    fn no_name_leads_out() {
        let (temp, directory) = tree();
        let absolute = temp.path().join("secret").display().to_string();
        for name in ["../secret", "image/../../secret", "..", "image/..", "..\\secret", "image\\1.0", "a\0b", "", "/"] {
            assert!(matches!(read(&directory, name), Err(OpenError::Outside)), "{name:?}");
        }
        for name in ["leaves", "image/climbs", "out/secret"] {
            assert!(matches!(read(&directory, name), Err(OpenError::Outside)), "{name}");
        }
        // What looks absolute is looked up below the directory.
        assert!(matches!(read(&directory, &absolute), Err(OpenError::NotFound)));
    }

    #[test]
    fn what_is_no_regular_file_is_not_there() {
        let (temp, directory) = tree();
        let pipe = temp.path().join("served/pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(temp.path().join("served/socket")).unwrap();
        for name in ["image", "image/none", "image/1.0/vmlinuz/x", "loop", "pipe", "socket", &"x".repeat(300)] {
            assert!(matches!(read(&directory, name), Err(OpenError::NotFound)), "{name}");
        }
        let gone = Directory::new(temp.path().join("gone"));
        assert!(matches!(read(&gone, "x"), Err(OpenError::NotFound)));
    }

    #[test]
    fn a_name_that_is_too_long_is_refused_before_it_is_looked_up() {
        let (_temp, directory) = tree();
        assert!(matches!(read(&directory, &"x/".repeat(NAME_LIMIT)), Err(OpenError::Outside)));
    }

    #[test]
    fn without_openat2_the_same_places_are_reached() {
        let (_temp, directory) = tree();
        assert!(directory.open_checked("image/latest/vmlinuz").is_ok());
        assert!(matches!(directory.open_checked("leaves"), Err(OpenError::Outside)));
        assert!(matches!(directory.open_checked("nothing"), Err(OpenError::NotFound)));
    }

    #[test]
    fn no_error_names_a_path() {
        for error in [OpenError::NotFound, OpenError::Outside, OpenError::Denied] {
            assert!(!error.to_string().contains('/'), "{error}");
        }
    }
}
