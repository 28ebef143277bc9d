//! Batches: what one commit writes, encoded by its writer before any lock is taken.
//!
//! ```text
//!   +------+-----------------+----------------+-----+------------------+-------+
//!   | kind | keyspace varint | key len varint | key | value len varint | value |   one entry; a Delete ends with its key
//!   +------+-----------------+----------------+-----+------------------+-------+
//! ```
//!
//! The hash over the entries is computed by [`EncodedBatch::seal`], also outside the lock: what is left for the log is
//! to hash its 24 bytes of header and to copy.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt;
use std::iter::FusedIterator;

use slice_types::coding::{Decoder, put_bytes, put_varint};
use slice_types::{
    EntryKind, Error, KeyRange, KeyspaceId, MAX_KEY_LEN, MAX_VALUE_LEN, Result, check_key, check_value,
    checksum,
};

/// The most bytes around a key and a value: kind, keyspace (5), key length (3), value length (5).
const MAX_ENTRY_OVERHEAD: u64 = 1 + 5 + 3 + 5;

/// Entries that are written together: after a crash all of them are there, or none.
///
/// Reusable: [`clear`](Self::clear) keeps the allocation.
#[derive(Clone, Default)]
pub struct EncodedBatch {
    bytes: Vec<u8>,
    count: u32,
    /// A bit for each kind of entry there is.
    kinds: u32,
    /// The keyspaces that entries go to, ascending.
    keyspaces: Vec<KeyspaceId>,
    /// Where the last entry is.
    last: Place,
    /// The hash of `bytes`; `None` when they have changed since it was computed.
    hash: Option<u64>,
}

/// Where in a batch an entry's key and value end, and how long they are.
#[derive(Clone, Copy, Default)]
struct Place {
    key_end: u32,
    key_len: u32,
    value_end: u32,
    value_len: u32,
}

impl Place {
    const NONE: Self = Self { key_end: 0, key_len: 0, value_end: 0, value_len: 0 };

    fn key<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get((self.key_end - self.key_len) as usize..self.key_end as usize)
    }

    fn value<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get((self.value_end - self.value_len) as usize..self.value_end as usize)
    }
}

impl EncodedBatch {
    /// An empty batch.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), count: 0, kinds: 0, keyspaces: Vec::new(), last: Place::NONE, hash: None }
    }

    /// An empty batch with room for `capacity` encoded bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), ..Self::new() }
    }

    /// Adds an entry behind those that are there.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](slice_types::ErrorKind::InvalidArgument), and the batch is as it was: when the key or the
    /// value is over its limit, when a `Delete` has a value or a `RangeDelete` no keys, and when the batch would pass
    /// 4 GiB.
    pub fn push(&mut self, keyspace: KeyspaceId, kind: EntryKind, key: &[u8], value: &[u8]) -> Result<()> {
        check_key(key)?;
        check_value(value)?;
        if kind == EntryKind::Delete && !value.is_empty() {
            return Err(Error::invalid_argument("a tombstone has no value"));
        }
        if kind == EntryKind::RangeDelete && KeyRange::from_bytes(key, value).is_err() {
            return Err(Error::invalid_argument("a range tombstone is for a range with keys"));
        }
        self.check_room(key.len() as u64 + value.len() as u64)?;
        self.hash = None;
        self.note(keyspace);
        self.bytes.reserve(key.len() + value.len() + MAX_ENTRY_OVERHEAD as usize);
        self.bytes.push(kind as u8);
        put_varint(&mut self.bytes, u64::from(keyspace.0));
        put_bytes(&mut self.bytes, key);
        let key_end = self.bytes.len() as u32;
        if kind != EntryKind::Delete {
            put_bytes(&mut self.bytes, value);
        }
        let value_end = self.bytes.len() as u32;
        self.last = Place { key_end, key_len: key.len() as u32, value_end, value_len: value.len() as u32 };
        self.count += 1;
        self.kinds |= 1 << kind as u8;
        Ok(())
    }

    fn note(&mut self, keyspace: KeyspaceId) {
        if let Err(at) = self.keyspaces.binary_search(&keyspace) {
            self.keyspaces.insert(at, keyspace);
        }
    }

    /// The length field of a record has 32 bits. The count then fits its 32 bits too: an entry is 3 bytes or more.
    fn check_room(&self, payload: u64) -> Result<()> {
        let len = self.bytes.len() as u64 + payload + MAX_ENTRY_OVERHEAD;
        if len > u64::from(u32::MAX) {
            return Err(Error::invalid_argument(format!(
                "a batch of {len} bytes is over the limit of 4 GiB; write it as several"
            )));
        }
        Ok(())
    }

    /// How many entries there are.
    #[inline]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Whether there are no entries.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether there is an entry of this kind.
    #[inline]
    pub const fn has(&self, kind: EntryKind) -> bool {
        self.kinds >> kind as u8 & 1 == 1
    }

    /// The keyspaces that entries go to: ascending, each once.
    #[inline]
    pub fn keyspaces(&self) -> &[KeyspaceId] {
        &self.keyspaces
    }

    /// The encoded length of the entries, in bytes; the log adds [`RECORD_HEADER_LEN`](crate::RECORD_HEADER_LEN).
    #[inline]
    pub const fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Removes all entries and keeps the allocation.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
        self.kinds = 0;
        self.keyspaces.clear();
        self.hash = None;
    }

    /// Computes the hash of the entries, so that the append need not. Idempotent; a later `push` undoes it.
    pub fn seal(&mut self) {
        self.hash = Some(self.hash());
    }

    /// The entries, in the order of their pushes.
    pub fn entries(&self) -> Entries<'_> {
        Entries::new(&self.bytes, self.count)
    }

    /// The entry, where there is just one: what [`entries`](Self::entries) would give, without decoding it.
    #[inline]
    pub fn single(&self) -> Option<WalEntry<'_>> {
        let &[keyspace] = &self.keyspaces[..] else { return None };
        if self.count != 1 {
            return None;
        }
        let kind = EntryKind::from_u8(*self.bytes.first()?)?;
        Some(WalEntry {
            keyspace,
            kind,
            key: self.last.key(&self.bytes)?,
            value: self.last.value(&self.bytes)?,
        })
    }

    /// The encoded entries.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash of the entries, computed now if the batch is not sealed.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        self.hash.unwrap_or_else(|| checksum(&self.bytes))
    }
}

