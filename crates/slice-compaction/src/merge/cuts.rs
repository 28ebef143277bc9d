//! Where output tables end.
//!
//! A table ends when it has its size. It ends earlier where a table of the level below ends (a *grandparent*), if it is
//! large enough by then: tables with aligned ends overlap one table less when they are compacted in turn. And it ends
//! once it overlaps too many bytes of grandparents, since all of them will be rewritten with it.
//!
//! Sources: LevelDB, `ShouldStopBefore`, for the limit; RocksDB, `CompactionOutputs::ShouldStopBefore`, for the
//! alignment and its thresholds (12 % fewer bytes compacted, by their measurements).

use std::sync::Arc;

use crate::TableMeta;
use crate::config::max_grandparent_bytes;

/// A table of the level below the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grandparent {
    /// Its smallest user key.
    pub smallest: Arc<[u8]>,
    /// Its largest user key.
    pub largest: Arc<[u8]>,
    /// Its stored size, in bytes.
    pub bytes: u64,
}

impl From<&TableMeta> for Grandparent {
    fn from(table: &TableMeta) -> Self {
        Self { smallest: table.smallest.clone(), largest: table.largest.clone(), bytes: table.bytes }
    }
}

/// The least share of the target, in percent, at which a table ends with a grandparent; 5 more for each that it has
/// passed before, up to 40: the more it overlaps anyway, the less an aligned end saves.
const ALIGNED_PERCENT: u64 = 50;

/// Follows the keys of the output through the grandparents.
#[derive(Debug)]
pub(super) struct Cuts<'a> {
    /// Grandparents that do not end before the last key seen.
    rest: &'a [Grandparent],
    /// Whether the last key seen lies within the first of `rest`.
    is_inside: bool,
    target: u64,
    /// Bytes of grandparents that the table in progress overlaps.
    overlapped: u64,
    /// Ends and starts of grandparents that it has passed.
    passed: u64,
}

impl<'a> Cuts<'a> {
    pub(super) fn new(grandparents: &'a [Grandparent], target: u64) -> Self {
        assert!(
            grandparents.is_sorted_by(|left, right| left.largest < right.smallest),
            "grandparents are given by key and do not overlap"
        );
        Self { rest: grandparents, is_inside: false, target, overlapped: 0, passed: 0 }
    }

    /// Whether a table of `bytes` ends before `key`, the next user key of the output.
    #[inline]
    pub(super) fn is_due_before(&mut self, key: &[u8], bytes: u64) -> bool {
        let passes = !self.rest.is_empty() && self.step_to(key);
        bytes >= self.target
            || (passes && bytes >= self.aligned_bytes())
            || self.overlapped > max_grandparent_bytes(self.target)
    }

    /// The table in progress ended; the next one starts with the key last seen.
    pub(super) fn start_table(&mut self) {
        self.passed = 0;
        self.overlapped = if self.is_inside { self.rest.first().map_or(0, |first| first.bytes) } else { 0 };
    }

    fn aligned_bytes(&self) -> u64 {
        let earlier = self.passed.saturating_sub(1);
        let percent = ALIGNED_PERCENT + (earlier * 5).min(40);
        (u128::from(self.target) * u128::from(percent) / 100) as u64
    }

    /// Goes on to `key`; tells whether an end or a start of a grandparent lies between it and the key before.
    #[inline]
    fn step_to(&mut self, key: &[u8]) -> bool {
        let before = self.passed;
        while let Some((first, rest)) = self.rest.split_first() {
            if !self.is_inside && *first.smallest <= *key {
                self.is_inside = true;
                self.passed += 1;
                self.overlapped = self.overlapped.saturating_add(first.bytes);
            }
            if *first.largest >= *key {
                break;
            }
            self.rest = rest;
            self.is_inside = false;
            self.passed += 1;
        }
        self.passed > before
    }
}
