//! The bytes of a file in memory, in pages that copies share until one of them is written.
//!
//! A copy costs one reference count, whatever the length, so that a crash image costs what it changes.

use std::sync::{Arc, LazyLock};

/// What a disk writes in one piece: a power failure leaves the old or the new bytes of a sector, not a mixture.
pub(super) const SECTOR: u64 = 512;

const PAGE: usize = 4096;

type Page = [u8; PAGE];

/// All zeros, shared by whatever has not been written.
static ZEROS: LazyLock<Arc<Page>> = LazyLock::new(|| Arc::new([0; PAGE]));

/// The bytes of a file.
///
/// Invariant: there are as many pages as `len` needs, and the last one is zero behind `len`.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pages: Arc<Vec<Arc<Page>>>,
    len: u64,
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Cuts the bytes off behind `len`, or adds zeros.
    pub(super) fn set_len(&mut self, len: u64) {
        let pages = Arc::make_mut(&mut self.pages);
        pages.resize(len.div_ceil(PAGE as u64) as usize, ZEROS.clone());
        let used = (len % PAGE as u64) as usize;
        if len < self.len
            && used > 0
            && let Some(last) = pages.last_mut()
        {
            Arc::make_mut(last)[used..].fill(0);
        }
        self.len = len;
    }

    /// Writes bytes, with zeros in front of them if the file was shorter.
    pub(super) fn write(&mut self, offset: u64, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.set_len(self.len.max(offset + bytes.len() as u64));
        let pages = Arc::make_mut(&mut self.pages);
        let mut at = offset as usize;
        while !bytes.is_empty() {
            let room = &mut Arc::make_mut(&mut pages[at / PAGE])[at % PAGE..];
            let (now, rest) = bytes.split_at(room.len().min(bytes.len()));
            room[..now.len()].copy_from_slice(now);
            at += now.len();
            bytes = rest;
        }
    }

    /// Fills `buf` from `offset`; `false` when the file ends before that.
    pub(super) fn read(&self, mut buf: &mut [u8], offset: u64) -> bool {
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.len) {
            return false;
        }
        let mut at = offset as usize;
        while !buf.is_empty() {
            let page = &self.pages[at / PAGE][at % PAGE..];
            let (now, rest) = buf.split_at_mut(page.len().min(buf.len()));
            now.copy_from_slice(&page[..now.len()]);
            at += now.len();
            buf = rest;
        }
        true
    }

    /// Takes over one sector of another content, as far as that reaches.
    pub(super) fn copy_sector(&mut self, from: &Content, sector: u64) {
        let start = sector * SECTOR;
        let len = from.len.saturating_sub(start).min(SECTOR) as usize;
        let mut bytes = [0; SECTOR as usize];
        if from.read(&mut bytes[..len], start) {
            self.write(start, &bytes[..len]);
        }
    }
}
