//! Which sequence numbers the entries of a table have: those that are written in it, or one for all.
//!
//! ```text
//!   written in the file    a @0    b @0    c @0         a placeholder
//!   numbered @17           a @17   b @17   c @17        what readers see
//! ```
//!
//! A table that is loaded in bulk is written before it is known what was written before it. Its number stands in the
//! manifest, and here it takes the place of what is in the blocks.
//!
//! Invariant: a table that is numbered as a whole has one entry of each key. So no entry changes its place.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use slice_types::{SeqNo, Trailer};

/// The sequence numbers of a table's entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// Each entry has that which is written with it.
    OwnEach,
    /// All have this one.
    AllAs(SeqNo),
}

impl Numbering {
    /// The trailer of an entry that is written with this one.
    #[inline]
    pub(crate) fn of(self, written: Trailer) -> Trailer {
        match self {
            Self::OwnEach => written,
            Self::AllAs(seqno) => Trailer::new(seqno, written.kind()),
        }
    }

    /// What to look for in the file to find the newest version at or below `at`; `None` when there is none of any key.
    #[inline]
    pub(crate) fn newest_at(self, at: SeqNo) -> Option<Trailer> {
        match self {
            Self::OwnEach => Some(Trailer::seek(at)),
            Self::AllAs(seqno) if seqno > at => None,
            Self::AllAs(_) => Some(Trailer::FIRST),
        }
    }

    /// What to look for in the file to stand on the first entry at or after the trailer.
    #[inline]
    pub(crate) fn seek(self, trailer: Trailer) -> Trailer {
        match self {
            Self::OwnEach => trailer,
            // The key's one entry stands at or after what is newer, or the entry itself.
            Self::AllAs(seqno) if seqno <= trailer.seqno() => Trailer::FIRST,
            Self::AllAs(_) => Trailer::LAST,
        }
    }

    /// What to look for in the file to stand on the last entry at or before the trailer.
    #[inline]
    pub(crate) fn seek_for_prev(self, trailer: Trailer) -> Trailer {
        match self {
            Self::OwnEach => trailer,
            // A bound of a seek stands before each entry of its number, and is the entry of none.
            Self::AllAs(seqno) if Trailer::seek(seqno).to_u64() > trailer.to_u64() => Trailer::LAST,
            Self::AllAs(_) => Trailer::FIRST,
        }
    }
}

#[cfg(test)]
mod tests {
    use slice_types::EntryKind;

    use super::*;

    #[test]
    fn an_entry_stands_where_its_number_puts_it() {
        let numbering = Numbering::AllAs(SeqNo::new(17));
        let entry = numbering.of(Trailer::new(SeqNo::ZERO, EntryKind::Put));
        assert_eq!(entry, Trailer::new(SeqNo::new(17), EntryKind::Put));
        let bounds = [0, 16, 17, 18, 99].map(|n| Trailer::seek(SeqNo::new(n)));
        for bound in bounds.into_iter().chain([entry, Trailer::FIRST, Trailer::LAST]) {
            let (is_after, is_before) = (entry.to_u64() <= bound.to_u64(), entry.to_u64() >= bound.to_u64());
            assert_eq!(numbering.seek(bound) == Trailer::FIRST, is_after, "{bound:?}");
            assert_eq!(numbering.seek_for_prev(bound) == Trailer::LAST, is_before, "{bound:?}");
        }
    }

    #[test]
    fn readers_below_the_number_find_nothing() {
        let numbering = Numbering::AllAs(SeqNo::new(17));
        assert_eq!(numbering.newest_at(SeqNo::new(16)), None);
        assert_eq!(numbering.newest_at(SeqNo::new(17)), Some(Trailer::FIRST));
    }
}
