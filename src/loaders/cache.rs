//! Loaders in memory, one copy for however many machines fetch it, within a bound.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::Content;
use crate::directory::{OpenError, Opened};

/// The largest file that is kept in memory. Builds of iPXE are of one or two megabytes; shim with GRUB of four.
const LARGEST: u64 = 16 << 20;

/// The most that the cache keeps, in bytes.
const MOST: u64 = 64 << 20;

/// What tells one content of a file from another: device, inode, size, and the times of change in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Identity(u64, u64, u64, i128, i128);

impl Identity {
    fn of(file: &Metadata) -> Self {
        let nanos = |secs: i64, nanos: i64| i128::from(secs) * 1_000_000_000 + i128::from(nanos);
        let (modified, changed) = (nanos(file.mtime(), file.mtime_nsec()), nanos(file.ctime(), file.ctime_nsec()));
        Self(file.dev(), file.ino(), file.size(), modified, changed)
    }
}

/// Files that were read, by what they were.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<Identity, Bytes>>);

impl Cache {
    /// The content of an opened file: from memory, or read into it, or the file itself where it is too large.
    pub(super) fn content(&self, Opened { file, metadata }: Opened) -> Result<Content, OpenError> {
        let (identity, len) = (Identity::of(&metadata), metadata.len());
        if let Some(bytes) = self.lock().get(&identity) {
            return Ok(Content::Memory(bytes.clone()));
        }
        if len > LARGEST || !self.make_room(len) {
            return Ok(Content::File(Arc::new(file), len));
        }
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => {}
            // It was cut after it was opened; whoever writes it now is not done, and firmware asks again.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(OpenError::NotFound),
            Err(error) => return Err(OpenError::Io(error)),
        }
        let bytes = Bytes::from(bytes);
        let mut kept = self.lock();
        kept.retain(|other, _| (other.0, other.1) != (identity.0, identity.1));
        kept.insert(identity, bytes.clone());
        Ok(Content::Memory(bytes))
    }

    /// Throws out what nobody fetches at present when there is no room. What is being fetched stays, because its memory
    /// would not come back before the last fetch ends.
    fn make_room(&self, len: u64) -> bool {
        let mut kept = self.lock();
        let sum = |kept: &HashMap<Identity, Bytes>| kept.values().map(|bytes| bytes.len() as u64).sum::<u64>();
        if sum(&kept) + len > MOST {
            kept.retain(|_, bytes| !bytes.is_unique());
        }
        sum(&kept) + len <= MOST
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Identity, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;

    fn kept(cache: &Cache) -> u64 {
        cache.lock().values().map(|bytes| bytes.len() as u64).sum()
    }

    #[test]
    fn a_file_is_read_once_and_again_when_it_changed() {
        let temp = tempfile::tempdir().unwrap();
        let (directory, cache) = (Directory::new(temp.path()), Cache::default());
        let content = || match cache.content(directory.open("a").unwrap()).unwrap() {
            Content::Memory(bytes) => bytes,
            Content::File(..) => panic!("it is small"),
        };
        std::fs::write(temp.path().join("a"), "one").unwrap();
        let first = content();
        assert_eq!(content().as_ptr(), first.as_ptr(), "it is one copy");
        std::fs::write(temp.path().join("a"), "three").unwrap();
        assert_eq!(content(), "three");
        assert_eq!(kept(&cache), 5, "the old one is forgotten");
        assert_eq!(first, "one", "who had it has it still");
    }

    #[test]
    fn large_files_stay_files_and_the_cache_stays_within_its_bound() {
        let temp = tempfile::tempdir().unwrap();
        let (directory, cache) = (Directory::new(temp.path()), Cache::default());
        let mut fetched = Vec::new();
        for (at, name) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
            std::fs::File::create(temp.path().join(name)).unwrap().set_len(LARGEST).unwrap();
            let content = cache.content(directory.open(name).unwrap()).unwrap();
            assert_eq!(matches!(content, Content::Memory(_)), at < 4, "{name}: the fifth finds all room in use");
            fetched.push(content);
            assert!(kept(&cache) <= MOST);
        }
        fetched.clear();
        assert!(matches!(cache.content(directory.open("e").unwrap()).unwrap(), Content::Memory(_)));
        std::fs::File::create(temp.path().join("g")).unwrap().set_len(LARGEST + 1).unwrap();
        let content = cache.content(directory.open("g").unwrap()).unwrap();
        assert!(matches!(&content, Content::File(_, len) if *len == LARGEST + 1), "{content:?}");
    }
}
