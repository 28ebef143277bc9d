//! The readable parts of a damaged database, as inputs of a merge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use slice_compaction::TableMeta;
use slice_memtable::{MemTable, MemTableKind};
use slice_sstable::find_blocks;
use slice_types::{
    EntryIterator, EntryKind, EntryRef, KeyspaceId, LogNumber, RangeTombstone, Result, SeqNo, TableId,
    Trailer,
};
use slice_vfs::read_all;
use slice_wal::{RecoveryMode, replay};

use super::blocks::{Losses, ReadableBlocks, numbered};
use super::report::{Lost, Origin};
use crate::db::names::{TablePaths, log_path};
use crate::manifest::{DEFAULT_NAME, State};
use crate::recovery::Memories;
use crate::signal::lock;
use crate::tree::{Memory, is_numbered_as};
use crate::verify::{Directory, Report, Trust, damaged_places, open_damaged};

/// A table's blocks or a log's entries.
pub(super) enum Source {
    Table(Box<ReadableBlocks>),
    /// Also the entries of a table without an index.
    Log(<Memory as MemTable>::Iter),
}

macro_rules! each {
    ($self:ident, $iter:ident => $call:expr) => {
        match $self {
            Self::Table($iter) => $call,
            Self::Log($iter) => $call,
        }
    };
}

impl EntryIterator for Source {
    fn entry(&self) -> Option<EntryRef<'_>> {
        each!(self, iter => iter.entry())
    }

    fn seek_to_first(&mut self) -> Result<()> {
        each!(self, iter => iter.seek_to_first())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        each!(self, iter => iter.seek_to_last())
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        each!(self, iter => iter.seek(key, trailer))
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        each!(self, iter => iter.seek_for_prev(key, trailer))
    }

    fn next(&mut self) -> Result<()> {
        each!(self, iter => iter.next())
    }

    fn prev(&mut self) -> Result<()> {
        each!(self, iter => iter.prev())
    }
}

/// Where tables go whose keyspace is not known, when there are several.
const SALVAGED: &str = "salvaged";

/// Tables, each with the name of its keyspace and what the manifest says of it.
type Named = BTreeMap<TableId, (String, Arc<TableMeta>)>;

/// The name of a keyspace that a log has entries of and no manifest that can be read names.
fn name_of(id: KeyspaceId) -> String {
    if id == KeyspaceId::DEFAULT { DEFAULT_NAME.to_owned() } else { format!("keyspace-{id}") }
}

/// All that can be read of a keyspace.
#[derive(Default)]
pub(super) struct Parts {
    /// Newest first, as far as that is known: where two say something of the same number, the first is believed.
    pub(super) sources: Vec<Source>,
    /// Those of the manifest, if there is one, and of the logs.
    pub(super) range_tombstones: Vec<RangeTombstone>,
}

/// All that can be read of a directory.
pub(super) struct Salvage {
    pub(super) origin: Origin,
    /// By the keyspaces' names.
    pub(super) keyspaces: BTreeMap<String, Parts>,
    pub(super) tables: u64,
    pub(super) logs: u64,
}

/// Opens all that can be read; what cannot is noted.
///
/// # Errors
///
/// `Unsupported` when there is more than this build knows: it must not be called lost.
pub(super) fn salvage(directory: &Directory<'_>, losses: &Losses) -> Result<Salvage> {
    let named = named_tables(directory);
    let origin = origin(directory, &named);
    let mut ids: Vec<TableId> = named.keys().copied().collect();
    if origin != Origin::Manifest {
        ids.extend(directory.tables().into_iter().filter(|id| !named.contains_key(id)));
    }
    ids.sort_unstable();
    let mut salvage = Salvage { origin, keyspaces: keyspaces_of(directory), tables: 0, logs: 0 };
    salvage.take_logs(directory, losses)?;
    let unnamed = if salvage.keyspaces.len() > 1 { SALVAGED } else { DEFAULT_NAME };
    for id in ids.into_iter().rev() {
        let (keyspace, meta) = match named.get(&id) {
            Some((keyspace, meta)) => (keyspace.as_str(), Some(&**meta)),
            None => (unnamed, None),
        };
        salvage.take_table(directory, id, keyspace, meta, losses);
    }
    Ok(salvage)
}

