//! Every reason for which a store waits for the disk, by name.
//!
//! The layers declare a site beside each call that makes something durable; here they are together, for tests that
//! leave one out and demand that a crash then loses something. What each is for is in `docs/DURABILITY.md`.
//!
//! Invariant: no call of a `sync` in the sources is without a site of [`ALL`]. `cargo xtask tidy` compares the sites
//! that the sources declare with the table in `docs/DURABILITY.md`, and a test compares that with [`ALL`].

use slice_vfs::SyncSite;

pub use crate::background::install::TABLE_NAMES;
pub use crate::checkpoint::CHECKPOINT_BYTES;
pub use crate::db::logs::LOG_NAME;
pub use crate::manifest::{CURRENT_SITES, MANIFEST_EDIT, MANIFEST_NAME, MANIFEST_SNAPSHOT};
pub use crate::recovery::REPLAYED_LOG_BYTES;
pub use slice_sstable::{TABLE_DATA, TABLE_FILTER, TABLE_INDEX};
pub use slice_wal::LOG_BYTES;

/// All sites, in the order of the table in `docs/DURABILITY.md`.
pub const ALL: [SyncSite; 14] = [
    LOG_BYTES,
    LOG_NAME,
    TABLE_DATA,
    TABLE_FILTER,
    TABLE_INDEX,
    TABLE_NAMES,
    MANIFEST_EDIT,
    MANIFEST_SNAPSHOT,
    MANIFEST_NAME,
    CURRENT_SITES.bytes,
    CURRENT_SITES.name,
    REPLAYED_LOG_BYTES,
    CHECKPOINT_BYTES,
    SyncSite::DIRECTORY_NAME,
];
