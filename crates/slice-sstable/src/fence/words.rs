//! Ascending numbers, to be searched with one cache line a step.
//!
//! ```text
//!   level 2                   |  7   31  |                     the last number of each line below
//!                           /            \
//!   level 1      | 3  5  7 ... |      | 12 20 31 ... |         lines of eight
//!              /     |                 ...
//!   level 0  | 1 2 3 | 4 5 5 | ...                              all numbers; the last line is filled up with the largest u64
//! ```
//!
//! A search counts, in one line of each level, the numbers below what it looks for: eight comparisons without a branch, and
//! the upper levels stay in the nearest caches. A binary search touches a line in nearly every one of its steps. This is the
//! static B-tree of S. Slotin, "Algorithms for Modern Hardware" (2022).
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

/// The numbers of a line.
const FANOUT: usize = 8;

/// A cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u64; FANOUT]);

/// Ascending numbers.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Level 0 first; the last has one line.
    levels: Vec<Vec<Line>>,
    len: usize,
}

impl Words {
    pub(super) fn new(words: &[u64]) -> Self {
        let mut levels = vec![lines(words)];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let last: Vec<_> = below.iter().map(|Line([.., last])| *last).collect();
            levels.push(lines(&last));
        }
        Self { levels, len: words.len() }
    }

    pub(super) fn get(&self, i: usize) -> Option<u64> {
        if i >= self.len {
            return None;
        }
        self.levels.first()?.get(i / FANOUT)?.0.get(i % FANOUT).copied()
    }

    /// The first that is not below `wanted`; their number, when all are.
    #[inline]
    pub(super) fn lower_bound(&self, wanted: u64) -> usize {
        let mut at = 0;
        for level in self.levels.iter().rev() {
            // Behind the last line of a level, there is none below.
            let Some(Line(line)) = level.get(at) else { return self.len };
            at = at * FANOUT + line.iter().map(|&word| usize::from(word < wanted)).sum::<usize>();
        }
        at.min(self.len)
    }

    /// The memory that it holds, in bytes.
    pub(super) fn memory_used(&self) -> usize {
        self.levels.iter().map(|level| level.capacity() * size_of::<Line>()).sum()
    }
}

fn lines(words: &[u64]) -> Vec<Line> {
    let (whole, rest) = words.as_chunks::<FANOUT>();
    let mut lines: Vec<_> = whole.iter().copied().map(Line).collect();
    if !rest.is_empty() {
        let mut line = [u64::MAX; FANOUT];
        for (slot, &word) in line.iter_mut().zip(rest) {
            *slot = word;
        }
        lines.push(Line(line));
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fills_up_the_last_line_is_never_found() {
        for len in 0..600_usize {
            let words = Words::new(&(0..len as u64).collect::<Vec<_>>());
            assert_eq!((words.lower_bound(u64::MAX), words.get(len)), (len, None), "{len}");
            assert!((0..len).all(|i| words.lower_bound(i as u64) == i && words.get(i) == Some(i as u64)));
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_a_binary_search_finds(
            mut words in prop::collection::vec(prop_oneof![0..20_u64, any::<u64>(), Just(u64::MAX)], 0..700),
            wanted in prop_oneof![0..20_u64, any::<u64>(), Just(u64::MAX)],
        ) {
            words.sort_unstable();
            let expected = words.partition_point(|&word| word < wanted);
            prop_assert_eq!(Words::new(&words).lower_bound(wanted), expected);
        }
    }
}
