//! The options of a workload's store: so small that some hundred writes have to do with every part of it.

use std::sync::Arc;
use std::time::Duration;

use slice::blocking::LSMTree;
use slice::compaction::CompactionConfig;
use slice::operators::Append;
use slice::vfs::{Fs, LogKind};
use slice::{Background, Builder, Compression, Durability, ManualClock, Strategy};

use super::Config;
use crate::random::Random;

/// Where the store is.
pub(super) const DIR: &str = "/data/db";

/// The options, as the seed chooses them.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) durability: Durability,
    strategy: Strategy,
    background: Background,
    pub(super) log_kind: LogKind,
    memtable_size: usize,
    block_size: usize,
    compression: Compression,
    caches: usize,
    filter_bits_per_key: f64,
    parallel_merges: bool,
    #[cfg(feature = "planted-bugs")]
    bug: Option<slice::planted::Bug>,
}

impl Settings {
    /// What matters most takes turns: each durability with each strategy, with threads in one of four. The rest is
    /// random.
    pub(super) fn of(config: &Config) -> Self {
        let mut random = Random::new(config.seed ^ 0x5e77);
        let interval = Durability::Interval(Duration::from_millis(1));
        let turn = config.seed;
        Self {
            durability: [Durability::Buffered, Durability::Fsync, interval][(turn % 3) as usize],
            strategy: [Strategy::Leveled, Strategy::Tiered][(turn % 2) as usize],
            background: if turn % 4 == 3 { Background::Threads } else { Background::Inline },
            log_kind: random.choose(&[LogKind::Plain, LogKind::Preallocated { chunk: 16 << 10 }]),
            memtable_size: random.choose(&[4 << 10, 8 << 10]),
            block_size: random.choose(&[64, 256, 4096]),
            compression: random.choose(&[Compression::None, Compression::Lz4]),
            caches: random.choose(&[0, 3, 1000]),
            filter_bits_per_key: random.choose(&[0.0, 10.0]),
            parallel_merges: random.below(3) == 0,
            #[cfg(feature = "planted-bugs")]
            bug: config.bug,
        }
    }

    /// Whether the same seed gives the same operations of the disk.
    pub(super) fn is_repeatable(&self) -> bool {
        self.background == Background::Inline && !self.parallel_merges
    }

    /// Opens the store for the workload.
    pub(super) fn open(&self, fs: Arc<dyn Fs>, clock: &Arc<ManualClock>) -> slice::Result<LSMTree> {
        self.builder(DIR, fs, Arc::clone(clock)).background(self.background).open_blocking()
    }

    /// Opens the store after a crash at this time: without threads, so that the recovery is the only one to use the disk.
    pub(super) fn recover(&self, fs: Arc<dyn Fs>, now_ms: u64) -> slice::Result<LSMTree> {
        self.builder(DIR, fs, Arc::new(ManualClock::new(now_ms)))
            .background(Background::Inline)
            .open_blocking()
    }

    /// Opens a checkpoint at this time, if there is one.
    pub(super) fn open_copy(&self, dir: &str, fs: Arc<dyn Fs>, now_ms: u64) -> slice::Result<LSMTree> {
        let builder =
            self.builder(dir, fs, Arc::new(ManualClock::new(now_ms))).background(Background::Inline);
        builder.create_if_missing(false).open_blocking()
    }

    fn builder(&self, dir: &str, fs: Arc<dyn Fs>, clock: Arc<ManualClock>) -> Builder {
        let builder = LSMTree::builder(dir)
            .fs(fs)
            .clock(clock)
            .merge_operator(Arc::new(Append::default()))
            .durability(self.durability)
            .strategy(self.strategy)
            .memtable_size(self.memtable_size)
            .block_size(self.block_size)
            .compression(self.compression)
            .row_cache_entries(self.caches)
            .block_cache_bytes(self.caches << 10)
            .filter_bits_per_key(self.filter_bits_per_key)
            .target_table_bytes(2 << 10)
            .level_base_bytes(4 << 10)
            .l0_compaction_trigger(2)
            .compaction(CompactionConfig {
                max_sstables_per_job: 4,
                enable_parallel_merge: self.parallel_merges,
                ..CompactionConfig::default()
            })
            .merge_part_bytes(1 << 10);
        #[cfg(feature = "planted-bugs")]
        let builder = self.bug.into_iter().fold(builder, Builder::plant);
        builder
    }
}