/// Every keyspace that is known, the default one in any case, each with its range tombstones: those of a manifest that
/// was replaced count too, since what they cover was deleted.
fn keyspaces_of(directory: &Directory<'_>) -> BTreeMap<String, Parts> {
    let mut keyspaces = BTreeMap::from([(DEFAULT_NAME.to_owned(), Parts::default())]);
    for keyspace in directory.state.iter().flat_map(|(state, ..)| state.keyspaces.values()) {
        let range_tombstones = keyspace.range_tombstones.values().cloned().collect();
        keyspaces.insert(keyspace.name.clone(), Parts { sources: Vec::new(), range_tombstones });
    }
    keyspaces
}

/// The tables that the manifest names, each with the name of its keyspace.
fn named_tables(directory: &Directory<'_>) -> Named {
    let keyspaces = directory.state.iter().flat_map(|(state, ..)| state.keyspaces.values());
    let tables =
        keyspaces.flat_map(|keyspace| keyspace.levels.iter().flatten().map(move |meta| (keyspace, meta)));
    tables.map(|(keyspace, meta)| (meta.id, (keyspace.name.clone(), Arc::clone(meta)))).collect()
}

/// A manifest whose tables are gone is one that a newer one, or a lost edit, has replaced.
fn origin(directory: &Directory<'_>, named: &Named) -> Origin {
    let there = directory.tables();
    match &directory.state {
        None => Origin::Listing,
        Some((_, _, Trust::Whole)) if named.keys().all(|id| there.contains(id)) => Origin::Manifest,
        Some(_) => Origin::StaleManifest,
    }
}

impl Salvage {
    fn parts(&mut self, keyspace: &str) -> &mut Parts {
        self.keyspaces.entry(keyspace.to_owned()).or_default()
    }

    fn take_table(
        &mut self,
        directory: &Directory<'_>,
        id: TableId,
        keyspace: &str,
        meta: Option<&TableMeta>,
        losses: &Losses,
    ) {
        let paths = TablePaths::new(&directory.path, id);
        let lose = |file, keys, message| lock(losses).push(Lost { file, offset: None, keys, message });
        let number = meta.map_or(SeqNo::ZERO, |meta| meta.max_seqno);
        let mut report = Report::default();
        let Some(table) = open_damaged(directory.fs, &directory.path, id, &mut report) else {
            let (memory, found) = without_index(directory, id, number);
            // Without the manifest nobody knows how many there were.
            if meta.is_none_or(|meta| meta.entries != found) {
                let bounds = meta.map(|meta| (meta.smallest.to_vec(), meta.largest.to_vec()));
                let why: Vec<_> = report.faults().map(ToString::to_string).collect();
                let why = why.join("; ");
                lose(paths.data, bounds, format!("{found} entries were found in the table: {why}"));
            }
            self.tables += u64::from(found > 0);
            self.parts(keyspace).sources.push(Source::Log(memory.iter()));
            return;
        };
        let found = table.properties();
        if meta.is_some_and(|meta| found.entries != meta.entries || !is_numbered_as(found, meta)) {
            // What it holds may be of any time and of any key.
            let message = "the table is not the one that the manifest means".to_owned();
            lose(paths.index.clone(), None, message);
        }
        self.tables += 1;
        if meta.is_none() && found.max_seqno == SeqNo::ZERO {
            let bounds = (found.smallest_key.to_vec(), found.largest_key.to_vec());
            let message =
                "only the manifest knows when the table was loaded: it is taken for the oldest".to_owned();
            lose(paths.index, Some(bounds), message);
        }
        let blocks = ReadableBlocks::new(table, number, Arc::clone(losses));
        self.parts(keyspace).sources.push(Source::Table(Box::new(blocks)));
    }

