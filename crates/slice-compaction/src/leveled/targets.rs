//! How large each level is meant to be, counted from the bottom up.
//!
//! From the size of the largest level upwards, each level is meant to hold a `multiplier`th of the one below. The
//! level where that comes to between `base / multiplier` and `base` is the *base level*: level 0 compacts into it, and
//! the levels between stay empty. So a small tree has few levels, and nine tenths of a large one are in its last level
//! whatever its size: space amplification is 1.1 and not a matter of luck.
//!
//! ```text
//!   base 256 MiB, multiplier 10, 7 levels        the last level holds 100 GiB
//!
//!   L0 ──────────────────────> L3      L4         L5        L6
//!                           102 MiB   1 GiB     10 GiB    100 GiB
//! ```
//!
//! Source: RocksDB, `level_compaction_dynamic_level_bytes` (Dong et al., "Optimizing Space Amplification in RocksDB",
//! CIDR 2017).

use crate::{Levels, StrategyOptions};

/// The meant sizes of a tree's levels.
#[derive(Debug)]
pub(super) struct Targets {
    /// Where level 0 goes: at least 1, and no deeper than the first level that has tables.
    pub(super) base: usize,
    /// The deepest level.
    pub(super) last: usize,
    base_bytes: u64,
    base_limit: u64,
    multiplier: u64,
}

impl Targets {
    pub(super) fn new(levels: &Levels, options: &StrategyOptions) -> Self {
        // A tree that was deeper under other options stays readable and is still compacted.
        let last = (options.levels - 1).max(levels.deepest().unwrap_or(0));
        let first_used = levels.next_below(0).unwrap_or(last);
        let largest = (1..=last).map(|level| levels.bytes(level)).max().unwrap_or(0);
        let steps = u32::try_from(last - first_used).unwrap_or(u32::MAX);
        let mut wanted = largest / options.level_multiplier.saturating_pow(steps).max(1);
        let mut base = first_used;
        while base > 1 && wanted > options.level_base_bytes {
            base -= 1;
            wanted /= options.level_multiplier;
        }
        let floor = options.level_base_bytes / options.level_multiplier;
        let base_bytes = wanted.clamp(floor.max(1), options.level_base_bytes.max(1));
        Self {
            base,
            last,
            base_bytes,
            base_limit: options.level_base_bytes,
            multiplier: options.level_multiplier,
        }
    }

    /// What a level of 1 or deeper is meant to hold, in bytes; never less than the base, or else a tree of little data
    /// in many levels would have an hourglass's shape.
    pub(super) fn bytes(&self, level: usize) -> u64 {
        let steps = u32::try_from(level.saturating_sub(self.base)).unwrap_or(u32::MAX);
        self.base_bytes.saturating_mul(self.multiplier.saturating_pow(steps)).max(self.base_limit)
    }
}
