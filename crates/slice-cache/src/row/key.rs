//! What a row is found by, borrowed in a lookup and owned in the cache.
//!
//! Both carry the hash, so nothing is hashed twice; and both compare table and key in full, so two keys with one hash are
//! never taken for each other. A lookup goes through `RowKey: Borrow<dyn RowId>`, which spares it an owned key.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

/// An odd number with no pattern (2^64 divided by the golden ratio, Knuth's multiplicative hashing).
const TABLE_SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A row's identity, borrowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'a> {
    hash: u64,
    table: u64,
    key: &'a [u8],
}

impl<'a> Row<'a> {
    /// The row of `key`, which hashes to `key_hash`, in `table`.
    #[inline]
    pub(super) const fn new(table: u64, key: &'a [u8], key_hash: u64) -> Self {
        // The key's hash is spread already; the tables' parts only have to move its rows apart.
        Self { hash: key_hash ^ table.wrapping_mul(TABLE_SPREAD), table, key }
    }

    /// The hash of table and key.
    #[inline]
    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }
}

/// A row's identity, owned.
pub(super) struct RowKey {
    hash: u64,
    table: u64,
    key: Box<[u8]>,
}

impl From<Row<'_>> for RowKey {
    fn from(row: Row<'_>) -> Self {
        Self { hash: row.hash, table: row.table, key: row.key.into() }
    }
}

/// Something that identifies a row.
pub(super) trait RowId {
    fn row(&self) -> Row<'_>;
}

impl RowId for Row<'_> {
    #[inline]
    fn row(&self) -> Row<'_> {
        *self
    }
}

impl RowId for RowKey {
    #[inline]
    fn row(&self) -> Row<'_> {
        Row { hash: self.hash, table: self.table, key: &self.key }
    }
}

impl Hash for dyn RowId + '_ {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.row().hash);
    }
}

impl PartialEq for dyn RowId + '_ {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.row() == other.row()
    }
}

impl Eq for dyn RowId + '_ {}

impl<'a> Borrow<dyn RowId + 'a> for RowKey {
    #[inline]
    fn borrow(&self) -> &(dyn RowId + 'a) {
        self
    }
}

impl Hash for RowKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for RowKey {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.row() == other.row()
    }
}

impl Eq for RowKey {}
