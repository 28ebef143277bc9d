//! What a transaction has written so far, and how to take some of it back.
//!
//! Of each key the last write counts. Each write leaves a note of what it replaced, once there is a savepoint to go
//! back to:
//!
//! ```text
//!   put a=1     savepoint S     put a=2          delete b           roll back to S
//!   {a: 1}                      {a: 2}           {a: 2, b: gone}    {a: 1}
//!   undo: -     undo: |         undo: | a was 1  undo: | a was 1, b was not there
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use slice_types::{EntryKind, Error, KeyspaceId, Result};
use slice_wal::EncodedBatch;

use super::keys::Keys;

/// What was written to a key: a value, or nothing where it was deleted.
pub(crate) type Write = Option<Bytes>;

/// The place to which a transaction can be rolled back; made by
/// [`Transaction::savepoint`](crate::Transaction::savepoint).
///
/// It is good for its own transaction only, and until that is rolled back to an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a savepoint is of use when it is rolled back to"]
pub struct Savepoint {
    transaction: u64,
    number: u64,
}

/// The writes of an open transaction.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    keyspaces: BTreeMap<KeyspaceId, BTreeMap<Bytes, Write>>,
    /// What the writes since the first savepoint replaced, oldest first.
    undo: Vec<Replaced>,
    /// Those that can be rolled back to, in the order of their making.
    savepoints: Vec<Mark>,
    /// The number of the next savepoint.
    next: u64,
}

#[derive(Debug)]
struct Replaced {
    keyspace: KeyspaceId,
    key: Bytes,
    /// None where the transaction had not written to the key.
    before: Option<Write>,
}

#[derive(Debug)]
struct Mark {
    number: u64,
    /// How long `undo` was.
    undo: usize,
}

impl Writes {
    /// Writes to a key.
    pub(crate) fn set(&mut self, keyspace: KeyspaceId, key: &[u8], write: Write) {
        let keys = self.keyspaces.entry(keyspace).or_default();
        let key = Bytes::copy_from_slice(key);
        let before = keys.insert(key.clone(), write);
        if !self.savepoints.is_empty() {
            self.undo.push(Replaced { keyspace, key, before });
        }
    }

    /// What was written to a key, if anything was.
    pub(crate) fn get(&self, keyspace: KeyspaceId, key: &[u8]) -> Option<&Write> {
        self.keyspaces.get(&keyspace)?.get(key)
    }

    pub(crate) fn savepoint(&mut self, transaction: u64) -> Savepoint {
        let number = self.next;
        self.next += 1;
        self.savepoints.push(Mark { number, undo: self.undo.len() });
        Savepoint { transaction, number }
    }

    /// Takes back the writes since a savepoint, and forgets the savepoints since; this one stays.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a savepoint of another transaction, and for one that is forgotten.
    pub(crate) fn rollback_to(&mut self, transaction: u64, savepoint: Savepoint) -> Result<()> {
        if savepoint.transaction != transaction {
            return Err(Error::invalid_argument("the savepoint is of another transaction"));
        }
        let found = self.savepoints.binary_search_by_key(&savepoint.number, |mark| mark.number);
        let Ok(place) = found else {
            let message = "the transaction was rolled back to an earlier savepoint, which forgot this one";
            return Err(Error::invalid_argument(message));
        };
        self.savepoints.truncate(place + 1);
        for replaced in self.undo.drain(self.savepoints[place].undo..).rev() {
            let keys = self.keyspaces.entry(replaced.keyspace).or_default();
            match replaced.before {
                Some(write) => keys.insert(replaced.key, write),
                None => keys.remove(&replaced.key),
            };
        }
        Ok(())
    }

    /// All writes as one batch.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when they are more than a batch can hold.
    pub(crate) fn batch(&self) -> Result<EncodedBatch> {
        let mut batch = EncodedBatch::new();
        for (keyspace, key, write) in self.iter() {
            match write {
                Some(value) => batch.push(keyspace, EntryKind::Put, key, value)?,
                None => batch.push(keyspace, EntryKind::Delete, key, &[])?,
            }
        }
        Ok(batch)
    }

    /// Adds what was written to.
    pub(crate) fn add_to(&self, keys: &mut Keys) {
        for (keyspace, key, _) in self.iter() {
            keys.insert(keyspace, key);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (KeyspaceId, &Bytes, &Write)> {
        self.keyspaces
            .iter()
            .flat_map(|(keyspace, keys)| keys.iter().map(|(key, write)| (*keyspace, key, write)))
    }
}

#[cfg(test)]
mod tests {
    use slice_types::ErrorKind;

    use super::*;

    const HERE: KeyspaceId = KeyspaceId::DEFAULT;
    const THIS: u64 = 1;

    fn set(writes: &mut Writes, key: &str, value: &str) {
        writes.set(HERE, key.as_bytes(), Some(Bytes::copy_from_slice(value.as_bytes())));
    }

    fn shown(writes: &Writes) -> String {
        let show = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let line = |(_, key, write): (_, &Bytes, &Write)| {
            format!("{}={}", show(key), write.as_ref().map_or_else(|| "-".to_owned(), show))
        };
        writes.iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn of_each_key_the_last_write_counts() {
        let mut writes = Writes::default();
        set(&mut writes, "b", "1");
        set(&mut writes, "a", "1");
        writes.set(HERE, b"b", None);
        assert_eq!(shown(&writes), "a=1 b=-");
        assert_eq!(writes.get(HERE, b"b"), Some(&None));
        assert_eq!(writes.get(HERE, b"c"), None);
        assert_eq!(writes.get(KeyspaceId(5), b"a"), None);
    }

    #[test]
    fn a_rollback_takes_back_what_came_after_the_savepoint() -> Result<()> {
        let mut writes = Writes::default();
        set(&mut writes, "a", "1");
        let first = writes.savepoint(THIS);
        set(&mut writes, "a", "2");
        set(&mut writes, "b", "2");
        let second = writes.savepoint(THIS);
        writes.set(HERE, b"a", None);
        set(&mut writes, "a", "3");
        writes.rollback_to(THIS, second)?;
        assert_eq!(shown(&writes), "a=2 b=2");
        set(&mut writes, "c", "4");
        writes.rollback_to(THIS, first)?;
        assert_eq!(shown(&writes), "a=1");
        set(&mut writes, "d", "5");
        writes.rollback_to(THIS, first)?;
        assert_eq!(shown(&writes), "a=1", "a savepoint is good more than once");
        Ok(())
    }

    #[test]
    fn a_savepoint_of_another_transaction_and_one_that_is_forgotten_are_refused() -> Result<()> {
        let mut writes = Writes::default();
        let first = writes.savepoint(THIS);
        let second = writes.savepoint(THIS);
        writes.rollback_to(THIS, first)?;
        set(&mut writes, "a", "1");
        for (transaction, savepoint) in [(THIS, second), (THIS + 1, first)] {
            let error = writes.rollback_to(transaction, savepoint).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
        let third = writes.savepoint(THIS);
        assert_ne!(third, second, "numbers are not given twice");
        assert_eq!(shown(&writes), "a=1", "nothing was taken back");
        Ok(())
    }

    #[test]
    fn without_savepoints_nothing_is_kept_to_go_back() {
        let mut writes = Writes::default();
        set(&mut writes, "a", "1");
        set(&mut writes, "a", "2");
        assert!(writes.undo.is_empty());
    }
}
