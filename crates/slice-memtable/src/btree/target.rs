//! What a search looks for, and the eight bytes of a key that nodes compare first.

use std::cmp::Ordering;

use slice_types::{EntryRef, Trailer, internal_cmp};

/// A place in the internal order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) key: &'a [u8],
    pub(super) trailer: Trailer,
}

impl Target<'_> {
    /// An entry's place relative to this one.
    #[inline]
    pub(super) fn order_of(&self, entry: &EntryRef<'_>) -> Ordering {
        internal_cmp((entry.key, entry.trailer), (self.key, self.trailer))
    }
}

impl<'a> From<EntryRef<'a>> for Target<'a> {
    fn from(entry: EntryRef<'a>) -> Self {
        Self { key: entry.key, trailer: entry.trailer }
    }
}

/// The eight bytes of a key behind the first `skip`, as a number that orders like them: zeros behind a shorter key.
///
/// Among keys that agree in their first `skip` bytes, one with a lower number comes first; where numbers agree, the keys
/// have to be compared.
#[inline]
pub(super) fn prefix(key: &[u8], skip: usize) -> u64 {
    let rest = key.get(skip..).unwrap_or_default();
    if let Some(front) = rest.first_chunk() {
        return u64::from_be_bytes(*front);
    }
    let mut padded = [0; size_of::<u64>()];
    padded[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(padded)
}

/// How many first bytes two keys have in common.
pub(super) fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// A key's first `skip` bytes relative to those of a key that has as many.
///
/// `Equal` says that the key begins with them.
#[inline]
pub(super) fn order_of_front(key: &[u8], other: &[u8], skip: usize) -> Ordering {
    key[..key.len().min(skip)].cmp(&other[..skip])
}
