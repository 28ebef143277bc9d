//! How fast the background gets its work done, and what that means for writers.
//!
//! Two things pile up: frozen memtables, which are memory, and tables of level 0, which every read pays for. For each
//! there is a measured rate at which it goes away. While the pile is low, writers go at full speed; once it is not,
//! they go at the rate at which it shrinks, and slower the higher it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use slice_types::Level;

use crate::commit::pressure::Pile;
use crate::db::Core;
use crate::tree::Tree;

/// Before anything is measured, in bytes a second: a slow disk's.
const FIRST_GUESS: u64 = 64 << 20;
/// How much slower writers get with each table beyond the bound.
const STEP: f64 = 0.85;

/// A rate in bytes a second: a moving average over the last few measurements.
#[derive(Debug)]
pub(crate) struct Rate(AtomicU64);

impl Default for Rate {
    fn default() -> Self {
        Self(AtomicU64::new(FIRST_GUESS))
    }
}

impl Rate {
    fn measured(&self, bytes: u64, time: Duration) {
        let now = bytes as f64 / time.as_secs_f64().max(1e-6);
        let average = self.get() * 0.7 + now * 0.3;
        self.0.store(average as u64, Ordering::Relaxed);
    }

    fn get(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64
    }
}

/// The measured rates.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    /// Bytes of logs whose memtables flushes turn into tables.
    memory: Rate,
    /// Raw bytes that leave level 0.
    level_0: Rate,
}

impl Core {
    pub(crate) fn drained_memory(&self, bytes: u64, time: Duration) {
        if bytes > 0 {
            self.drain.memory.measured(bytes, time);
        }
    }

    pub(crate) fn drained_level_0(&self, bytes: u64, time: Duration) {
        if bytes > 0 {
            self.drain.level_0.measured(bytes, time);
        }
    }

    /// Makes the writers' speed fit what is piled up now.
    pub(crate) fn update_pressure(&self) {
        let slowest = self.trees.all().iter().filter_map(|tree| self.bearable(tree)).reduce(slower);
        self.pressure.slow_to(slowest.filter(|_| !self.is_inline()));
    }

    /// The rate at which a keyspace's piles shrink, if one is high, and which.
    fn bearable(&self, tree: &Tree) -> Option<(f64, Pile)> {
        let (view, settings) = (tree.view(), tree.settings());
        let tables = view.version.levels().get(Level::ZERO.index()).map_or(0, Vec::len);
        let beyond = tables.saturating_sub(settings.options.l0_slowdown_trigger - 1);
        let for_level_0 =
            (beyond > 0).then(|| (self.drain.level_0.get() * STEP.powf(beyond as f64 - 1.0), Pile::Level0));
        let waits = view.frozen.len() >= settings.options.max_frozen_memtables;
        let for_memory = waits.then(|| (self.drain.memory.get(), Pile::Memory));
        for_level_0.into_iter().chain(for_memory).reduce(slower)
    }
}

fn slower(a: (f64, Pile), b: (f64, Pile)) -> (f64, Pile) {
    if b.0 < a.0 { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_follows_what_is_measured() {
        let rate = Rate::default();
        for _ in 0..30 {
            rate.measured(1_000_000, Duration::from_millis(100));
        }
        assert!((rate.get() - 1e7).abs() < 1e5, "{}", rate.get());
    }
}
