//! Entries, and the order they are kept in.
//!
//! A layer never sees a bare key and value: it sees an *entry*, which says also when it was written and what it is.
//!
//! ```text
//!            user key          trailer, one u64                       value
//!   +----------------------+---------------------------------+-------------------+
//!   | any bytes, 0..=64 KiB |  seqno, 56 bits  | kind, 8 bits |  0..=1 GiB         |
//!   +----------------------+---------------------------------+-------------------+
//! ```
//!
//! The *internal order* is: user key ascending by bytes, then trailer **descending**, so that the newest version of
//! a key comes first, and a search for "key as of seqno n" is a seek to `(key, Trailer::seek(n))`.

use std::cmp::Ordering;
use std::fmt;

use crate::SeqNo;

/// What an entry does to its key.
///
/// The discriminants are on disk, in every log and table: they never change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[non_exhaustive]
pub enum EntryKind {
    /// A tombstone: the key has no value from here on.
    Delete = 0,
    /// The key has this value from here on.
    Put = 1,
    /// An operand that a merge operator folds into what is below.
    Merge = 2,
    /// A tombstone for all keys from the entry's key (included) to the entry's value (excluded).
    RangeDelete = 3,
    /// The key has a value from here on, until its time is over; then it counts as a tombstone. The value begins with
    /// that time: see [`split_expiry`](crate::split_expiry).
    PutUntil = 4,
}

impl EntryKind {
    /// The kind with this discriminant, or `None` for a byte that no version of the format has given a meaning.
    #[inline]
    pub const fn from_u8(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Delete),
            1 => Some(Self::Put),
            2 => Some(Self::Merge),
            3 => Some(Self::RangeDelete),
            4 => Some(Self::PutUntil),
            _ => None,
        }
    }
}

/// A sequence number and a kind in one word: `seqno << 8 | kind`.
///
/// `Trailer` has no `Ord` on purpose: entries sort by trailer *descending*, and a plain `<` at a use site would read
/// as the opposite. Use [`internal_cmp`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Trailer(u64);

impl Trailer {
    /// Sorts before every trailer: a seek to `(key, FIRST)` finds the newest version of `key`.
    pub const FIRST: Self = Self(u64::MAX);
    /// Sorts after every trailer.
    pub const LAST: Self = Self(0);

    /// Packs a sequence number and a kind.
    #[inline]
    pub const fn new(seqno: SeqNo, kind: EntryKind) -> Self {
        Self(seqno.get() << 8 | kind as u8 as u64)
    }

    /// Where the newest version at or below `seqno` would stand: a seek to `(key, Trailer::seek(n))` finds it.
    #[inline]
    pub const fn seek(seqno: SeqNo) -> Self {
        Self(seqno.get() << 8 | 0xff)
    }

    /// Unpacks a word from disk, or `None` when its kind has no meaning.
    #[inline]
    pub const fn from_u64(word: u64) -> Option<Self> {
        match EntryKind::from_u8(word as u8) {
            Some(_) => Some(Self(word)),
            None => None,
        }
    }

    /// The packed word.
    #[inline]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// The sequence number.
    #[inline]
    pub const fn seqno(self) -> SeqNo {
        SeqNo::new(self.0 >> 8)
    }

    /// The kind.
    ///
    /// # Panics
    ///
    /// On one of the bounds of a seek, which have no kind: no entry carries them.
    #[inline]
    pub const fn kind(self) -> EntryKind {
        match EntryKind::from_u8(self.0 as u8) {
            Some(kind) => kind,
            None => panic!("a bound of a seek has no kind"),
        }
    }
}

impl fmt::Debug for Trailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EntryKind::from_u8(self.0 as u8) {
            Some(kind) => write!(f, "{kind:?}{:?}", self.seqno()),
            None => write!(f, "seek{:?}", self.seqno()),
        }
    }
}

/// The internal order: user key ascending, then trailer descending.
#[inline]
pub fn internal_cmp(left: (&[u8], Trailer), right: (&[u8], Trailer)) -> Ordering {
    left.0.cmp(right.0).then_with(|| right.1.0.cmp(&left.1.0))
}

/// The first sixteen bytes of a key as a number that orders like it; a shorter key is filled up with zeros.
///
/// Where two are unequal, so are the keys, and in the same order. Where they are equal, the keys may still differ.
#[inline]
pub fn key_prefix(key: &[u8]) -> u128 {
    match key.first_chunk() {
        Some(bytes) => u128::from_be_bytes(*bytes),
        None => short_prefix(key),
    }
}

/// Of a key of less than sixteen bytes: two words that overlap in its midst, or one at a time.
#[inline]
fn short_prefix(key: &[u8]) -> u128 {
    let shift = 8 * (16 - key.len());
    if let (Some(first), Some(last)) = (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        let (first, last) = (u64::from_be_bytes(*first), u64::from_be_bytes(*last));
        return u128::from(first) << 64 | u128::from(last) << shift;
    }
    let word = key.iter().fold(0, |word: u128, &byte| word << 8 | u128::from(byte));
    if key.is_empty() { 0 } else { word << shift }
}

/// An entry, borrowed from wherever it lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// The user key.
    pub key: &'a [u8],
    /// When it was written, and what it is.
    pub trailer: Trailer,
    /// The value; empty for a [`Delete`](EntryKind::Delete).
    pub value: &'a [u8],
}

impl<'a> EntryRef<'a> {
    /// Puts an entry together.
    #[inline]
    pub const fn new(key: &'a [u8], trailer: Trailer, value: &'a [u8]) -> Self {
        Self { key, trailer, value }
    }

    /// The sequence number.
    #[inline]
    pub const fn seqno(&self) -> SeqNo {
        self.trailer.seqno()
    }

    /// The kind.
    #[inline]
    pub const fn kind(&self) -> EntryKind {
        self.trailer.kind()
    }

    /// This entry's place relative to another's, in internal order.
    #[inline]
    pub fn order(&self, other: &EntryRef<'_>) -> Ordering {
        internal_cmp((self.key, self.trailer), (other.key, other.trailer))
    }
}

impl fmt::Debug for EntryRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}={} B", self.key.escape_ascii(), self.trailer, self.value.len())
    }
}
