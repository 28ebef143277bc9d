//! How much was tried.

use std::collections::BTreeMap;
use std::fmt;

use super::case::{Case, Lane, Operations};

/// What a run has tried, when nothing went wrong.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cases whose fault came to pass: error points.
    pub error_points: u64,
    /// Calls of the store that gave an error.
    pub failed_calls: u64,
    /// States of the disk, as after a power failure, that were opened and checked.
    pub crash_images: u64,
    /// What the last case asked of the disk.
    pub(super) operations: Operations,
    by_kind: BTreeMap<(Lane, String), u64>,
}

/// What one case has tried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) has_fired: bool,
    pub(super) failed_calls: u64,
    pub(super) crash_images: u64,
    pub(super) operations: Operations,
}

impl Report {
    pub(super) fn add_outcome(&mut self, case: &Case, outcome: &Outcome) {
        self.operations = outcome.operations;
        self.failed_calls += outcome.failed_calls;
        self.crash_images += outcome.crash_images;
        if let (Some(plan), true) = (&case.plan, outcome.has_fired) {
            self.error_points += 1;
            *self.by_kind.entry((plan.lane, format!("{:?}, {:?}", plan.fault, plan.span))).or_default() += 1;
        }
    }

    /// Adds what another run has tried.
    pub fn add(&mut self, other: Self) {
        self.error_points += other.error_points;
        self.failed_calls += other.failed_calls;
        self.crash_images += other.crash_images;
        for (kind, count) in other.by_kind {
            *self.by_kind.entry(kind).or_default() += count;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error_points, failed_calls, crash_images, .. } = self;
        write!(
            f,
            "{error_points} error points, {failed_calls} calls failed, {crash_images} crash images opened"
        )?;
        for ((lane, kind), count) in &self.by_kind {
            write!(f, "\n  {count:>7}  {lane:?}: {kind}")?;
        }
        Ok(())
    }
}