    /// Takes the logs that count, each to where it was decided to end.
    fn take_logs(&mut self, directory: &Directory<'_>, losses: &Losses) -> Result<()> {
        let state = directory.state.as_ref().map(|(state, ..)| state);
        let first = state.map_or(LogNumber(0), State::first_log);
        let there = directory.logs();
        let decided = |number: &LogNumber| state.and_then(|state| state.log_ends.get(number).copied());
        for number in there.iter().rev().filter(|number| **number >= first) {
            match decided(number) {
                Some(0) => {}
                limit => self.take_log(directory, *number, limit, losses)?,
            }
        }
        note_missing_logs(directory, first, losses);
        Ok(())
    }

    fn take_log(
        &mut self,
        directory: &Directory<'_>,
        number: LogNumber,
        limit: Option<u64>,
        losses: &Losses,
    ) -> Result<()> {
        let path = log_path(&directory.path, number);
        let lose = |offset, message| {
            lock(losses).push(Lost { file: path.clone(), offset, keys: None, message });
        };
        let bytes = match read_all(directory.fs, &path) {
            Ok(bytes) => bytes,
            Err(error) => {
                lose(None, format!("the log cannot be read: {error}"));
                return Ok(());
            }
        };
        let state = directory.state.as_ref().map(|(state, ..)| state);
        let mut memories =
            Memories { state, log: number, kind: MemTableKind::default(), by_keyspace: BTreeMap::new() };
        let mut sink = |first, _, entries: slice_wal::Entries<'_>| memories.insert(first, entries);
        let log = replay(&bytes, &path, number, RecoveryMode::Salvage, limit, None, &mut sink)?;
        for (offset, message) in damaged_places(&log) {
            lose(Some(offset), message);
        }
        self.logs += 1;
        for (id, memory) in memories.by_keyspace {
            let known =
                state.and_then(|state| state.keyspaces.get(&id)).map(|keyspace| keyspace.name.clone());
            let parts = self.parts(&known.unwrap_or_else(|| name_of(id)));
            for index in memory.range_tombstones() {
                parts.range_tombstones.extend_from_slice(index.tombstones());
            }
            parts.sources.push(Source::Log(Arc::new(memory).iter()));
        }
        Ok(())
    }
}

/// What can be found of a table whose index is lost, and how many entries that is. A table is salted with its number.
fn without_index(directory: &Directory<'_>, id: TableId, number: SeqNo) -> (Arc<Memory>, u64) {
    let memory = Arc::new(Memory::new());
    let mut entries = 0;
    let data = read_all(directory.fs, &TablePaths::new(&directory.path, id).data).unwrap_or_default();
    let blocks = find_blocks(&data.into(), id.0);
    for block in blocks {
        for i in 0..block.count() {
            let mut key = Vec::new();
            block.key_into(i, &mut key);
            entries += 1;
            // No table has a range tombstone: nothing is known of its bytes.
            if block.trailer(i).kind() != EntryKind::RangeDelete {
                memory.insert(&key, numbered(block.trailer(i), number), block.value(i));
            }
        }
    }
    (memory, entries)
}

/// The logs that a recovery has seen or that stand between others, and that are not there.
fn note_missing_logs(directory: &Directory<'_>, first: LogNumber, losses: &Losses) {
    let there = directory.logs();
    let Some((state, ..)) = &directory.state else { return };
    let counted = state.log_ends.iter().filter(|(_, end)| **end > 0).map(|(number, _)| *number);
    let last = there.iter().copied().chain(counted.clone()).max();
    let between = (first.0..last.map_or(0, |last| last.0)).map(LogNumber).take(there.len() * 2 + 64);
    let missing: BTreeSet<_> = between
        .filter(|number| state.log_ends.get(number) != Some(&0))
        .chain(counted)
        .filter(|number| *number >= first && !there.contains(number))
        .collect();
    for number in missing {
        let file = log_path(&directory.path, number);
        let message = "the log is not there".to_owned();
        lock(losses).push(Lost { file, offset: None, keys: None, message });
    }
}
