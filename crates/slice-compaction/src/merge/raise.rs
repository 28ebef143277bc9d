//! Higher sequence numbers for entries, so that neighbours have the same one.
//!
//! Sequence numbers of keys that were written in any order are noise, which no compression makes smaller. But which number
//! below the oldest snapshot an entry has, no reader can tell: only the order among the versions of one key counts. So the
//! newest version of a key in stripe 0, if it is a value or a tombstone, takes the highest number of the merge's inputs.
//!
//! ```text
//!   inputs    a@7  b@3  c@12  d@5            oldest snapshot 20
//!   output    a@12 b@12 c@12  d@12           one number: a table stores it once a block
//! ```
//!
//! Numbers rise and never fall, on which these rely:
//!
//! - A newer version of the key in no input has a higher number: it is in a memtable, which is newer than all tables, or in
//!   a table that has higher numbers only, or the key is within [`Raise::newer`], and keeps its number.
//! - A range tombstone above the old number and not above the new one covers nothing: it would have hidden the entry here.
//! - Of two tables with versions of a key that were both found after a crash, without knowing which replaced the other, the
//!   higher number still has the newer one: see `repair`.

use slice_types::{EntryKind, EntryRef, SeqNo, Trailer};

use super::DeeperKeys;
use super::deeper::Sweep;

/// How far a merge may raise the numbers of entries, and of which not. By default it raises none.
#[derive(Clone, Debug, Default)]
pub struct Raise {
    /// The highest sequence number of the inputs.
    pub to: SeqNo,
    /// Where newer data may be, in tables above the output that are no inputs, with numbers that are not above `to`.
    pub newer: DeeperKeys,
}

/// A merge's pass over [`Raise`].
#[derive(Debug)]
pub(super) struct Raising<'a> {
    to: SeqNo,
    newer: Sweep<'a>,
}

impl<'a> Raising<'a> {
    /// Of a merge whose oldest reader is at `oldest`.
    pub(super) fn new(raise: &'a Raise, oldest: SeqNo) -> Self {
        Self { to: raise.to.min(oldest), newer: raise.newer.sweep() }
    }

    /// The entry with its new number. It is the newest version of its key in stripe 0, and of no key below those asked for
    /// before.
    #[inline]
    pub(super) fn raised<'e>(&mut self, entry: EntryRef<'e>) -> EntryRef<'e> {
        let settles = matches!(entry.kind(), EntryKind::Put | EntryKind::PutUntil | EntryKind::Delete);
        if !settles || entry.seqno() >= self.to || self.newer.may_contain(entry.key) {
            return entry;
        }
        EntryRef { trailer: Trailer::new(self.to, entry.kind()), ..entry }
    }
}
