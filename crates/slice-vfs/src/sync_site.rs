//! The names of the calls that make something durable.
//!
//! A call that is left out loses nothing on a good day, so no ordinary test misses it. A name for each lets a test
//! leave out exactly one ([`MemFs::ignore_syncs`](crate::MemFs::ignore_syncs)) and demand that a crash then loses
//! something, and it lets a trace or a history say why the disk was waited for.

use std::fmt;

/// Why something is made durable: the name of one place in the code that calls a `sync`.
///
/// A layer declares a constant for each such place, beside it. Two sites of the same name are the same site, so a
/// name is given once.
///
/// ```
/// use slice_vfs::SyncSite;
///
/// const LEDGER_BYTES: SyncSite = SyncSite::new("ledger.bytes");
/// assert_eq!(LEDGER_BYTES.name(), "ledger.bytes");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncSite(&'static str);

impl SyncSite {
    /// The file system's own site: [`create_dir_all`](crate::Fs::create_dir_all) syncs the parent of each directory
    /// that it makes, and of the one that it was asked for, for nobody else knows which ones those are.
    pub const DIRECTORY_NAME: Self = SyncSite::new("directory.name");

    /// A site of this name: what is made durable, and which part of it, as in `log.bytes`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for SyncSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for SyncSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyncSite({})", self.0)
    }
}
