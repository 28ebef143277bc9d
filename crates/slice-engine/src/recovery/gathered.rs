//! What one log has of each keyspace, put into memtables in the order of the keys.
//!
//! A memtable takes ascending entries several times as fast as those in the order of their writing, each of which it has
//! to find a place for. So the entries of a log are gathered where they lie, sorted, and inserted:
//!
//! ```text
//!   log      ... | k7 @1 = v | k2 @2 = v | k7 @3 deleted | ...        stays in memory until all is done
//!                    ^           ^           ^
//!   gathered         0           1           2
//!   order        [ k2, 1 ] [ k7, 2 ] [ k7, 0 ]                        by key, and of a key the newest first
//! ```

use std::collections::BTreeMap;

use slice_memtable::{MemTable, MemTableKind};
use slice_types::{KeyspaceId, Result, SeqNo, Trailer, key_prefix};
use slice_wal::{Entries, WalEntry};

use crate::tree::Memory;

/// The entries of a log, by keyspace.
#[derive(Default)]
pub(super) struct Gathered<'b> {
    by_keyspace: BTreeMap<KeyspaceId, Vec<(SeqNo, WalEntry<'b>)>>,
}

/// Where an entry goes: the first sixteen bytes of its key, and its place among those gathered. Nearly all keys differ in
/// these bytes, so nearly all comparisons stay within what is sorted.
type Order = ((u64, u64), u32);

impl<'b> Gathered<'b> {
    /// Takes the entries of a batch, but for those of keyspaces for which they do not count any more.
    ///
    /// # Errors
    ///
    /// What `counts` says.
    pub(super) fn add(
        &mut self,
        first: SeqNo,
        entries: Entries<'b>,
        counts: impl Fn(KeyspaceId) -> Result<bool>,
    ) -> Result<()> {
        for (entry, n) in entries.zip(0_u64..) {
            let entry = entry?;
            if counts(entry.keyspace)? {
                self.by_keyspace.entry(entry.keyspace).or_default().push((first.plus(n), entry));
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_keyspace.is_empty()
    }

    /// A memtable of each keyspace.
    pub(super) fn into_memories(self, kind: MemTableKind) -> BTreeMap<KeyspaceId, Memory> {
        self.by_keyspace.into_iter().map(|(id, entries)| (id, filled(kind, &entries))).collect()
    }
}

fn filled(kind: MemTableKind, entries: &[(SeqNo, WalEntry<'_>)]) -> Memory {
    let memory = Memory::of(kind);
    let mut order: Vec<Order> =
        entries.iter().zip(0..).map(|((_, entry), at)| (front(entry.key), at)).collect();
    let place = |at: u32| {
        let (seqno, entry) = &entries[at as usize];
        (entry.key, std::cmp::Reverse(*seqno))
    };
    order.sort_unstable_by(|left, right| {
        left.0.cmp(&right.0).then_with(|| place(left.1).cmp(&place(right.1)))
    });
    let mut near = Near::default();
    for some in order.chunks(AT_ONCE) {
        near.fetch(some.iter().map(|(_, at)| entries[*at as usize]));
        near.insert_into(&memory);
    }
    memory
}

/// How many entries are fetched before they are inserted.
const AT_ONCE: usize = 32;

/// How long a value is fetched. A longer one is read in a row in any case, and a few of those would double a log's memory.
const FETCHED_MAX: usize = 4 << 10;

/// A few entries, copied to one place. In the log they lie far apart, so that each is a miss of the cache, or several:
/// copied one behind the other the misses overlap, as they would not with an insert between any two.
#[derive(Default)]
struct Near<'b> {
    entries: Vec<(SeqNo, WalEntry<'b>)>,
    bytes: Vec<u8>,
}

impl<'b> Near<'b> {
    fn fetch(&mut self, entries: impl Iterator<Item = (SeqNo, WalEntry<'b>)>) {
        self.entries.clear();
        self.entries.extend(entries);
        self.bytes.clear();
        for (_, entry) in &self.entries {
            self.bytes.extend_from_slice(entry.key);
            self.bytes.extend_from_slice(fetched(entry.value));
        }
    }

    fn insert_into(&self, memory: &Memory) {
        let mut rest = &self.bytes[..];
        for (seqno, entry) in &self.entries {
            let (key, behind) = rest.split_at(entry.key.len());
            let (near, behind) = behind.split_at(fetched(entry.value).len());
            let value = if near.is_empty() { entry.value } else { near };
            memory.insert(key, Trailer::new(*seqno, entry.kind), value);
            rest = behind;
        }
    }
}

/// The part of a value that is fetched: all or nothing.
fn fetched(value: &[u8]) -> &[u8] {
    if value.len() <= FETCHED_MAX { value } else { &[] }
}

/// The first sixteen bytes of a key, zeros behind a shorter one: of two keys whose fronts differ, the one with the lesser
/// front is less.
fn front(key: &[u8]) -> (u64, u64) {
    let prefix = key_prefix(key);
    ((prefix >> 64) as u64, prefix as u64)
}

#[cfg(test)]
mod tests {
    use slice_types::{EntryIterator, EntryKind};
    use slice_wal::EncodedBatch;
    use std::sync::Arc;

    use super::*;

    /// Keys that are each other's beginnings, with zeros and without, long and short, some of them written twice.
    fn keys() -> Vec<Vec<u8>> {
        let stems: [&[u8]; 5] = [b"", b"a", b"a\0", b"the same first sixteen", b"the same first s"];
        let tails: [&[u8]; 4] = [b"", b"\0", b"z", b"\0\0more"];
        let all = stems.iter().flat_map(|stem| tails.iter().map(move |tail| [*stem, *tail].concat()));
        all.clone().chain(all.rev().step_by(2)).collect()
    }

    #[test]
    fn what_is_inserted_in_order_is_what_was_inserted_as_written() {
        let (mut batch, expected) = (EncodedBatch::new(), Memory::of(MemTableKind::default()));
        for (key, n) in keys().iter().zip(1_u64..) {
            let kind = if n % 3 == 0 { EntryKind::Delete } else { EntryKind::Put };
            // Some too long to be fetched, some empty.
            let times = if n % 5 == 0 { FETCHED_MAX } else { usize::from(n % 7 != 0) };
            let value = if kind == EntryKind::Delete { Vec::new() } else { n.to_le_bytes().repeat(times) };
            batch.push(KeyspaceId::DEFAULT, kind, key, &value).unwrap();
            expected.insert(key, Trailer::new(SeqNo::new(n), kind), &value);
        }
        batch.push(KeyspaceId(7), EntryKind::Put, b"elsewhere", b"").unwrap();
        let mut gathered = Gathered::default();
        gathered.add(SeqNo::new(1), batch.entries(), |id| Ok(id == KeyspaceId::DEFAULT)).unwrap();
        let mut memories = gathered.into_memories(MemTableKind::default());
        let memory = memories.remove(&KeyspaceId::DEFAULT).unwrap();
        assert!(memories.is_empty());
        assert_eq!(memory.max_seqno(), expected.max_seqno());
        assert_eq!(all(memory), all(expected));
    }

    fn all(memory: Memory) -> Vec<(Vec<u8>, Trailer, Vec<u8>)> {
        let (mut iter, mut all) = (Arc::new(memory).iter(), Vec::new());
        iter.seek_to_first().unwrap();
        while let Some(entry) = iter.entry() {
            all.push((entry.key.to_vec(), entry.trailer, entry.value.to_vec()));
            iter.next().unwrap();
        }
        all
    }
}
