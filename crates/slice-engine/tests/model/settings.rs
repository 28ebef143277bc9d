//! Options at random: as small and as odd as they may be, so that little data does everything that much data would.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use slice::blocking::LSMTree;
use slice::compaction::CompactionConfig;
use slice::operators::Append;
use slice::planted::Bug;
use slice::vfs::{LogKind, MemFs};
use slice::{Background, Builder, Compression, Durability, ManualClock, MemTableKind, RecoveryMode};

const DIR: &str = "/db";

/// What a store is opened with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    safety: Safety,
    storage: Storage,
    shape: Shape,
    background: Background,
    planted: Option<Bug>,
}

/// When writes are durable, and how logs are read.
#[derive(Clone, Debug)]
struct Safety {
    durability: Durability,
    recovery_mode: RecoveryMode,
}

/// How data are held in memory and in tables. Sizes in bytes.
#[derive(Clone, Debug)]
struct Storage {
    memtable_kind: MemTableKind,
    memtable_size: usize,
    block_size: usize,
    compression: Compression,
    filter_bits: u8,
    row_cache_entries: usize,
    block_cache_bytes: usize,
}

/// How tables are arranged. Sizes in bytes.
#[derive(Clone, Debug)]
struct Shape {
    strategy: slice::Strategy,
    max_levels: usize,
    l0_trigger: usize,
    level_base_bytes: u64,
    level_multiplier: u64,
    target_table_bytes: u64,
    tables_per_job: usize,
    merge_parallelism: usize,
    parallel_merge: bool,
}

impl Settings {
    /// The same with a bug that the engine keeps for tests of tests.
    pub(crate) fn plant(self, planted: Option<Bug>) -> Self {
        Self { planted, ..self }
    }

    /// The settings of a reopen: what is planted stays where it is.
    pub(crate) fn succeeded_by(&self, next: Self) -> Self {
        next.plant(self.planted)
    }

    /// Whether a write is durable once it is acknowledged.
    pub(crate) fn is_durable_at_once(&self) -> bool {
        self.safety.durability == Durability::Fsync
    }

    pub(crate) fn open(&self, fs: &MemFs, clock: &Arc<ManualClock>) -> slice::Result<LSMTree> {
        let clock: Arc<ManualClock> = Arc::clone(clock);
        let builder = self.shape.apply(self.storage.apply(LSMTree::builder(DIR).fs(Arc::new(fs.clone()))));
        let builder = builder
            .durability(self.safety.durability)
            .recovery_mode(self.safety.recovery_mode)
            .background(self.background)
            .merge_operator(Arc::new(Append::default()))
            .clock(clock)
            .flush_interval(Duration::from_millis(1))
            .compaction_interval(Duration::from_millis(1));
        match self.planted {
            Some(bug) => builder.plant(bug).open_blocking(),
            None => builder.open_blocking(),
        }
    }
}

impl Storage {
    fn apply(&self, builder: Builder) -> Builder {
        builder
            .memtable_kind(self.memtable_kind)
            .memtable_size(self.memtable_size)
            .block_size(self.block_size)
            .compression(self.compression)
            .filter_bits_per_key(f64::from(self.filter_bits))
            .row_cache_entries(self.row_cache_entries)
            .block_cache_bytes(self.block_cache_bytes)
    }
}

impl Shape {
    fn apply(&self, builder: Builder) -> Builder {
        builder
            .strategy(self.strategy)
            .max_levels(self.max_levels)
            .l0_compaction_trigger(self.l0_trigger)
            .level_base_bytes(self.level_base_bytes)
            .level_multiplier(self.level_multiplier)
            .target_table_bytes(self.target_table_bytes)
            .compaction(CompactionConfig {
                max_concurrent_compactions: 2,
                merge_parallelism: self.merge_parallelism,
                max_sstables_per_job: self.tables_per_job,
                enable_parallel_merge: self.parallel_merge,
            })
    }
}

/// Any settings, with this way of doing background work.
pub(crate) fn settings(background: Background) -> impl Strategy<Value = Settings> {
    (safety(), storage(), shape()).prop_map(move |(safety, storage, shape)| Settings {
        safety,
        storage,
        shape,
        background,
        planted: None,
    })
}

/// A log that ends where its bytes end, or one with chunks of zeros behind, as a mapped one has.
pub(crate) fn log_kind() -> impl Strategy<Value = LogKind> {
    prop_oneof![
        Just(LogKind::Plain),
        Just(LogKind::Preallocated { chunk: 1 << 9 }),
        Just(LogKind::Preallocated { chunk: 64 << 10 }),
    ]
}

fn safety() -> impl Strategy<Value = Safety> {
    let durability = prop_oneof![
        2 => Just(Durability::Buffered),
        1 => Just(Durability::Fsync),
        1 => Just(Durability::Interval(Duration::from_millis(1))),
    ];
    // The stricter modes refuse what a power failure may leave, and the laxer one leaves holes.
    let mode = prop_oneof![Just(RecoveryMode::TolerateTornTail), Just(RecoveryMode::PointInTime)];
    (durability, mode).prop_map(|(durability, recovery_mode)| Safety { durability, recovery_mode })
}

fn storage() -> impl Strategy<Value = Storage> {
    let memtable_kind = prop_oneof![2 => Just(MemTableKind::BTree), 1 => Just(MemTableKind::SkipList)];
    let memtable_size = prop_oneof![3 => Just(1 << 10), 2 => Just(4 << 10), 1 => Just(1 << 20)];
    let block_size = prop_oneof![Just(64), Just(256), Just(4 << 10)];
    let rows = prop_oneof![Just(0), Just(2), Just(1000)];
    let blocks = prop_oneof![Just(0), Just(1 << 10), Just(8 << 20)];
    ((memtable_kind, memtable_size), block_size, compression(), 0..=20_u8, rows, blocks).prop_map(
        |(
            (memtable_kind, memtable_size),
            block_size,
            compression,
            filter_bits,
            row_cache_entries,
            block_cache_bytes,
        )| {
            Storage {
                memtable_kind,
                memtable_size,
                block_size,
                compression,
                filter_bits,
                row_cache_entries,
                block_cache_bytes,
            }
        },
    )
}

/// Every codec of the build.
fn compression() -> impl Strategy<Value = Compression> {
    let codecs = [
        Compression::None,
        Compression::Lz4,
        #[cfg(feature = "zstd")]
        Compression::Zstd,
    ];
    prop::sample::select(codecs.as_slice().to_vec())
}

fn shape() -> impl Strategy<Value = Shape> {
    let strategy = prop_oneof![Just(slice::Strategy::Leveled), Just(slice::Strategy::Tiered)];
    let base = prop_oneof![Just(1_u64 << 10), Just(4 << 10), Just(1 << 20)];
    let table = prop_oneof![Just(1_u64 << 10), Just(4 << 10), Just(1 << 20)];
    let levels = (2..=7_usize, 1..=4_usize, base, 2..=10_u64, table);
    let jobs = (1..=10_usize, 1..=4_usize, any::<bool>());
    (strategy, levels, jobs).prop_map(|(strategy, levels, jobs)| {
        let (max_levels, l0_trigger, level_base_bytes, level_multiplier, target_table_bytes) = levels;
        let (tables_per_job, merge_parallelism, parallel_merge) = jobs;
        Shape {
            strategy,
            max_levels,
            l0_trigger,
            level_base_bytes,
            level_multiplier,
            target_table_bytes,
            tables_per_job,
            merge_parallelism,
            parallel_merge,
        }
    })
}
