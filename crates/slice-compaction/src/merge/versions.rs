//! Which versions of a key are still needed.
//!
//! The live snapshots and the newest published sequence number divide time into *stripes*: between two neighbours, all
//! readers see the same version of a key, the newest one of the stripe.
//!
//! ```text
//!   seqno     1 ........ 10 | 11 ........ 20 | 21 ........ 35 |  36 ...
//!   stripe          0       |       1        |       2        |  unpublished
//!                      snapshot          snapshot          visible
//!
//!   key k      Put@3  Put@7     Delete@15        Put@22 Put@30    Put@40
//!              hidden  kept      kept            hidden  kept      kept
//! ```
//!
//! - Unpublished entries stay: a snapshot between any two of them may come yet.
//! - Of a stripe, the newest `Put`, `PutUntil` or `Delete` hides all that is older. A value that has expired is a
//!   `Delete` here.
//! - A `Merge` needs what is below it, so it hides nothing: operands stay, and all below them down to the first `Put`
//!   or `Delete` of the stripe, that one included. How they are folded where there is an operator: `operands`.
//! - A `Delete` in stripe 0 goes if no deeper table can hold its key, and with it all that is older: there is nothing
//!   left to hide.
//! - A range tombstone hides what it covers of its own stripe and is older. It is no entry of a key and in no table: the
//!   tree keeps it until no table has what it covers, so it goes on hiding what lies deeper. See `range_deletes`.

use slice_types::{Bookmark, EntryKind, EntryRef, RangeIndex, SeqNo};

use super::MergeOptions;
use super::deeper::Sweep;

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is written.
    Keep,
    /// A newer version hides it from every reader.
    Hidden,
    /// A tombstone with nothing left to hide.
    NothingToHide,
}

/// Decides for one key after the other, ascending, and for each key newest version first.
#[derive(Debug)]
pub(super) struct Versions<'a> {
    /// The upper ends of the stripes, ascending, the published one last.
    ends: Vec<SeqNo>,
    deeper: Sweep<'a>,
    range_tombstones: &'a RangeIndex,
    /// Where in them the last entry was.
    bookmark: Bookmark,
    /// The stripe of the current key that has its newest value or tombstone.
    settled: Option<usize>,
}

impl<'a> Versions<'a> {
    pub(super) fn new(options: &'a MergeOptions<'_>) -> Self {
        let MergeOptions { snapshots, visible, deeper, range_tombstones, .. } = options;
        assert!(snapshots.is_sorted(), "live snapshots are given in ascending order");
        let mut ends: Vec<_> = snapshots.iter().copied().filter(|snapshot| snapshot < visible).collect();
        ends.dedup();
        ends.push(*visible);
        let bookmark = Bookmark::default();
        Self { ends, deeper: deeper.sweep(), range_tombstones, bookmark, settled: None }
    }

    #[inline]
    pub(super) const fn start_key(&mut self) {
        self.settled = None;
    }

    #[inline]
    pub(super) fn fate(&mut self, entry: EntryRef<'_>) -> Fate {
        let kind = entry.kind();
        let Some(stripe) = self.stripe(entry.seqno()) else { return Fate::Keep };
        if self.settled == Some(stripe) || self.is_covered(entry, stripe) {
            return Fate::Hidden;
        }
        match kind {
            EntryKind::Put | EntryKind::PutUntil => self.settled = Some(stripe),
            EntryKind::Delete => {
                self.settled = Some(stripe);
                if stripe == 0 && !self.deeper.may_contain(entry.key) {
                    return Fate::NothingToHide;
                }
            }
            // An operand, or a kind that is yet to come: what is below it is needed.
            _ => {}
        }
        Fate::Keep
    }

    /// Whether no live snapshot reads what is in a stripe: only those that read the newest.
    pub(super) fn is_newest(&self, stripe: usize) -> bool {
        stripe + 1 == self.ends.len()
    }

    /// Whether no deeper table can hold a key, which is not below those asked for before.
    pub(super) fn is_bottom(&mut self, key: &[u8]) -> bool {
        !self.deeper.may_contain(key)
    }

    /// Whether a range tombstone of the same stripe covers the entry: then one covers all that is older there.
    #[inline]
    fn is_covered(&mut self, entry: EntryRef<'_>, stripe: usize) -> bool {
        let covering = self.range_tombstones.covering_near(&mut self.bookmark, entry.key, self.ends[stripe]);
        covering > Some(entry.seqno())
    }

    /// The stripe of a sequence number; `None` when it is unpublished.
    #[inline]
    pub(super) fn stripe(&self, seqno: SeqNo) -> Option<usize> {
        if seqno <= self.ends[0] {
            return Some(0);
        }
        let stripe = self.ends.partition_point(|&end| end < seqno);
        (stripe < self.ends.len()).then_some(stripe)
    }
}
