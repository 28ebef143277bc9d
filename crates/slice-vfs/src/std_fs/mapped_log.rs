//! A log that is copied into a mapping: an append is a memcpy into the page cache, without a system call, and it
//! still survives the end of the process, because the page cache does.
//!
//! ```text
//!   file    | past chunks, unmapped | current chunk            | next chunk             |
//!           0                       ^        ^ len  ^ len+16   ^ populated, in the slot ^ allocated
//! ```
//!
//! Chunks are small, since what is mapped counts as memory of the process, and populating a large one costs no less a
//! page. The next one is made by whoever calls [`LogControl::allocate_ahead`], and handed over through a mutex that the
//! appender takes only at the end of a chunk. Used-up chunks go back the same way, as unmapping is work too.
//!
//! A page that was populated is dirty, and is written, empty as it is. So a chunk is populated only where it will soon be
//! full: where the one before was filled fast. Elsewhere the page faults of the appender count for nothing. A log that is
//! synced gains by it as well: a block that is written for the first time is a change of the file's metadata, which each
//! sync would have to write, too, if the blocks of the chunk were not all written by the first. A recycled file has
//! written them in its past life.
//!
//! A sync write-protects the pages that it writes, and takes the processors' notes of them away: the next copy to one
//! costs a page fault. So behind a sync records are appended by `pwrite`, which needs no mapping, to the same page cache.
//!
//! Invariants: the chunks of the appender lie end to end and reach [`LOG_GAP`] bytes behind `len`; those bytes are
//! zeros; nothing is mapped or allocated after [`finish`](LogFile::finish).
//!
//! Measured against `write(2)`, which costs some 350 ns for a small record: a copy into a populated chunk costs 16 to
//! 60 ns, one that takes the page faults 260 ns.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::mapped::Chunk;
use crate::{LOG_GAP, LogControl, LogFile, SyncSite};

/// How long a chunk is, and a multiple of what; a multiple of every page size.
const CHUNK: u64 = 1 << 20;
/// The next chunk is asked for when less than this is left.
const LOW: u64 = CHUNK / 2;
/// A log is filled fast if it is asked for the next chunk after no more than this.
const SOON: Duration = Duration::from_millis(100);
/// What an allocation is rounded to when a disk is too full for a whole chunk. A multiple of every page size.
const CHUNK_UNIT: u64 = 64 << 10;
/// How many appends behind a sync are written, not copied: as many as the next sync may well serve. A log that is synced
/// now and then is written to by copying.
const WRITTEN: u32 = 64;
/// Bytes within one page are written by a `pwrite` all or none, even if the process is killed: the smallest page. A record
/// that is longer is copied all the same.
const PAGE: u64 = 4 << 10;
/// The gap, as an offset in the file counts.
const GAP: u64 = LOG_GAP as u64;

/// The appender's side.
#[derive(Debug)]
pub(super) struct MappedLog {
    shared: Arc<Shared>,
    /// End to end, from the one that holds byte `len`; empty after `finish`.
    chunks: VecDeque<Chunk>,
    len: u64,
    /// Where the last chunk ends.
    mapped_end: u64,
    /// Past this length the log asks for the next chunk.
    low_at: u64,
    /// The syncs that the appender knows of.
    syncs: u64,
    /// How many of the next appends are written, not copied.
    to_write: u32,
    /// A record that is written, in one piece with its gap.
    scratch: Vec<u8>,
}

impl MappedLog {
    /// Starts an empty log in a file, over the bytes of its past life if it has one.
    pub(super) fn open(file: File) -> io::Result<Self> {
        let past = file.metadata()?.len();
        let (has_next, syncs) = (AtomicBool::new(false), AtomicU64::new(0));
        let slot =
            Slot { next: None, retired: Vec::new(), allocated: 0, asked: now(), syncs: 0, is_open: true };
        let shared = Arc::new(Shared { file, past, has_next, syncs, slot: Mutex::new(slot) });
        let (chunks, scratch) = (VecDeque::new(), Vec::new());
        let mut log =
            Self { shared, chunks, len: 0, mapped_end: 0, low_at: 0, syncs: 0, to_write: 0, scratch };
        log.reserve(GAP)?;
        log.put(&[]);
        Ok(log)
    }

