#![doc = include_str!("../README.md")]

mod busy;
mod candidate;
mod config;
mod full;
mod leveled;
mod levels;
pub mod merge;
mod place;
mod range_deletes;
mod strategy;
mod task;
mod tiered;

pub use busy::Busy;
pub use config::{CompactionConfig, StrategyOptions};
pub use full::{pick_full, pick_full_expiring};
pub use leveled::Leveled;
pub use levels::{Levels, TableMeta};
pub use merge::{
    Decision, DeeperKeys, Grandparent, MergeOptions, MergeStats, MergingIter, NoRules, Raise, TableSink,
    ValueRules, merge, merge_values, split_ranges,
};
pub use range_deletes::{pick_covered, pick_purge};
pub use strategy::CompactionStrategy;
pub use task::{Reason, Task, TaskKind};
pub use tiered::Tiered;

#[cfg(test)]
mod tests;
