//! With which options a worker opens its store: small ones, so that a few writes are flushed and compacted.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use slice::vfs::StdFs;
use slice::{Background, Builder, Durability, Strategy};

/// What is chosen for a worker.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Tuning {
    /// Decides the options that are not chosen.
    #[arg(long, default_value_t = 0)]
    pub(super) round: u64,
    /// No threads but the writers'.
    #[arg(long)]
    pub(super) inline: bool,
    /// Every write is synced.
    #[arg(long)]
    pub(super) fsync: bool,
    /// A memtable's size, in bytes.
    #[arg(long)]
    pub(super) memtable: Option<usize>,
}

impl Tuning {
    /// All but the round as it comes.
    pub(super) fn of_round(round: u64) -> Self {
        Self { round, inline: false, fsync: false, memtable: None }
    }

    /// The way to the store.
    pub(super) fn builder(&self, dir: &Path) -> Builder {
        let mut rng = SmallRng::seed_from_u64(self.round);
        let memtable = 1 << rng.random_range(13..18);
        let fs = if rng.random_ratio(1, 4) { StdFs::plain_logs() } else { StdFs::new() };
        let strategy = if rng.random() { Strategy::Leveled } else { Strategy::Tiered };
        let durability = if self.fsync { Durability::Fsync } else { any_durability(&mut rng) };
        slice::LSMTree::builder(dir)
            .fs(Arc::new(fs))
            .memtable_size(self.memtable.unwrap_or(memtable))
            .target_table_bytes(4 << 10)
            .level_base_bytes(32 << 10)
            .level_multiplier(4)
            .l0_compaction_trigger(rng.random_range(1..=4))
            .block_size(512)
            .row_cache_entries(rng.random_range(0..64))
            .flush_interval(Duration::from_millis(50))
            .compaction_interval(Duration::from_millis(100))
            .strategy(strategy)
            .durability(durability)
            .background(if self.inline { Background::Inline } else { Background::Threads })
    }
}

fn any_durability(rng: &mut SmallRng) -> Durability {
    match rng.random_range(0..4) {
        0 => Durability::Fsync,
        1 => Durability::Interval(Duration::from_millis(5)),
        _ => Durability::Buffered,
    }
}
