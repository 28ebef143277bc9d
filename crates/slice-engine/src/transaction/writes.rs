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
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryKind, Error, KeyRange, KeyspaceId, Result};
use slice_wal::EncodedBatch;

use super::keys::Keys;
use super::ranges::Ranges;
use crate::scan::{Overlay, Own};
use crate::values::Rules;

/// What was written to a key.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// What the commit writes, one after the other: the last value or deletion, and the merges since.
    entries: Vec<(EntryKind, Bytes)>,
    /// What the transaction itself reads.
    seen: Seen,
}

/// What a transaction finds of its own where it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A value, or that there is none.
    Value(Option<Bytes>),
    /// Something to be merged into what is in the store.
    Operand(Bytes),
}

impl Write {
    /// Sets a key to `value`, or deletes it, by an entry of this kind; what that holds need not be the value alone.
    pub(crate) fn new(kind: EntryKind, entry: Bytes, value: Option<Bytes>) -> Self {
        Self { entries: vec![(kind, entry)], seen: Seen::Value(value) }
    }

    fn own(&self, key: &Bytes) -> Own {
        let (kind, value) = match &self.seen {
            Seen::Value(Some(value)) => (EntryKind::Put, value.clone()),
            Seen::Value(None) => (EntryKind::Delete, Bytes::new()),
            Seen::Operand(operand) => (EntryKind::Merge, operand.clone()),
        };
        Own { key: key.clone(), kind, value }
    }
}

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
    keyspaces: BTreeMap<KeyspaceId, Written>,
    /// What the writes since the first savepoint replaced, oldest first.
    undo: Vec<Replaced>,
    /// Those that can be rolled back to, in the order of their making.
    savepoints: Vec<Mark>,
    /// The number of the next savepoint.
    next: u64,
}

/// The writes to one keyspace.
#[derive(Debug, Default)]
struct Written {
    keys: BTreeMap<Bytes, Write>,
    /// Deleted before all of `keys` were written.
    ranges: Ranges,
}

#[derive(Debug)]
struct Replaced {
    keyspace: KeyspaceId,
    what: What,
}

#[derive(Debug)]
enum What {
    /// None where the transaction had not written to the key.
    Key(Bytes, Option<Write>),
    Ranges(Ranges),
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
        let key = Bytes::copy_from_slice(key);
        let before = self.keyspaces.entry(keyspace).or_default().keys.insert(key.clone(), write);
        self.note(keyspace, || What::Key(key, before));
    }

    /// Merges an operand into what a key has.
    ///
    /// # Errors
    ///
    /// As [`Rules::merge`]; nothing is written then.
    pub(crate) fn merge(
        &mut self,
        keyspace: KeyspaceId,
        rules: &Rules,
        key: &[u8],
        operand: &[u8],
    ) -> Result<()> {
        let mut write = self.get(keyspace, key).cloned().unwrap_or_else(|| Write {
            entries: Vec::new(),
            seen: if self.deletes(keyspace, key) { Seen::Value(None) } else { Seen::Operand(Bytes::new()) },
        });
        let is_first = write.entries.is_empty();
        write.seen = match write.seen {
            Seen::Value(value) => Seen::Value(Some(rules.merge(key, value.as_deref(), operand)?)),
            Seen::Operand(_) if is_first => {
                // Only to be refused here rather than later.
                rules.merge(key, None, operand)?;
                Seen::Operand(Bytes::copy_from_slice(operand))
            }
            Seen::Operand(older) => Seen::Operand(rules.merge(key, Some(&older), operand)?),
        };
        write.entries.push((EntryKind::Merge, Bytes::copy_from_slice(operand)));
        self.set(keyspace, key, write);
        Ok(())
    }

    /// Deletes all keys of a range.
    pub(crate) fn delete_range(&mut self, keyspace: KeyspaceId, range: &KeyRange) {
        let written = self.keyspaces.entry(keyspace).or_default();
        let end = range.end().map_or(Bound::Unbounded, Bound::Excluded);
        let within = (Bound::Included(range.start()), end);
        let covered: Vec<_> = written.keys.range::<[u8], _>(within).map(|(key, _)| key.clone()).collect();
        for key in covered {
            let before = self.keyspaces.entry(keyspace).or_default().keys.remove(&key);
            self.note(keyspace, || What::Key(key, before));
        }
        let ranges = &mut self.keyspaces.entry(keyspace).or_default().ranges;
        let before = if self.savepoints.is_empty() { Ranges::default() } else { ranges.clone() };
        ranges.insert(range);
        self.note(keyspace, || What::Ranges(before));
    }

    /// Notes what was replaced, if there is a savepoint to go back to.
    fn note(&mut self, keyspace: KeyspaceId, what: impl FnOnce() -> What) {
        if !self.savepoints.is_empty() {
            self.undo.push(Replaced { keyspace, what: what() });
        }
    }

    fn get(&self, keyspace: KeyspaceId, key: &[u8]) -> Option<&Write> {
        self.keyspaces.get(&keyspace)?.keys.get(key)
    }

    fn deletes(&self, keyspace: KeyspaceId, key: &[u8]) -> bool {
        self.keyspaces.get(&keyspace).is_some_and(|written| written.ranges.contains(key))
    }

    /// What was written to a key, if anything was.
    pub(crate) fn seen(&self, keyspace: KeyspaceId, key: &[u8]) -> Option<Seen> {
        match self.get(keyspace, key) {
            Some(write) => Some(write.seen.clone()),
            None => self.deletes(keyspace, key).then_some(Seen::Value(None)),
        }
    }

    /// What was written to the keys within bounds, for a scan; none if nothing was.
    pub(crate) fn overlay<B: RangeBounds<[u8]>>(&self, keyspace: KeyspaceId, bounds: B) -> Option<Overlay> {
        let written = self.keyspaces.get(&keyspace)?;
        let writes: Arc<[Own]> =
            written.keys.range::<[u8], _>(bounds).map(|(key, write)| write.own(key)).collect();
        let is_empty = writes.is_empty() && written.ranges.len() == 0;
        (!is_empty).then(|| Overlay::new(writes, written.ranges.clone()))
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
            self.keyspaces.entry(replaced.keyspace).or_default().restore(replaced.what);
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
        for (keyspace, written) in &self.keyspaces {
            for (start, end) in written.ranges.iter() {
                batch.push(*keyspace, EntryKind::RangeDelete, start, end.unwrap_or_default())?;
            }
            for (key, write) in &written.keys {
                for (kind, value) in &write.entries {
                    batch.push(*keyspace, *kind, key, value)?;
                }
            }
        }
        Ok(batch)
    }

    /// Adds what was written to.
    pub(crate) fn add_to(&self, keys: &mut Keys) {
        for (keyspace, written) in &self.keyspaces {
            written.keys.keys().for_each(|key| keys.insert(*keyspace, key));
            keys.insert_ranges(*keyspace, written.ranges.clone());
        }
    }
}