    /// Sees to it that the chunks reach `end`.
    #[cold]
    fn reserve(&mut self, end: u64) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let mut slot = shared.lock();
        while self.mapped_end < end {
            let chunk = match slot.next.take() {
                Some(chunk) => chunk,
                None => slot.allocate(&shared.file, end - self.mapped_end)?,
            };
            shared.has_next.store(false, Ordering::Relaxed);
            self.mapped_end = chunk.end();
            self.low_at = chunk.start().max(chunk.end().saturating_sub(LOW));
            self.chunks.push_back(chunk);
        }
        Ok(())
    }

    /// Copies `parts` to the end of the log and zeros behind them: zeros first, so that what stands there of a past
    /// life never follows a whole record.
    fn put(&mut self, parts: &[&[u8]]) {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let Some(chunk) = self.chunks.front_mut() else { unreachable!("`reserve` has put a chunk there") };
        let at = (self.len - chunk.start()) as usize;
        if let Some(room) = chunk.bytes_mut().get_mut(at..at + total + LOG_GAP) {
            let (room, gap) = room.split_at_mut(total);
            gap.fill(0);
            copy_parts(room, parts);
        } else {
            self.put_across(total as u64, parts);
        }
        self.len += total as u64;
    }

    /// The same when more than one chunk is touched.
    #[cold]
    fn put_across(&mut self, total: u64, parts: &[&[u8]]) {
        self.write_at(self.len + total, &[0; LOG_GAP]);
        let mut at = self.len;
        for part in parts {
            self.write_at(at, part);
            at += part.len() as u64;
        }
    }

    /// Writes bytes at an offset of the file, over all chunks that they touch.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) {
        let mut done = 0;
        for chunk in &mut self.chunks {
            let at = offset + done as u64;
            if at < chunk.end() && done < bytes.len() {
                let start = (at - chunk.start()) as usize;
                let room = &mut chunk.bytes_mut()[start..];
                let len = room.len().min(bytes.len() - done);
                room[..len].copy_from_slice(&bytes[done..done + len]);
                done += len;
            }
        }
        assert_eq!(done, bytes.len(), "the chunks reach behind the end of the log");
    }

    /// Whether the next record is better written than copied.
    #[inline]
    fn is_to_be_written(&mut self, total: u64) -> bool {
        let syncs = self.shared.syncs.load(Ordering::Relaxed);
        if syncs != self.syncs {
            self.syncs = syncs;
            self.to_write = WRITTEN;
        }
        let is_written = self.to_write > 0 && total + GAP <= PAGE;
        self.to_write -= u32::from(is_written);
        is_written
    }

    /// As [`put`](Self::put), by a system call.
    #[inline(never)]
    fn write(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.scratch.clear();
        for part in parts {
            self.scratch.extend_from_slice(part);
        }
        let total = self.scratch.len() as u64;
        self.scratch.resize(self.scratch.len() + LOG_GAP, 0);
        // What lies in another page first, the gap with it: so it never is what stood there in a past life that follows a
        // whole record.
        let here = (PAGE - self.len % PAGE).min(self.scratch.len() as u64);
        let (here, beyond) = self.scratch.split_at(here as usize);
        let file = &self.shared.file;
        let written = file.write_all_at(beyond, self.len + here.len() as u64);
        if let Err(error) = written.and_then(|()| file.write_all_at(here, self.len)) {
            // Should this fail, too, the next append is over it.
            let _ = file.write_all_at(&[0; LOG_GAP], self.len);
            return Err(error);
        }
        self.len += total;
        Ok(())
    }

    /// Hands over the chunks that end at or before `len`.
    #[cold]
    fn retire(&mut self) {
        let used_up = self.chunks.iter().take_while(|chunk| chunk.end() <= self.len).count();
        self.shared.lock().retired.extend(self.chunks.drain(..used_up));
    }
}

