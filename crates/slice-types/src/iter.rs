//! The one shape of an iterator over entries: memtable, block, table, level and merge all have it.
#![expect(clippy::missing_errors_doc, reason = "one section speaks for all methods")]

use crate::{EntryRef, Result, Trailer, key_prefix};

/// A cursor over entries in internal order.
///
/// It stands on an entry, or on none: before the first movement, and once it has run off either end. A movement that
/// fails leaves it on none; the error is returned once, and a later seek may succeed.
///
/// Static dispatch only: the calls are per entry, and a merge holds its inputs in an enum.
pub trait EntryIterator {
    /// The entry that it stands on. Free: no I/O, no decoding that a movement could have done.
    fn entry(&self) -> Option<EntryRef<'_>>;

    /// The [`key_prefix`] of the entry that it stands on, from those who have it at hand.
    #[inline]
    fn prefix(&self) -> Option<u128> {
        self.entry().map(|entry| key_prefix(entry.key))
    }

    /// Whether the entry that it stands on is certainly the newest version of its key here. `false` also where that
    /// takes more than a look at the entry before.
    #[inline]
    fn is_newest(&self) -> bool {
        false
    }

    /// Moves to the first entry of all.
    ///
    /// # Errors
    ///
    /// I/O or corruption below; so for every movement.
    fn seek_to_first(&mut self) -> Result<()>;

    /// Moves to the last entry of all.
    fn seek_to_last(&mut self) -> Result<()>;

    /// Moves to the first entry at or after `(key, trailer)`.
    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()>;

    /// Moves to the last entry at or before `(key, trailer)`.
    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()>;

    /// Moves to the following entry. On none, it stays on none.
    fn next(&mut self) -> Result<()>;

    /// Moves to the preceding entry. On none, it stays on none.
    fn prev(&mut self) -> Result<()>;
}
