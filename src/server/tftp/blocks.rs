//! The blocks of a loader, from memory, or read ahead of the client a piece at a time.

use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;

use super::options::FLIGHT;
use crate::loaders::Content;

/// A loader cut into blocks.
pub(super) struct Blocks {
    content: Content,
    block_size: u64,
    /// What was read last of a file, and the place of its first byte.
    piece: Bytes,
    start: u64,
}

impl Blocks {
    pub(super) fn new(content: Content, block_size: usize) -> Self {
        let piece = match &content {
            Content::Memory(bytes) => bytes.clone(),
            Content::File(..) => Bytes::new(),
        };
        Self { content, block_size: block_size as u64, piece, start: 0 }
    }

    /// Makes sure that these blocks, which are never more than [`FLIGHT`], can be had.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is shorter than it was.
    pub(super) async fn have(&mut self, blocks: &RangeInclusive<u64>) -> io::Result<()> {
        let Content::File(file, len) = &self.content else { return Ok(()) };
        let first = (blocks.start() - 1) * self.block_size;
        let behind = (blocks.end() * self.block_size).min(*len);
        if first >= self.start && behind <= self.start + self.piece.len() as u64 {
            return Ok(());
        }
        // Twice what may be on its way, so that most windows are there already.
        let wanted = (len - first).min(2 * FLIGHT as u64);
        let file = file.clone();
        // The disk may be slow, and other clients have not to wait for it.
        let read = tokio::task::spawn_blocking(move || read(&file, first, wanted));
        self.piece = read.await.map_err(io::Error::other)??;
        self.start = first;
        Ok(())
    }

    /// The bytes of a block that [`Self::have`] made sure of; empty behind the end.
    pub(super) fn block(&self, number: u64) -> &[u8] {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(self.piece.len());
        let first = ((number - 1) * self.block_size).saturating_sub(self.start);
        &self.piece[at(first)..at(first + self.block_size)]
    }
}

fn read(file: &Arc<File>, place: u64, len: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, place)?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * 31 / 7) as u8).collect()
    }

    #[tokio::test]
    async fn a_file_gives_the_same_blocks_as_memory() {
        let temp = tempfile::tempdir().unwrap();
        for (len, size, window) in
            [(0, 512, 1), (511, 512, 1), (512, 512, 4), (700_000, 1428, 16), (300_000, 65_464, 2)]
        {
            let bytes = pattern(len);
            std::fs::write(temp.path().join("f"), &bytes).unwrap();
            let file = Arc::new(File::open(temp.path().join("f")).unwrap());
            let mut on_disk = Blocks::new(Content::File(file, len as u64), size);
            let in_memory = Blocks::new(Content::Memory(bytes.into()), size);
            let last = (len / size + 1) as u64;
            for first in 1..=last {
                let blocks = first..=(first + window - 1).min(last);
                on_disk.have(&blocks).await.unwrap();
                for number in blocks {
                    assert_eq!(on_disk.block(number), in_memory.block(number), "{len} {size} {number}");
                }
            }
            assert!(on_disk.block(last).len() < size);
        }
    }

    #[tokio::test]
    async fn a_file_that_was_cut_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("f"), "short").unwrap();
        let file = Arc::new(File::open(temp.path().join("f")).unwrap());
        let mut blocks = Blocks::new(Content::File(file, 600), 512);
        assert_eq!(blocks.have(&(1..=1)).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