impl LogFile for MappedLog {
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let end = self.len + total as u64;
        if end + GAP > self.mapped_end {
            self.reserve(end + GAP)?;
        }
        if self.is_to_be_written(total as u64) {
            self.write(parts)?;
        } else {
            self.put(parts);
        }
        if self.chunks.front().is_some_and(|front| front.end() <= end) {
            self.retire();
        }
        Ok(())
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn is_low(&self) -> bool {
        self.len >= self.low_at && !self.shared.has_next.load(Ordering::Relaxed)
    }

    fn control(&self) -> Arc<dyn LogControl> {
        self.shared.clone()
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut slot = self.shared.lock();
        slot.is_open = false;
        // Unmapped before the file shrinks: an access behind the end would be a SIGBUS.
        slot.next = None;
        slot.retired.clear();
        self.chunks.clear();
        self.mapped_end = 0;
        self.low_at = u64::MAX;
        self.shared.file.set_len(self.len)
    }
}

/// Copies the parts, which fill `room`.
fn copy_parts(mut room: &mut [u8], parts: &[&[u8]]) {
    for part in parts {
        let (here, rest) = room.split_at_mut(part.len());
        here.copy_from_slice(part);
        room = rest;
    }
}

/// What the appender shares with those who sync and allocate.
#[derive(Debug)]
struct Shared {
    file: File,
    /// How many bytes of a past life the file has.
    past: u64,
    /// Whether the slot holds a chunk: a hint, for an `is_low` without the lock.
    has_next: AtomicBool,
    /// How often it was synced: a hint.
    syncs: AtomicU64,
    slot: Mutex<Slot>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        // Each change of a slot is whole before the next call that could panic.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogControl for Shared {
    fn sync(&self, _site: SyncSite) -> io::Result<()> {
        // On Linux this covers what was stored through the mapping: the kernel marks a page dirty in the page cache at
        // the first store into it (and write-protects it again when it writes it back), and the pages of a shared
        // mapping are the pages of the file. msync would come to the same, but needs the mappings at hand.
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        let mut slot = self.lock();
        // Unmapped under the lock, as `finish` must not shorten the file before that.
        slot.retired.clear();
        if slot.is_open && slot.next.is_none() {
            let chunk = slot.allocate(&self.file, 0)?;
            let syncs = self.syncs.load(Ordering::Relaxed);
            let is_synced = std::mem::replace(&mut slot.syncs, syncs) != syncs;
            // The past life has written these blocks, and that is all that a log which is synced wants of it.
            let is_ready = is_synced && chunk.end() <= self.past;
            if slot.is_filled_fast() && !is_ready {
                chunk.populate();
            }
            slot.next = Some(chunk);
            self.has_next.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Where the two sides meet.
#[derive(Debug)]
struct Slot {
    /// Allocated ahead, mapped and populated.
    next: Option<Chunk>,
    /// Used up, to be unmapped.
    retired: Vec<Chunk>,
    /// Where the last chunk ends.
    allocated: u64,
    /// When it was last asked for a chunk ahead, or opened.
    asked: Instant,
    /// The syncs until then.
    syncs: u64,
    /// Until `finish`.
    is_open: bool,
}

impl Slot {
    /// Makes the chunk behind the last one, at least `least` bytes long. When the disk is too full for that, just as long
    /// as needed.
    fn allocate(&mut self, file: &File, least: u64) -> io::Result<Chunk> {
        if !self.is_open {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a finished log is appended to no more"));
        }
        let wanted = least.max(1).next_multiple_of(CHUNK);
        let chunk = match Chunk::allocate(file, self.allocated, wanted) {
            Err(e) if e.kind() == io::ErrorKind::StorageFull => {
                Chunk::allocate(file, self.allocated, least.max(1).next_multiple_of(CHUNK_UNIT))?
            }
            chunk => chunk?,
        };
        self.allocated = chunk.end();
        Ok(chunk)
    }

    /// Whether it was asked for the chunk before a short time ago, now that it is asked for the next.
    fn is_filled_fast(&mut self) -> bool {
        let now = now();
        now.duration_since(std::mem::replace(&mut self.asked, now)) <= SOON
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the engine's clock is above this crate, and no promise depends on it"
)]
fn now() -> Instant {
    Instant::now()
}
