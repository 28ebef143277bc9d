//! The way to a store with options of one's own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use slice_compaction::CompactionConfig;
use slice_memtable::MemTableKind;
use slice_sstable::Compression;
use slice_types::Result;
use slice_vfs::{Fs, StdFs};
use slice_wal::RecoveryMode;

use super::{Background, Durability, KeyspaceOptions, Options, Profile, Strategy};
use crate::{LSMTree, blocking};

/// Collects options, then opens the store; made by [`LSMTree::builder`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> slice::Result<()> {
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("data");
/// use slice::{Durability, LSMTree};
///
/// let lsm = LSMTree::builder(&path)
///     .memtable_size(16 << 20)
///     .block_cache_bytes(256 << 20)
///     .durability(Durability::Fsync)
///     .open()
///     .await?;
/// lsm.put(b"key", b"value").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is opened"]
pub struct Builder {
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
    pub(crate) keyspaces: BTreeMap<String, KeyspaceOptions>,
    pub(crate) fs: Arc<dyn Fs>,
}

macro_rules! setters {
    ($($field:ident: $type:ty),* $(,)?) => {$(
        #[doc = concat!("Sets [`Options::", stringify!($field), "`].")]
        pub fn $field(mut self, $field: $type) -> Self {
            self.options.$field = $field;
            self
        }
    )*};
}

impl Builder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, options: Options::default(), keyspaces: BTreeMap::new(), fs: Arc::new(StdFs::new()) }
    }

    /// Takes all options at once.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Takes the options of a profile, in place of all that was chosen before.
    pub fn profile(self, profile: Profile) -> Self {
        self.options(Options::for_profile(profile))
    }

    /// Declares a keyspace with options of its own: it is opened with them, and made if there is none of this name.
    ///
    /// What a keyspace's values mean (its merge operator, its default time to live) has to be declared here whenever the
    /// store is opened; other options may also be given later, by [`LSMTree::keyspace_with`].
    pub fn keyspace(mut self, name: impl Into<String>, options: KeyspaceOptions) -> Self {
        self.keyspaces.insert(name.into(), options);
        self
    }

    /// Puts the store on another file system: one in memory, or one that fails on purpose.
    pub fn fs(mut self, fs: Arc<dyn Fs>) -> Self {
        self.fs = fs;
        self
    }

    /// Gives the store a bug, for tests that have to find it.
    #[cfg(feature = "planted-bugs")]
    pub fn plant(mut self, bug: crate::planted::Bug) -> Self {
        self.options.planted = crate::planted::Planted::of(bug);
        self
    }

    setters! {
        memtable_kind: MemTableKind,
        memtable_size: usize,
        max_frozen_memtables: usize,
        memtable_max_age: Duration,
        memory_budget: Option<usize>,
        row_cache_entries: usize,
        block_cache_bytes: usize,
        block_size: usize,
        compression: Compression,
        compression_by_level: Vec<Compression>,
        filter_bits_per_key: f64,
        durability: Durability,
        recovery_mode: RecoveryMode,
        strategy: Strategy,
        compaction: CompactionConfig,
        max_levels: usize,
        l0_compaction_trigger: usize,
        l0_slowdown_trigger: usize,
        level_base_bytes: u64,
        level_multiplier: u64,
        target_table_bytes: u64,
        merge_part_bytes: u64,
        flush_interval: Duration,
        compaction_interval: Duration,
        create_if_missing: bool,
        read_only: bool,
        background: Background,
    }

    /// Opens the store, recovering it if it was not closed.
    ///
    /// # Errors
    ///
    /// As [`LSMTree::new`].
    pub async fn open(self) -> Result<LSMTree> {
        LSMTree::open(self).await
    }

    /// Reads every file of the store, which must not be open, and reports all that is wrong: see
    /// [`verify`](crate::verify()). It blocks; the options do not matter.
    ///
    /// # Errors
    ///
    /// As [`verify`](crate::verify()).
    pub fn verify(&self) -> Result<crate::Report> {
        crate::verify::verify_on(&*self.fs, &self.path)
    }

    /// Saves what can be read of a damaged store on the same file system into a new one, here and with these options:
    /// see [`repair`](crate::repair()). It blocks, and leaves the new store closed.
    ///
    /// # Errors
    ///
    /// As [`repair`](crate::repair()); `InvalidArgument` for an option out of its bounds.
    pub fn repair_from(self, damaged: impl AsRef<std::path::Path>) -> Result<crate::RepairReport> {
        crate::repair::repair_into(damaged.as_ref(), self)
    }

    /// Opens the store for use without an async runtime.
    ///
    /// # Errors
    ///
    /// As [`LSMTree::new`].
    pub fn open_blocking(self) -> Result<blocking::LSMTree> {
        blocking::LSMTree::open(self)
    }
}
