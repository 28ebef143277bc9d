//! How far ahead a walk reads, and what becomes of the blocks.
//!
//! ```text
//!   blocks in a row from the file    1    2    3 ...          64 ...
//!   one read takes                   1    1    16 KiB, growing to 256 KiB
//!   offered to the block store       yes  yes  yes ...        no
//! ```
//!
//! Most scans are short, and what they read is likely to be read again. One that goes on and on would read more than the
//! store holds, and push out what others need; reading ahead makes up for the store.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::window::Direction;
use crate::{CachePolicy, IterOptions, ReadMode};

/// Blocks in a row from the file after which a scan reads ahead.
const PATIENCE: usize = 2;
/// How much further each block in a row lets it read, in bytes.
const GROWTH: usize = 8 * 1024;
/// The most that a scan reads at once, in bytes.
const REACH_MAX: usize = 256 * 1024;
/// Blocks in a row from the file after which a scan leaves the store to others.
const LONG: usize = 64;

/// What a walk has read of late.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// Blocks that came from the file, each next to the one before.
    in_a_row: usize,
    /// The last of them.
    last: Option<usize>,
}

impl Pace {
    /// A block is about to come from the file.
    pub(crate) fn miss(&mut self, block: usize, direction: Direction) {
        let next = self.last.and_then(|last| match direction {
            Direction::Forward => last.checked_add(1),
            Direction::Backward => last.checked_sub(1),
        });
        self.in_a_row = if next == Some(block) { self.in_a_row + 1 } else { 0 };
        self.last = Some(block);
    }

    /// A block came from the store.
    #[inline]
    pub(crate) fn hit(&mut self) {
        self.last = None;
    }

    /// Goes on in the next table as in the one before, where `block` comes first.
    pub(crate) fn carry_over(self, block: usize, direction: Direction) -> Self {
        let before = match direction {
            Direction::Forward => block.checked_sub(1),
            Direction::Backward => block.checked_add(1),
        };
        Self { last: self.last.and(before), ..self }
    }

    /// How many bytes to read at once; 0 for the one block.
    pub(crate) fn reach(self, options: &IterOptions) -> usize {
        match (options.mode, options.cache_policy) {
            (ReadMode::CachedOnly, _) => 0,
            (ReadMode::Wait, CachePolicy::Scan) if self.in_a_row >= PATIENCE => (self.in_a_row * GROWTH)
                .clamp(options.readahead_bytes, REACH_MAX.max(options.readahead_bytes)),
            _ => options.readahead_bytes,
        }
    }

    /// Whether blocks are offered to the store.
    pub(crate) fn fills(self, options: &IterOptions) -> bool {
        match options.cache_policy {
            CachePolicy::Fill => true,
            CachePolicy::Bypass => false,
            CachePolicy::Scan => self.in_a_row < LONG,
        }
    }
}
