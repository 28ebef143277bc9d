//! A small store, so that a few dozen writes have to do with every part of it.

use std::sync::Arc;
use std::time::Duration;

use slice::blocking::LSMTree;
use slice::compaction::CompactionConfig;
use slice::operators::Append;
#[cfg(feature = "planted-bugs")]
use slice::planted::Bug;
use slice::vfs::Fs;
use slice::{Background, Durability, Error, Strategy};

use super::Config;
use crate::small_store::{self, Contents};

pub(super) const DIR: &str = "/db";
/// How many keys there are.
pub(super) const KEYS: u64 = 8;

/// The options of a workload's store.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) background: Background,
    pub(super) durability: Durability,
    strategy: Strategy,
    block_cache_bytes: usize,
    #[cfg(feature = "planted-bugs")]
    bug: Option<Bug>,
}

impl Settings {
    /// Each level of durability with each strategy, in turn.
    pub(super) fn of(seed: u64, config: &Config) -> Self {
        let interval = Durability::Interval(Duration::from_millis(1));
        let durabilities = [Durability::Fsync, Durability::Buffered, interval];
        Self {
            background: config.background,
            durability: durabilities[(seed % 3) as usize],
            strategy: if seed.is_multiple_of(2) { Strategy::Leveled } else { Strategy::Tiered },
            block_cache_bytes: if seed.is_multiple_of(5) { 16 << 10 } else { 0 },
            #[cfg(feature = "planted-bugs")]
            bug: config.bug,
        }
    }

    /// The same without threads.
    pub(super) fn inline(&self) -> Self {
        Self { background: Background::Inline, ..self.clone() }
    }

    pub(super) fn is_inline(&self) -> bool {
        self.background == Background::Inline
    }

    pub(super) fn open(&self, fs: Arc<dyn Fs>) -> Result<LSMTree, Error> {
        let builder = LSMTree::builder(DIR)
            .fs(fs)
            .background(self.background)
            .merge_operator(Arc::new(Append::default()))
            .durability(self.durability)
            .strategy(self.strategy)
            .memtable_size(6 << 10)
            .block_size(512)
            .row_cache_entries(4)
            .block_cache_bytes(self.block_cache_bytes)
            .target_table_bytes(1 << 10)
            .level_base_bytes(2 << 10)
            .l0_compaction_trigger(2)
            // As often as can be, so that what heals by itself does so soon.
            .flush_interval(Duration::from_millis(1))
            .compaction_interval(Duration::from_millis(1))
            .compaction(CompactionConfig { max_sstables_per_job: 4, ..CompactionConfig::default() });
        #[cfg(feature = "planted-bugs")]
        let builder = match self.bug {
            Some(bug) => builder.plant(bug),
            None => builder,
        };
        builder.open_blocking()
    }
}

/// All that is there.
pub(super) fn contents(store: &LSMTree) -> Result<Contents, Error> {
    small_store::contents(store, KEYS)
}
