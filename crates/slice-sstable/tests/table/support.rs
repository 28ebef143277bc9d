//! Tables in memory, and what they should hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice_sstable::{
    BlockStore, NoBlockStore, Table, TableBuilder, TableFiles, TableOptions, TableProperties, TableSources,
};
use slice_types::{EntryKind, EntryRef, Result, SeqNo, TableId, Trailer, internal_cmp};
use slice_vfs::{Fs, MemFs, RandomAccessFile, read_all};

/// An entry with everything in its own memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Vec<u8>,
    pub(crate) trailer: Trailer,
    pub(crate) value: Vec<u8>,
}

impl Entry {
    pub(crate) fn new(
        key: impl Into<Vec<u8>>,
        seqno: u64,
        kind: EntryKind,
        value: impl Into<Vec<u8>>,
    ) -> Self {
        Self { key: key.into(), trailer: Trailer::new(SeqNo::new(seqno), kind), value: value.into() }
    }

    pub(crate) fn put(key: impl Into<Vec<u8>>, seqno: u64, value: impl Into<Vec<u8>>) -> Self {
        Self::new(key, seqno, EntryKind::Put, value)
    }

    pub(crate) fn from_ref(entry: EntryRef<'_>) -> Self {
        Self { key: entry.key.to_vec(), trailer: entry.trailer, value: entry.value.to_vec() }
    }

    pub(crate) fn as_ref(&self) -> EntryRef<'_> {
        EntryRef::new(&self.key, self.trailer, &self.value)
    }
}

/// Sorts as a table does, and keeps one of those that stand at the same place.
pub(crate) fn in_order(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|l, r| internal_cmp((&l.key, l.trailer), (&r.key, r.trailer)));
    entries.dedup_by(|l, r| l.key == r.key && l.trailer == r.trailer);
    entries
}

/// The three files of a table, as bytes.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) data: Vec<u8>,
    pub(crate) index: Vec<u8>,
    pub(crate) filter: Vec<u8>,
}

pub(crate) const DATA: &str = "/sstable_000001.db";
pub(crate) const INDEX: &str = "/sstable_000001.idx";
pub(crate) const FILTER: &str = "/sstable_000001.bloom";

pub(crate) fn create_files(fs: &MemFs) -> TableFiles {
    let create = |path| fs.create_append(Path::new(path)).unwrap();
    TableFiles { data: create(DATA), index: create(INDEX), filter: create(FILTER) }
}

/// Builds a table of entries that are in order.
pub(crate) fn build(entries: &[Entry], options: TableOptions) -> (Files, TableProperties) {
    let fs = MemFs::new();
    let mut builder = TableBuilder::new(create_files(&fs), options).unwrap();
    for entry in entries {
        builder.add(entry.as_ref()).unwrap();
    }
    let properties = builder.finish().unwrap();
    let read = |path| read_all(&fs, Path::new(path)).unwrap();
    (Files { data: read(DATA), index: read(INDEX), filter: read(FILTER) }, properties)
}

/// Opens a table of these bytes.
pub(crate) fn open(files: &Files) -> Result<Arc<Table<NoBlockStore>>> {
    open_with(files, in_memory(&files.data), &NoBlockStore)
}

pub(crate) fn open_with<S: BlockStore>(
    files: &Files,
    data: Arc<dyn RandomAccessFile>,
    store: &S,
) -> Result<Arc<Table<S>>> {
    let sources = TableSources {
        data,
        data_path: PathBuf::from(DATA),
        index: files.index.clone(),
        index_path: PathBuf::from(INDEX),
        filter: files.filter.clone(),
        filter_path: PathBuf::from(FILTER),
    };
    Table::open(TableId(1), sources, store)
}

/// A file of these bytes, for reading.
pub(crate) fn in_memory(bytes: &[u8]) -> Arc<dyn RandomAccessFile> {
    let fs = MemFs::new();
    let mut file = fs.create_append(Path::new("/bytes")).unwrap();
    file.append(bytes).unwrap();
    fs.open_random(Path::new("/bytes")).unwrap()
}

/// Builds and opens in one.
pub(crate) fn table(entries: &[Entry], options: TableOptions) -> Arc<Table<NoBlockStore>> {
    open(&build(entries, options).0).unwrap()
}