impl Written {
    fn restore(&mut self, what: What) {
        match what {
            What::Ranges(before) => self.ranges = before,
            What::Key(key, Some(before)) => {
                self.keys.insert(key, before);
            }
            What::Key(key, None) => {
                self.keys.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use slice_types::ErrorKind;

    use super::*;

    const HERE: KeyspaceId = KeyspaceId::DEFAULT;
    const THIS: u64 = 1;

    fn set(writes: &mut Writes, key: &str, value: &str) {
        let value = Bytes::copy_from_slice(value.as_bytes());
        writes.set(HERE, key.as_bytes(), Write::new(EntryKind::Put, value.clone(), Some(value)));
    }

    fn delete(writes: &mut Writes, key: &str) {
        writes.set(HERE, key.as_bytes(), Write::new(EntryKind::Delete, Bytes::new(), None));
    }

    fn delete_range(writes: &mut Writes, start: &str, end: &str) {
        writes
            .delete_range(HERE, &KeyRange::from_bytes(start.as_bytes(), end.as_bytes()).expect("not empty"));
    }

    fn shown(writes: &Writes) -> String {
        let batch = writes.batch().expect("it is small");
        let line = |entry: slice_wal::WalEntry<'_>| {
            let sign = if entry.kind == EntryKind::RangeDelete { ".." } else { "=" };
            let value = if entry.kind == EntryKind::Delete { b"-" } else { entry.value };
            format!("{}{sign}{}", entry.key.escape_ascii(), value.escape_ascii())
        };
        batch.entries().map(|entry| line(entry.expect("it decodes"))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn of_each_key_the_last_write_counts() {
        let mut writes = Writes::default();
        set(&mut writes, "b", "1");
        set(&mut writes, "a", "1");
        delete(&mut writes, "b");
        assert_eq!(shown(&writes), "a=1 b=-");
        assert_eq!(writes.seen(HERE, b"b"), Some(Seen::Value(None)));
        assert_eq!(writes.seen(HERE, b"c"), None);
        assert_eq!(writes.seen(KeyspaceId(5), b"a"), None);
    }

    #[test]
    fn a_rollback_takes_back_what_came_after_the_savepoint() -> Result<()> {
        let mut writes = Writes::default();
        set(&mut writes, "a", "1");
        let first = writes.savepoint(THIS);
        set(&mut writes, "a", "2");
        set(&mut writes, "b", "2");
        let second = writes.savepoint(THIS);
        delete(&mut writes, "a");
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
    fn a_deleted_range_replaces_the_writes_before_it_and_not_those_after() -> Result<()> {
        let mut writes = Writes::default();
        set(&mut writes, "a", "1");
        set(&mut writes, "c", "1");
        let savepoint = writes.savepoint(THIS);
        delete_range(&mut writes, "b", "d");
        set(&mut writes, "bb", "2");
        assert_eq!(shown(&writes), "b..d a=1 bb=2");
        assert_eq!(writes.seen(HERE, b"c"), Some(Seen::Value(None)));
        delete_range(&mut writes, "c", "");
        assert_eq!(shown(&writes), "b.. a=1 bb=2");
        writes.rollback_to(THIS, savepoint)?;
        assert_eq!(shown(&writes), "a=1 c=1");
        assert_eq!(writes.seen(HERE, b"bb"), None);
        Ok(())
    }

    #[test]
    fn without_savepoints_nothing_is_kept_to_go_back() {
        let mut writes = Writes::default();
        set(&mut writes, "a", "1");
        set(&mut writes, "a", "2");
        delete_range(&mut writes, "a", "b");
        assert!(writes.undo.is_empty());
    }
}
