//! The readable parts of a damaged database, as inputs of a merge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use slice_compaction::TableMeta;
use slice_memtable::MemTable;
use slice_sstable::find_blocks;
use slice_types::{
    EntryIterator, EntryKind, EntryRef, Error, ErrorKind, KeyspaceId, LogNumber, RangeTombstone, Result,
    TableId, Trailer,
};
use slice_vfs::read_all;
use slice_wal::{RecoveryMode, replay};

use super::blocks::{Losses, ReadableBlocks};
use super::report::{Lost, Origin};
use crate::db::names::{TablePaths, log_path};
use crate::manifest::State;
use crate::recovery::insert;
use crate::signal::lock;
use crate::tree::Memory;
use crate::verify::{Directory, Report, Trust, damaged_places, open_damaged};

/// A table's blocks or a log's entries.
pub(super) enum Source {
    Table(ReadableBlocks),
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

/// All that can be read of a directory.
pub(super) struct Salvage {
    pub(super) origin: Origin,
    /// Newest first, as far as that is known: where two say something of the same number, the first is believed.
    pub(super) sources: Vec<Source>,
    /// Those of the manifest, if there is one, and of the logs.
    pub(super) range_tombstones: Vec<RangeTombstone>,
    pub(super) tables: u64,
    pub(super) logs: u64,
}

/// Opens all that can be read; what cannot is noted.
///
/// # Errors
///
/// `Unsupported` when there is more than this build knows: it must not be called lost.
pub(super) fn salvage(directory: &Directory<'_>, losses: &Losses) -> Result<Salvage> {
    let named = named_tables(directory)?;
    let origin = origin(directory, &named);
    let mut ids: Vec<TableId> = named.keys().copied().collect();
    if origin != Origin::Manifest {
        ids.extend(directory.tables().into_iter().filter(|id| !named.contains_key(id)));
    }
    ids.sort_unstable();
    let range_tombstones = named_range_tombstones(directory);
    let mut salvage = Salvage { origin, sources: Vec::new(), range_tombstones, tables: 0, logs: 0 };
    salvage.take_logs(directory, losses)?;
    for id in ids.into_iter().rev() {
        salvage.take_table(directory, id, named.get(&id).map(|meta| &**meta), losses);
    }
    Ok(salvage)
}

fn named_tables(directory: &Directory<'_>) -> Result<BTreeMap<TableId, Arc<TableMeta>>> {
    let Some((state, ..)) = &directory.state else { return Ok(BTreeMap::new()) };
    if let Some(other) = state.keyspaces.keys().find(|id| **id != KeyspaceId::DEFAULT) {
        let message = format!("the store has keyspace {other}, which this build does not know");
        return Err(Error::new(ErrorKind::Unsupported, message).with_file(&directory.path));
    }
    Ok(state.tables().map(|(_, _, meta)| (meta.id, Arc::clone(meta))).collect())
}

/// Those of a manifest that was replaced count too: what they cover was deleted.
fn named_range_tombstones(directory: &Directory<'_>) -> Vec<RangeTombstone> {
    let Some((state, ..)) = &directory.state else { return Vec::new() };
    let keyspaces = state.keyspaces.values();
    keyspaces.flat_map(|keyspace| keyspace.range_tombstones.values().cloned()).collect()
}

/// A manifest whose tables are gone is one that a newer one, or a lost edit, has replaced.
fn origin(directory: &Directory<'_>, named: &BTreeMap<TableId, Arc<TableMeta>>) -> Origin {
    let there = directory.tables();
    match &directory.state {
        None => Origin::Listing,
        Some((_, _, Trust::Whole)) if named.keys().all(|id| there.contains(id)) => Origin::Manifest,
        Some(_) => Origin::StaleManifest,
    }
}

impl Salvage {
    fn take_table(
        &mut self,
        directory: &Directory<'_>,
        id: TableId,
        meta: Option<&TableMeta>,
        losses: &Losses,
    ) {
        let paths = TablePaths::new(&directory.path, id);
        let lose = |file, keys, message| lock(losses).push(Lost { file, offset: None, keys, message });
        let mut report = Report::default();
        let Some(table) = open_damaged(directory.fs, &directory.path, id, &mut report) else {
            let (memory, found) = without_index(directory, id);
            // Without the manifest nobody knows how many there were.
            if meta.is_none_or(|meta| meta.entries != found) {
                let bounds = meta.map(|meta| (meta.smallest.to_vec(), meta.largest.to_vec()));
                let why: Vec<_> = report.faults().map(ToString::to_string).collect();
                let why = why.join("; ");
                lose(paths.data, bounds, format!("{found} entries were found in the table: {why}"));
            }
            self.tables += u64::from(found > 0);
            self.sources.push(Source::Log(memory.iter()));
            return;
        };
        let found = table.properties();
        if meta.is_some_and(|meta| (found.entries, found.max_seqno) != (meta.entries, meta.max_seqno)) {
            // What it holds may be of any time and of any key.
            let message = "the table is not the one that the manifest means".to_owned();
            lose(paths.index, None, message);
        }
        self.tables += 1;
        self.sources.push(Source::Table(ReadableBlocks::new(table, Arc::clone(losses))));
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
        let memory = Arc::new(Memory::new());
        let mut sink = |first, _, entries: slice_wal::Entries<'_>| insert(&memory, first, entries);
        let log = replay(&bytes, &path, number, RecoveryMode::Salvage, limit, None, &mut sink)?;
        for (offset, message) in damaged_places(&log) {
            lose(Some(offset), message);
        }
        self.logs += 1;
        self.range_tombstones.extend_from_slice(memory.range_tombstones().tombstones());
        self.sources.push(Source::Log(memory.iter()));
        Ok(())
    }
}

/// What can be found of a table whose index is lost, and how many entries that is. A table is salted with its number.
fn without_index(directory: &Directory<'_>, id: TableId) -> (Arc<Memory>, u64) {
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
                memory.insert(&key, block.trailer(i), block.value(i));
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
