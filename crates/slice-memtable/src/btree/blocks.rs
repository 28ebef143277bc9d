//! A vector for one writer and many readers, whose items never move: they lie in blocks, which a directory finds.
//!
//! ```text
//!   item          0 | 1 | 2 3 | 4 .. 7 | ... | 32 .. 63 | 64 .. 127 | 128 .. 191 | ...
//!   block         0   1    2      3              6           7             8
//!   directory     [ 0 .. 7 ] [ 8 .. 15 ] [ 16 .. 31 ] [ 32 .. 63 ] ...
//! ```
//!
//! Blocks begin small, since a memtable of few entries is to take little memory, and stay at 64, so that not much of the
//! last one is unused. The directory doubles instead.

use std::sync::OnceLock;

use super::pages::Items;

/// The items of a block that is not one of the first.
const BLOCK: usize = 64;
/// The blocks that the first part of the directory knows.
const FIRST: usize = 8;
/// The parts of a directory: enough for 2^32 items.
const PARTS: usize = 25;

type Block<T> = OnceLock<Items<T>>;

/// The items, each made by `Default` when its block is.
pub(super) struct Blocks<T> {
    directory: [OnceLock<Box<[Block<T>]>>; PARTS],
}

impl<T: Default> Blocks<T> {
    pub(super) const fn new() -> Self {
        Self { directory: [const { OnceLock::new() }; PARTS] }
    }

    /// An item of a block that was made.
    #[inline]
    pub(super) fn get(&self, item: usize) -> Option<&T> {
        let (block, at) = place(item);
        let (part, entry) = part(block);
        self.directory[part].get()?[entry].get()?.get(at)
    }

    /// Makes the block of an item if it is not there. Gives what that takes of memory, in bytes.
    pub(super) fn make(&self, item: usize) -> usize {
        let (block, at) = place(item);
        if at > 0 {
            return 0;
        }
        let (part, entry) = part(block);
        let mut bytes = 0;
        let blocks = self.directory[part].get_or_init(|| {
            let len = if part == 0 { FIRST } else { FIRST << (part - 1) };
            bytes += len * size_of::<Block<T>>();
            (0..len).map(|_| OnceLock::new()).collect()
        });
        blocks[entry].get_or_init(|| {
            let items = Items::new(block_len(block), T::default);
            bytes += items.bytes();
            items
        });
        bytes
    }
}

/// The block of an item, and its place in there.
#[inline]
const fn place(item: usize) -> (usize, usize) {
    if item >= BLOCK {
        return (item / BLOCK + BLOCK.ilog2() as usize, item % BLOCK);
    }
    match item.checked_ilog2() {
        None => (0, 0),
        Some(log) => (log as usize + 1, item - (1 << log)),
    }
}

/// The part of the directory that knows a block, and its place in there.
#[inline]
const fn part(block: usize) -> (usize, usize) {
    if block < FIRST {
        return (0, block);
    }
    let log = (block / FIRST).ilog2() as usize;
    (log + 1, block - (FIRST << log))
}

const fn block_len(block: usize) -> usize {
    match block {
        0 => 1,
        _ if block <= BLOCK.ilog2() as usize => 1 << (block - 1),
        _ => BLOCK,
    }
}

#[cfg(all(test, not(slice_loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_item_has_a_place_of_its_own_and_keeps_it() {
        let blocks = Blocks::<AtomicUsize>::new();
        let mut bytes = 0;
        for item in 0..5000 {
            bytes += blocks.make(item);
            blocks.get(item).unwrap().store(item + 1, Ordering::Relaxed);
        }
        for item in 0..5000 {
            assert_eq!(blocks.get(item).unwrap().load(Ordering::Relaxed), item + 1);
        }
        assert!((5000 * 8..6500 * 8).contains(&bytes), "{bytes}");
    }

    #[test]
    fn an_item_of_no_block_is_none() {
        let blocks = Blocks::<AtomicUsize>::new();
        assert!(blocks.get(0).is_none());
        blocks.make(0);
        assert!(blocks.get(0).is_some() && blocks.get(1).is_none() && blocks.get(1 << 31).is_none());
    }

    #[test]
    fn places_follow_each_other_without_a_gap() {
        let mut next = (0, 0);
        for item in 0..100_000 {
            assert_eq!(place(item), next);
            next = if next.1 + 1 == block_len(next.0) { (next.0 + 1, 0) } else { (next.0, next.1 + 1) };
        }
        let mut next = (0, 0);
        for block in 0..10_000 {
            assert_eq!(part(block), next);
            let len = if next.0 == 0 { FIRST } else { FIRST << (next.0 - 1) };
            next = if next.1 + 1 == len { (next.0 + 1, 0) } else { (next.0, next.1 + 1) };
        }
        assert!(part(place(u32::MAX as usize).0).0 < PARTS);
    }
}
