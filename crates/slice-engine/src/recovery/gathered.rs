//! What one log has of each keyspace, put into memtables.
//!
//! A memtable that is loaded takes its entries several times as fast as one that finds a place for each of them: they are
//! stored as they come, sorted once, and its nodes made at the end.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use slice_memtable::MemTableKind;
use slice_types::{KeyspaceId, LogNumber, Result, SeqNo, Trailer};
use slice_wal::Entries;

use super::counts;
use crate::manifest::State;
use crate::primitives::Loader;
use crate::tree::Memory;

/// The entries of a log, by keyspace.
pub(super) struct Gathered<'a> {
    kind: MemTableKind,
    state: &'a State,
    log: LogNumber,
    /// The first sequence number of all.
    first: Option<SeqNo>,
    /// None for a keyspace whose entries do not count any more.
    by_keyspace: BTreeMap<KeyspaceId, Option<Loader>>,
}

impl<'a> Gathered<'a> {
    pub(super) const fn new(kind: MemTableKind, state: &'a State, log: LogNumber) -> Self {
        Self { kind, state, log, first: None, by_keyspace: BTreeMap::new() }
    }

    /// Takes the entries of a batch, but for those of keyspaces for which they do not count any more.
    ///
    /// # Errors
    ///
    /// Corruption when an entry is of a keyspace that never was.
    pub(super) fn add(&mut self, first: SeqNo, entries: Entries<'_>) -> Result<()> {
        self.first.get_or_insert(first);
        for (entry, n) in entries.zip(0_u64..) {
            let entry = entry?;
            if let Some(loader) = self.loader(entry.keyspace)? {
                loader.add(entry.key, Trailer::new(first.plus(n), entry.kind), entry.value);
            }
        }
        Ok(())
    }

    #[inline]
    fn loader(&mut self, id: KeyspaceId) -> Result<Option<&mut Loader>> {
        let loader = match self.by_keyspace.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let counts = counts(Some(self.state), self.log, id)?;
                vacant.insert(counts.then(|| Loader::of(self.kind)))
            }
        };
        Ok(loader.as_mut())
    }

    /// The first sequence number, and a memtable of each keyspace with entries that count.
    pub(super) fn into_memories(self, has_helper: bool) -> (Option<SeqNo>, BTreeMap<KeyspaceId, Memory>) {
        let loaders = self.by_keyspace.into_iter().filter_map(|(id, loader)| Some((id, loader?)));
        (self.first, loaders.map(|(id, loader)| (id, loader.finish(has_helper))).collect())
    }
}

#[cfg(test)]
mod tests {
    use slice_memtable::MemTable;
    use slice_types::EntryKind;
    use slice_wal::EncodedBatch;

    use super::*;

    #[test]
    fn entries_go_to_their_keyspaces_and_those_of_dropped_ones_nowhere() {
        let state = State { next_keyspace: KeyspaceId(3), ..State::empty() };
        let mut batch = EncodedBatch::new();
        for (id, key) in [(0, &b"a"[..]), (2, b"b"), (1, b"c"), (0, b"d")] {
            batch.push(KeyspaceId(id), EntryKind::Put, key, b"value").unwrap();
        }
        let mut gathered = Gathered::new(MemTableKind::default(), &state, LogNumber(1));
        gathered.add(SeqNo::new(5), batch.entries()).unwrap();
        batch.push(KeyspaceId(3), EntryKind::Put, b"of a keyspace that never was", b"").unwrap();
        gathered.add(SeqNo::new(9), batch.entries()).unwrap_err();
        let (first, memories) = gathered.into_memories(true);
        assert_eq!(first, Some(SeqNo::new(5)));
        let memory = &memories[&KeyspaceId(0)];
        assert_eq!((memories.len(), memory.len(), memory.max_seqno()), (1, 4, SeqNo::new(12)));
    }
}
