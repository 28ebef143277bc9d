//! What a serializable transaction has read: noted fast, sorted later.
//!
//! A read only copies its key behind those of the reads before; they become a set when the transaction commits, or when
//! they are many, so that a transaction which reads the same keys for ever does not grow.

use slice_types::{KeyRange, KeyspaceId};

use super::keys::Keys;

/// Bytes of keys that are kept as they came.
const RECENT_MAX: usize = 256 << 10;

/// The keys and ranges that were read.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    sorted: Keys,
    /// The keys that were read since, one behind the other.
    recent: Vec<u8>,
    /// Of each of them the keyspace, and where it ends.
    ends: Vec<(KeyspaceId, usize)>,
}

impl Reads {
    /// Notes a key.
    #[inline]
    pub(crate) fn insert(&mut self, keyspace: KeyspaceId, key: &[u8]) {
        self.recent.extend_from_slice(key);
        self.ends.push((keyspace, self.recent.len()));
        if self.recent.len() + self.ends.len() > RECENT_MAX {
            self.sort();
        }
    }

    /// Notes the keys of a range.
    pub(crate) fn insert_range(&mut self, keyspace: KeyspaceId, range: &KeyRange) {
        self.sorted.insert_range(keyspace, range);
    }

    /// All that was read.
    pub(crate) fn into_keys(mut self) -> Keys {
        self.sort();
        self.sorted
    }

    fn sort(&mut self) {
        let mut start = 0;
        for (keyspace, end) in self.ends.drain(..) {
            self.sorted.insert(keyspace, &self.recent[start..end]);
            start = end;
        }
        self.recent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_read_is_found_again_and_each_key_once() {
        let mut reads = Reads::default();
        let mut expected = Keys::default();
        for n in 0..100_000_u32 {
            let (keyspace, key) = (KeyspaceId(n % 2), (n % 1000).to_be_bytes());
            reads.insert(keyspace, &key[..(n % 5) as usize]);
            expected.insert(keyspace, &key[..(n % 5) as usize]);
        }
        assert!(reads.recent.len() + reads.ends.len() <= RECENT_MAX);
        assert_eq!(format!("{:?}", reads.into_keys()), format!("{expected:?}"));
    }
}
