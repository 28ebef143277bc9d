//! How far ahead a walk reads, and what becomes of the blocks.
//!
//! ```text
//!   blocks in a row from the file    1    2    3 ...
//!   one read takes                   1    1    16 KiB, growing to 256 KiB
//!
//!   blocks in a row                  1    2    3 ...          64 ...
//!   offered to the block store       yes  yes  yes            no
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
/// Blocks in a row after which a scan leaves the store to others.
const LONG: usize = 64;

/// What a walk has read of late.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// The last block.
    last: Option<usize>,
    /// Blocks before it, each next to the one before.
    walked: usize,
    /// How many of the last of them came from the file, it included.
    missed: usize,
}

impl Pace {
    /// The walk comes to a block.
    #[inline]
    pub(crate) fn come_to(&mut self, block: usize, direction: Direction) {
        // It wraps: before the first block of a table is the last of another.
        let next = self.last.map(|last| match direction {
            Direction::Forward => last.wrapping_add(1),
            Direction::Backward => last.wrapping_sub(1),
        });
        if next == Some(block) {
            self.walked += 1;
        } else {
            (self.walked, self.missed) = (0, 0);
        }
        self.last = Some(block);
    }

    /// The block is in the store.
    #[inline]
    pub(crate) fn hit(&mut self) {
        self.missed = 0;
    }

    /// The block has to come from the file.
    pub(crate) fn miss(&mut self) {
        self.missed += 1;
    }

    /// Goes on in the next table as in the one before, where `block` comes first.
    pub(crate) fn carry_over(self, block: usize, direction: Direction) -> Self {
        let before = match direction {
            Direction::Forward => block.wrapping_sub(1),
            Direction::Backward => block.wrapping_add(1),
        };
        Self { last: self.last.map(|_| before), ..self }
    }

    /// How many bytes to read at once; 0 for the one block.
    pub(crate) fn reach(self, options: &IterOptions) -> usize {
        match (options.mode, options.cache_policy) {
            (ReadMode::CachedOnly, _) => 0,
            (ReadMode::Wait, CachePolicy::Scan) if self.missed > PATIENCE => {
                ((self.missed - 1) * GROWTH).min(REACH_MAX).max(options.readahead_bytes)
            }
            _ => options.readahead_bytes,
        }
    }

    /// Whether blocks are offered to the store.
    pub(crate) fn fills(self, options: &IterOptions) -> bool {
        match options.cache_policy {
            CachePolicy::Fill => true,
            CachePolicy::Bypass => false,
            CachePolicy::Scan => self.walked < LONG,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: IterOptions =
        IterOptions { cache_policy: CachePolicy::Scan, readahead_bytes: 0, mode: ReadMode::Wait };

    fn miss_all(pace: &mut Pace, blocks: impl Iterator<Item = usize>, direction: Direction) {
        for block in blocks {
            pace.come_to(block, direction);
            pace.miss();
        }
    }

    #[test]
    fn a_walk_goes_on_in_the_next_table_as_in_the_one_before() {
        for (direction, first) in [(Direction::Forward, 0), (Direction::Backward, 99)] {
            let mut pace = Pace::default();
            match direction {
                Direction::Forward => miss_all(&mut pace, 0..100, direction),
                Direction::Backward => miss_all(&mut pace, (0..100).rev(), direction),
            }
            assert_eq!((pace.reach(&OPTIONS), pace.fills(&OPTIONS)), (REACH_MAX, false), "{direction:?}");
            let mut next = pace.carry_over(first, direction);
            miss_all(&mut next, std::iter::once(first), direction);
            assert_eq!((next.reach(&OPTIONS), next.fills(&OPTIONS)), (REACH_MAX, false), "{direction:?}");
        }
    }

    #[test]
    fn a_walk_among_kept_blocks_stays_long_and_reads_single_ones() {
        let mut pace = Pace::default();
        for block in 0..100 {
            pace.come_to(block, Direction::Forward);
            pace.hit();
        }
        miss_all(&mut pace, 100..101, Direction::Forward);
        assert_eq!((pace.reach(&OPTIONS), pace.fills(&OPTIONS)), (0, false));
        // A seek begins another walk.
        miss_all(&mut pace, 500..501, Direction::Forward);
        assert!(pace.fills(&OPTIONS));
    }
}
