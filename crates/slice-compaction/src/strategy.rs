//! The seam that strategies plug into.

use std::fmt::Debug;

use crate::{Busy, Levels, Task};

/// Decides what to compact next: a pure function of the tree's shape and of what is running.
///
/// Every strategy keeps the invariant of [`Levels`], so a tree can go from one to another at any time, and readers
/// need not know which one it has.
pub trait CompactionStrategy: Debug + Send + Sync {
    /// A short name, for logs.
    fn name(&self) -> &'static str;

    /// The most urgent task that can run beside those in `busy`, or `None` when there is none.
    ///
    /// Every task moves data down or leaves fewer runs, so done one after the other they end: without new tables,
    /// `pick` comes to `None`.
    fn pick(&self, levels: &Levels, busy: &Busy) -> Option<Task>;

    /// The bytes that still have to be compacted, running jobs included: what back-pressure goes by. 0 when nothing
    /// is due.
    fn debt_bytes(&self, levels: &Levels) -> u64;
}
