//! A chunk of a log: space allocated in the file, and mapped.
//!
//! Invariant: the whole chunk is allocated (`fallocate`) before it is mapped, so a store into it never needs space.
//! A sparse file would turn a full disk into a SIGBUS; here it is an `ENOSPC` from [`Chunk::allocate`].
#![expect(unsafe_code, reason = "a mapping is memory that the file system shares with us")]

use std::fs::File;
use std::io;

use memmap2::{Advice, MmapMut, MmapOptions};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// Bytes `start..end` of a file, mapped shared and writable.
#[derive(Debug)]
pub(super) struct Chunk {
    start: u64,
    bytes: MmapMut,
}

impl Chunk {
    /// Allocates and maps `len` bytes of the file from `start`, which must be a multiple of the page size.
    ///
    /// Bytes that are there stay; new ones are zeros, and the file's length covers them.
    pub(super) fn allocate(file: &File, start: u64, len: u64) -> io::Result<Self> {
        fallocate(file, FallocateFlags::empty(), start, len)?;
        let size = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        // SAFETY: The mapping is shared with the file, and what makes that unsound is excluded one by one.
        // - The file shrinks while it is mapped, and an access is a SIGBUS: within the process only
        //   `MappedLog::finish` shortens it, after it has dropped every chunk, and no chunk is made afterwards.
        //   Other processes are kept out by the LOCK of the directory; one that ignores it destroys the store anyhow.
        //   A past life of the file has no mapping left either: a log is recycled after its `finish`.
        // - Somebody else writes the memory behind a `&[u8]`: the bytes are reached through this value alone, which
        //   is not `Clone`, the file is mapped nowhere else, and no range is mapped twice, as the chunks of a log
        //   lie end to end. Readers use `pread`, which copies inside the kernel. The file is written by `MappedLog`
        //   alone, which owns the chunks and borrows none of them while it does.
        // - The file lacks the bytes: `fallocate` has just allocated the whole range and extended the length.
        let bytes = unsafe { MmapOptions::new().offset(start).len(size).map_mut(file)? };
        Ok(Self { start, bytes })
    }

    /// Takes the page faults now, so that the appender takes none. The pages are dirty then.
    pub(super) fn populate(&self) {
        // Kernels before 5.14 do not know it; then the appender takes the faults, which costs speed only.
        let _ = self.bytes.advise(Advice::PopulateWrite);
    }

    /// Where in the file the chunk begins.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Where in the file the chunk ends.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The bytes of the chunk.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// Whether allocation failed because the file system cannot, not because there is no space.
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    let Some(code) = Errno::from_io_error(error) else { return false };
    matches!(code, Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::NODEV)
}
