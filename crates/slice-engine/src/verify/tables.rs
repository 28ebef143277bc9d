//! Tables, read from end to end, and compared with what the manifest says of them.

use std::path::Path;
use std::sync::Arc;

use slice_compaction::TableMeta;
use slice_sstable::{NoBlockStore, Table, TableProperties, TableSources};
use slice_types::{Bookmark, EntryRef, Error, RangeIndex, SeqNo, TableId};
use slice_vfs::{Fs, read_all};

use super::report::{Finding, FindingKind, Report};
use crate::db::names::TablePaths;
use crate::tree::is_numbered_as;

/// A table as the verifier and the repair see it: past the caches.
pub(crate) type PlainTable = Arc<Table<NoBlockStore>>;

/// Checks a table, and that it is the one that the manifest means if that is known: also that nothing is in it that the
/// range tombstones cover which the manifest says were applied to it.
pub(super) fn verify_table(
    fs: &dyn Fs,
    dir: &Path,
    id: TableId,
    meta: Option<&TableMeta>,
    range_tombstones: &RangeIndex,
    report: &mut Report,
) {
    report.tables += 1;
    let Some(table) = open_damaged(fs, dir, id, report) else { return };
    let paths = TablePaths::new(dir, id);
    let (mut bookmark, purged) = (Bookmark::default(), meta.map_or(SeqNo::ZERO, |meta| meta.purged));
    let mut is_left =
        |entry: &EntryRef<'_>| match range_tombstones.covering_near(&mut bookmark, entry.key, purged) {
            Some(seqno) if seqno > entry.seqno() => Err(Error::corruption(format!(
                "the entry {entry:?} is covered by the range tombstone {seqno}, which is recorded as applied"
            ))),
            _ => Ok(()),
        };
    table.verify_entries(&mut is_left, &mut |fault| report.add(Finding::of(&fault, &paths.data)));
    report.entries += table.properties().entries;
    let Some(meta) = meta else { return };
    if let Some(difference) = difference(table.properties(), meta) {
        let message = format!("the table is not the one that the manifest means: {difference}");
        report.add(Finding::new(FindingKind::Contradiction, paths.index, message));
    }
}

/// Opens what there is of a table; `None` when that is not enough to read blocks. What is wrong is noted.
pub(crate) fn open_damaged(fs: &dyn Fs, dir: &Path, id: TableId, report: &mut Report) -> Option<PlainTable> {
    let paths = TablePaths::new(dir, id);
    for path in paths.all() {
        if let Err(error) = fs.metadata(path)
            && error.kind() == std::io::ErrorKind::NotFound
        {
            report.add(Finding::new(FindingKind::Missing, path, "a file of a table"));
        }
    }
    let mut note = |path: &Path, error| {
        report.add(Finding::of(&slice_types::Error::io("read a table", error), path));
    };
    let data = fs.open_random(&paths.data).map_err(|error| note(&paths.data, error)).ok();
    let index = read_all(fs, &paths.index).map_err(|error| note(&paths.index, error)).ok();
    let filter = read_all(fs, &paths.filter).map_err(|error| note(&paths.filter, error)).unwrap_or_default();
    let sources = TableSources {
        data: data?,
        data_path: paths.data,
        index: index?,
        index_path: paths.index.clone(),
        filter,
        filter_path: paths.filter,
    };
    Table::open_damaged(id, sources, &NoBlockStore, &mut |fault| {
        report.add(Finding::of(&fault, &paths.index));
    })
}

/// How a table differs from what the manifest says of it.
fn difference(found: &TableProperties, meta: &TableMeta) -> Option<String> {
    let numbers = [
        ("entries", found.entries, meta.entries),
        ("tombstones", found.tombstones, meta.tombstones),
        ("stored bytes", found.stored_bytes(), meta.bytes),
    ];
    if !is_numbered_as(found, meta) {
        let [from, through, expected_from, expected_through] =
            [found.min_seqno, found.max_seqno, meta.min_seqno, meta.max_seqno];
        return Some(format!(
            "sequence numbers {from} to {through}, and {expected_from} to {expected_through} are recorded"
        ));
    }
    for (what, found, expected) in numbers {
        if found != expected {
            return Some(format!("{found} {what}, and {expected} are recorded"));
        }
    }
    let keys = [
        ("smallest", &found.smallest_key[..], &meta.smallest[..]),
        ("largest", &found.largest_key[..], &meta.largest[..]),
    ];
    let (what, found, expected) = keys.into_iter().find(|(_, found, expected)| found != expected)?;
    Some(format!("the {what} key is {}, and {} is recorded", found.escape_ascii(), expected.escape_ascii()))
}
