#![doc = include_str!("../README.md")]

mod background;
pub mod blocking;
mod checkpoint;
mod commit;
mod db;
mod delete_range;
mod health;
mod ingest;
mod keyspaces;
pub mod lsm;
mod manifest;
#[cfg(all(test, slice_loom))]
mod models;
pub mod options;
#[cfg(feature = "planted-bugs")]
pub mod planted;
#[cfg(not(feature = "planted-bugs"))]
mod planted;
mod primitives;
mod read;
mod recovery;
mod repair;
mod scan;
mod signal;
mod snapshot;
mod stats;
pub mod sync_sites;
mod transaction;
mod tree;
mod values;
mod verify;
mod write_batch;

pub use db::MAX_KEYSPACE_NAME_LEN;
pub use health::Health;
pub use keyspaces::{Keyspace, WriteOptions};
pub use lsm::LSMTree;
pub use options::{Background, Builder, Durability, KeyspaceOptions, Options, Profile, Strategy};
pub use read::Readable;
pub use repair::{Lost, Origin, RepairReport, repair};
pub use scan::Scan;
pub use slice_compaction::Decision;
pub use slice_memtable::MemTableKind;
pub use slice_sstable::Compression;
pub use slice_types::{Error, ErrorKind, MAX_KEY_LEN, MAX_VALUE_LEN, Result};
pub use slice_vfs as vfs;
pub use slice_wal::RecoveryMode;
pub use snapshot::Snapshot;
pub use transaction::{Isolation, Savepoint, Transaction};
pub use values::{
    Clock, CompactionContext, CompactionFilter, CompactionFilterFactory, ManualClock, MergeOperator,
    operators,
};
pub use verify::{Finding, FindingKind, Report, verify};
pub use write_batch::WriteBatch;

/// The error of the store, under the name that its first users know.
pub use slice_types::Error as SliceError;

/// Compaction: its configuration and its strategies.
pub mod compaction {
    pub use slice_compaction::*;
}

/// Caches of rows and blocks.
pub mod cache {
    pub use slice_cache::*;
}

/// Bloom filters.
pub mod bloom {
    pub use slice_bloom::*;
}

/// The sorted table in memory.
pub mod memtable {
    pub use slice_memtable::*;
}

/// The write-ahead log.
pub mod wal {
    pub use slice_wal::*;
}

/// Sorted tables on disk.
pub mod sstable {
    pub use slice_sstable::*;
}

/// Errors.
pub mod error {
    pub use slice_types::Error as SliceError;
    pub use slice_types::{Error, ErrorKind, Result};
}

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ReadmeDoctests;