impl fmt::Debug for EncodedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncodedBatch({} entries, {} B)", self.count, self.bytes.len())
    }
}

/// An entry of a batch. Its sequence number follows from its place in the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WalEntry<'a> {
    /// The tree it goes to.
    pub keyspace: KeyspaceId,
    /// What it does.
    pub kind: EntryKind,
    /// The user key.
    pub key: &'a [u8],
    /// The value; empty for a [`Delete`](EntryKind::Delete), the end for a [`RangeDelete`](EntryKind::RangeDelete).
    pub value: &'a [u8],
}

/// Decodes the entries of a batch.
///
/// An item is an error when the bytes are not what [`EncodedBatch`] writes, and then it is the last one. The entries
/// of a batch in memory and those that [`replay`](crate::replay) hands out never fail.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    decoder: Decoder<'a>,
    left: u32,
    failed: bool,
}

impl<'a> Entries<'a> {
    pub(crate) const fn new(bytes: &'a [u8], count: u32) -> Self {
        Self { decoder: Decoder::new(bytes), left: count, failed: false }
    }

    /// Insists that all entries decode, that they are as many as announced, and that no byte is left over.
    pub(crate) fn validate(&self) -> Result<()> {
        let mut entries = self.clone();
        entries.try_for_each(|entry| entry.map(drop))?;
        entries.decoder.finish()
    }

    fn decode(&mut self) -> Result<WalEntry<'a>> {
        let byte = self.decoder.u8()?;
        let kind = EntryKind::from_u8(byte)
            .ok_or_else(|| Error::corruption(format!("{byte} is not a kind of entry")))?;
        let keyspace = KeyspaceId(self.decoder.varint_u32()?);
        let key = self.bounded("key", MAX_KEY_LEN)?;
        let value = match kind {
            EntryKind::Delete => &[],
            _ => self.bounded("value", MAX_VALUE_LEN)?,
        };
        if kind == EntryKind::RangeDelete {
            KeyRange::from_bytes(key, value)?;
        }
        Ok(WalEntry { keyspace, kind, key, value })
    }

    fn bounded(&mut self, what: &str, max: usize) -> Result<&'a [u8]> {
        let bytes = self.decoder.bytes()?;
        if bytes.len() > max {
            return Err(Error::corruption(format!("a {what} of {} bytes is over its limit", bytes.len())));
        }
        Ok(bytes)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<WalEntry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 || self.failed {
            return None;
        }
        self.left -= 1;
        let entry = self.decode();
        self.failed = entry.is_err();
        Some(entry)
    }
}

impl FusedIterator for Entries<'_> {}
