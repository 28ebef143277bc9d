//! What is done to a store: from a seed, always the same.

use super::store::{KEYS, Settings};
use crate::random::Random;
use crate::small_store::{Change, Entries, delete_from, key};

/// A seed's steps, and the options of the store that takes them.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) settings: Settings,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// One entry by itself, several as a batch.
    Write(Entries),
    Get(Vec<u8>),
    Sync,
    Flush,
    Compact,
    /// As after a crash of the process: nothing is synced.
    Reopen,
    CloseAndReopen,
}

impl Step {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Write(_) => "a write",
            Self::Get(_) => "a read",
            Self::Sync => "a sync",
            Self::Flush => "a flush",
            Self::Compact => "a compaction",
            Self::Reopen => "reopening",
            Self::CloseAndReopen => "closing",
        }
    }
}

impl Workload {
    pub(super) fn new(seed: u64, settings: Settings) -> Self {
        let mut random = Random::new(seed);
        let mut steps = Vec::new();
        // The options of a store take turns in six, and the scripts behind them.
        for (writes, then) in script(seed / 6) {
            for _ in 0..writes + random.below(3) {
                steps.push(Step::Write(entries(&mut random, steps.len())));
                steps.extend((random.below(3) == 0).then(|| Step::Get(key(random.below(KEYS)))));
            }
            steps.push(then);
        }
        Self { settings, steps }
    }
}

/// How many writes, and what comes behind them. Short, because a case runs all of it, and there is one for every
/// operation: several short workloads have more to fail than a long one in the same time.
fn script(number: u64) -> Vec<(u64, Step)> {
    match number % 4 {
        0 => vec![(4, Step::Flush), (3, Step::Flush), (1, Step::Compact), (2, Step::Sync)],
        1 => vec![(3, Step::Sync), (3, Step::Reopen), (3, Step::Flush), (1, Step::CloseAndReopen)],
        2 => vec![(6, Step::Compact), (3, Step::Reopen), (2, Step::Compact)],
        _ => vec![(3, Step::CloseAndReopen), (4, Step::Flush), (3, Step::Reopen), (1, Step::Sync)],
    }
}

/// A write of one to four entries. Each value is written once.
fn entries(random: &mut Random, step: usize) -> Entries {
    let count = if random.below(4) == 0 { 2 + random.below(3) } else { 1 };
    let mut entries = Entries::new();
    for n in 0..count {
        let value = format!("{step}.{n}:{}", "v".repeat(random.below(400) as usize));
        if random.below(16) == 0 {
            entries.push(delete_from(random.below(KEYS), random.below(4)));
            continue;
        }
        let change = match random.below(8) {
            0..2 => Change::Delete,
            2..4 => Change::Merge(value.into_bytes()),
            _ => Change::Put(value.into_bytes()),
        };
        entries.push((key(random.below(KEYS)), change));
    }
    entries
}
