//! Bugs planted on purpose, so that the tests can show that they would find such a bug.
//!
//! They are compiled in by the feature `planted-bugs` only, which nothing but tests turns on; and even then each store
//! has none until [`Builder::plant`](crate::Builder::plant) gives it one. Without the feature [`Planted::has`] is
//! `false` for the compiler, and nothing of them is left.

/// A bug that a store can be opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    not(feature = "planted-bugs"),
    expect(unreachable_pub, reason = "it is public where it can be planted")
)]
#[non_exhaustive]
pub enum Bug {
    /// A write with `Fsync` is acknowledged without waiting for the fsync.
    AckBeforeSync,
    /// A failed fsync of the log counts as done.
    ForgetFailedSync,
    /// The entries of a batch are logged and published one by one.
    SplitBatch,
    /// Compactions drop every tombstone, whatever lies below.
    DropTombstones,
    /// Flushes and compactions drop and fold what only a snapshot reads.
    ForgetSnapshots,
    /// A flush or a compaction writes only the first entry of each table.
    LoseEntries,
    /// A flush does not make the logs durable that hold entries of other keyspaces, too.
    FlushBeforeSharedLogs,
    /// A read does not see the newest commit.
    ReadBehind,
    /// A batch is published before it is in the memtable.
    PublishBeforeInsert,
    /// A load in bulk leaves what was written before it in the memtables, which are read before it.
    IngestUnflushed,
    /// A flush writes no range tombstones to the manifest.
    ForgetRangeTombstones,
    /// A compaction leaves in what range tombstones cover, and says that it is out.
    KeepCovered,
    /// A serializable transaction commits whatever became of what it read.
    SkipReadValidation,
    /// A transaction commits whoever else wrote to its keys.
    SkipWriteValidation,
    /// A transaction takes its moment before its commits are recorded for it.
    BeginLate,
}

impl Bug {
    /// All of them.
    #[cfg(feature = "planted-bugs")]
    pub const ALL: &[Self] = &[
        Self::AckBeforeSync,
        Self::ForgetFailedSync,
        Self::SplitBatch,
        Self::DropTombstones,
        Self::ForgetSnapshots,
        Self::LoseEntries,
        Self::FlushBeforeSharedLogs,
        Self::ReadBehind,
        Self::PublishBeforeInsert,
        Self::IngestUnflushed,
        Self::ForgetRangeTombstones,
        Self::KeepCovered,
        Self::SkipReadValidation,
        Self::SkipWriteValidation,
        Self::BeginLate,
    ];
}

/// The bug of a store, if it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Planted {
    #[cfg(feature = "planted-bugs")]
    bug: Option<Bug>,
}

impl Planted {
    #[cfg(feature = "planted-bugs")]
    pub(crate) const fn of(bug: Bug) -> Self {
        Self { bug: Some(bug) }
    }

    #[cfg(feature = "planted-bugs")]
    pub(crate) fn has(self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    #[cfg(not(feature = "planted-bugs"))]
    #[expect(clippy::unused_self, reason = "it has no bug to ask for")]
    #[inline]
    pub(crate) const fn has(self, _bug: Bug) -> bool {
        false
    }
}
