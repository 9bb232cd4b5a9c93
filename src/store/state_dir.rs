//! The state directory: made for its owner alone, and held by one writing process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::model::Timestamp;

/// The longest command line that the holder record keeps, in characters: enough to tell one process from another.
const COMMAND_LENGTH: usize = 200;

/// Permission bits that let others than the owner write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Makes the directory with mode 0700 where it is missing. One that is there may be readable by others, because its
/// files are not, but not writable: whoever can replace the files is as good as their owner.
///
/// # Errors
///
/// [`StoreError::StateDirectory`] and [`StoreError::OpenToOthers`].
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| unusable(path, &error))?;
    let metadata = path.metadata().map_err(|error| unusable(path, &error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(StoreError::OpenToOthers { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Says which path the system refused.
pub(super) fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::StateDirectory { path: path.to_owned(), cause: error.to_string() }
}

/// What the lock file says of its holder.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    user: String,
    command: String,
    since: Timestamp,
}

impl Holder {
    fn this_process(since: Timestamp) -> Self {
        let user = std::env::var("USER").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| {
            let owner = std::fs::metadata("/proc/self").map(|m| m.uid().to_string());
            owner.map_or_else(|_| "unknown".to_owned(), |uid| format!("uid {uid}"))
        });
        let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let command = words.join(" ").chars().take(COMMAND_LENGTH).collect();
        Self { pid: std::process::id(), user, command, since }
    }
}

/// The lock on a state directory. The system takes it away when the process ends, however it ends, so a lock file that
/// is left behind holds nobody up.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes `STATE/lock` and writes down who holds it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] naming the holder, [`StoreError::StateDirectory`].
    pub(super) fn take(state_dir: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let path = state_dir.join("lock");
        let failed = |error: std::io::Error| unusable(&path, &error);
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { holder: describe(&mut file), path: path.clone() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let record = serde_json::to_string(&Holder::this_process(now)).unwrap_or_default();
        file.set_len(0).and_then(|()| file.write_all(record.as_bytes())).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// The holder in words, from a lock file that somebody else may be writing at this moment.
fn describe(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match read.ok().and_then(|_| serde_json::from_str::<Holder>(&text).ok()) {
        Some(holder) => {
            let since = jiff::Timestamp::from_microsecond(holder.since.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
            format!("process {} of {} (`{}`, since {since:.0})", holder.pid, holder.user, holder.command)
        }
        None => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path(), Timestamp(1_700_000_000_000_000)).unwrap();
        let Err(StoreError::Locked { path, holder }) = Lock::take(dir.path(), Timestamp(0)) else {
            panic!("the lock was given twice");
        };
        assert_eq!(path, dir.path().join("lock"));
        assert!(holder.contains(&format!("process {} of ", std::process::id())), "{holder}");
        assert!(holder.contains("since 2023-11-14T22:13:20Z"), "{holder}");
        drop(first);
        Lock::take(dir.path(), Timestamp(0)).unwrap();
    }

    #[test]
    fn a_holder_that_has_not_written_its_record_is_still_reported() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("lock")).unwrap();
        file.lock().unwrap();
        let Err(StoreError::Locked { holder, .. }) = Lock::take(dir.path(), Timestamp(0)) else {
            panic!("the lock was given twice");
        };
        assert_eq!(holder, "another process");
    }

    #[test]
    fn a_new_state_directory_belongs_to_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/b");
        prepare(&state).unwrap();
        assert_eq!(state.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(prepare(dir.path()), Err(StoreError::OpenToOthers { path: dir.path().to_owned(), mode: 0o770 }));
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_an_error_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = prepare(&file.join("state")).unwrap_err();
        assert!(matches!(&error, StoreError::StateDirectory { path, .. } if *path == file.join("state")), "{error}");
    }
}
