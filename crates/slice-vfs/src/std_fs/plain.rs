//! A log written with `pwrite`: one system call an append, no mapping.
//!
//! ```text
//!   0            len        len+16            past
//!   | appended    | zeros    | the past life   |        behind `past`, the end of the file
//! ```
//!
//! Invariant: between two calls the [`LOG_GAP`] bytes behind `len` are zeros or behind the file's end. A write that
//! fails half-way is taken back as far as the disk allows.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::{LOG_GAP, LogControl, LogFile, SyncSite};

/// How much memory is kept from one append to the next, in bytes.
const SCRATCH_KEPT: usize = 1 << 20;

/// A log written with `pwrite` at its logical end.
#[derive(Debug)]
pub(super) struct PlainLog {
    control: Arc<Control>,
    len: u64,
    /// Up to where the file may hold bytes of a past life.
    past: u64,
    /// The parts of an append in one piece, so that it is one system call.
    scratch: Vec<u8>,
}

impl PlainLog {
    /// Starts an empty log. `past` is the length of the file's past life.
    pub(super) fn open(file: File, past: u64) -> io::Result<Self> {
        let mut log = Self { control: Arc::new(Control { file }), len: 0, past, scratch: Vec::new() };
        log.append(&[])?;
        Ok(log)
    }

    /// How much of the gap behind `end` lies on bytes of the past life.
    fn gap_behind(&self, end: u64) -> usize {
        self.past.saturating_sub(end).min(LOG_GAP as u64) as usize
    }

    /// Takes a failed write back. Should that fail too, the next append overwrites the same place.
    fn restore_gap(&self) {
        let file = &self.control.file;
        let _ = if self.gap_behind(self.len) < LOG_GAP {
            file.set_len(self.len)
        } else {
            file.write_all_at(&[0; LOG_GAP], self.len)
        };
    }
}

impl LogFile for PlainLog {
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        self.scratch.clear();
        self.scratch.shrink_to(SCRATCH_KEPT);
        for part in parts {
            self.scratch.extend_from_slice(part);
        }
        let end = self.len + self.scratch.len() as u64;
        let gap = self.gap_behind(end);
        self.scratch.resize(self.scratch.len() + gap, 0);
        if let Err(e) = self.control.file.write_all_at(&self.scratch, self.len) {
            // Some of it may be there: as of a past life, until the next append is over it.
            self.past = self.past.max(self.len + self.scratch.len() as u64);
            self.restore_gap();
            return Err(e);
        }
        self.len = end;
        Ok(())
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn is_low(&self) -> bool {
        false
    }

    fn control(&self) -> Arc<dyn LogControl> {
        self.control.clone()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.control.file.set_len(self.len)
    }
}

#[derive(Debug)]
struct Control {
    file: File,
}

impl LogControl for Control {
    fn sync(&self, _site: SyncSite) -> io::Result<()> {
        self.file.sync_data()
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        Ok(())
    }
}
