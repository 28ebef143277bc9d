//! What the skip list sorts by, and how a search compares without owning a key.
//!
//! The list is keyed by [`StoredEntry`], and a search brings a borrowed key. Both are a [`Position`], so
//! `StoredEntry: Borrow<dyn Position>` lets one search with the other: a lookup allocates nothing.

use std::borrow::Borrow;
use std::cmp::Ordering;

use bytes::Bytes;
use slice_types::{EntryRef, Trailer, internal_cmp};

/// How much of a key lies beside it as one number, in bytes.
const HEAD_LEN: usize = size_of::<u128>();

/// A place in the internal order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The key's first 16 bytes as a big-endian number, zeros behind a shorter key.
    head: u128,
    key: &'a [u8],
    trailer: Trailer,
}

impl<'a> Place<'a> {
    pub(super) fn new(key: &'a [u8], trailer: Trailer) -> Self {
        Self { head: head(key), key, trailer }
    }

    /// Whether both are places of one user key.
    pub(super) fn same_key(&self, other: &Place<'_>) -> bool {
        self.head == other.head && self.key == other.key
    }

    /// [`internal_cmp`], sparing the look at the keys where heads and lengths decide.
    ///
    /// Where heads differ, they differ as the keys do: padding is zeros, and no byte is below zero. Where they agree and
    /// one key ends within its head, that key is a prefix of the other, and the shorter comes first.
    #[inline]
    fn order(&self, other: &Place<'_>) -> Ordering {
        self.head.cmp(&other.head).then_with(|| {
            if self.key.len().min(other.key.len()) > HEAD_LEN {
                return internal_cmp((self.key, self.trailer), (other.key, other.trailer));
            }
            let by_len = self.key.len().cmp(&other.key.len());
            by_len.then_with(|| internal_cmp((b"", self.trailer), (b"", other.trailer)))
        })
    }
}

#[inline]
fn head(key: &[u8]) -> u128 {
    if let Some(front) = key.first_chunk::<HEAD_LEN>() {
        return u128::from_be_bytes(*front);
    }
    let mut padded = [0; HEAD_LEN];
    padded[..key.len()].copy_from_slice(key);
    u128::from_be_bytes(padded)
}

/// Something that has a place in the internal order.
pub(super) trait Position {
    fn place(&self) -> Place<'_>;
}

impl Position for Place<'_> {
    #[inline]
    fn place(&self) -> Place<'_> {
        *self
    }
}

impl Ord for dyn Position + '_ {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().order(&other.place())
    }
}

impl PartialOrd for dyn Position + '_ {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn Position + '_ {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for dyn Position + '_ {}

/// An entry in the list. A clone shares the bytes.
#[derive(Clone)]
pub(super) struct StoredEntry {
    head: u128,
    trailer: Trailer,
    /// The key, and the value behind it.
    bytes: Bytes,
    key_len: u32,
}

impl StoredEntry {
    /// An entry whose key is the first `key_len` of `bytes`.
    pub(super) fn new(bytes: Bytes, key_len: usize, trailer: Trailer) -> Self {
        let head = head(&bytes[..key_len]);
        Self { head, trailer, bytes, key_len: key_len as u32 }
    }

    pub(super) fn trailer(&self) -> Trailer {
        self.trailer
    }

    pub(super) fn shared_value(&self) -> Bytes {
        self.bytes.slice(self.key_len as usize..)
    }

    pub(super) fn shared(&self) -> (Bytes, Bytes) {
        (self.bytes.slice(..self.key_len as usize), self.shared_value())
    }

    pub(super) fn as_entry(&self) -> EntryRef<'_> {
        let (key, value) = self.bytes.split_at(self.key_len as usize);
        EntryRef::new(key, self.trailer, value)
    }
}

impl Position for StoredEntry {
    #[inline]
    fn place(&self) -> Place<'_> {
        Place { head: self.head, key: &self.bytes[..self.key_len as usize], trailer: self.trailer }
    }
}

impl<'a> Borrow<dyn Position + 'a> for StoredEntry {
    #[inline]
    fn borrow(&self) -> &(dyn Position + 'a) {
        self
    }
}

impl Ord for StoredEntry {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().order(&other.place())
    }
}

impl PartialOrd for StoredEntry {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for StoredEntry {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for StoredEntry {}
