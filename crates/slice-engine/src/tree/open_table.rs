//! A table of the current version, or of an older one that somebody still reads.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slice_compaction::TableMeta;
use slice_sstable::{Table, TableProperties, TableSources};
use slice_types::{Error, Result, SeqNo, TableId};
use slice_vfs::{Access, Fs, read_all};

use super::caches::Blocks;
use crate::db::names::TablePaths;
use crate::manifest::missing_or;
use crate::primitives::Mutex;
use crate::signal::lock;

/// Tables whose files nobody needs any more, to be removed in the background.
pub(crate) type Graveyard = Mutex<Vec<TableId>>;

/// An open table. Once it is [retired](OpenTable::retire), its files are given up when the last reader lets go.
pub(crate) struct OpenTable {
    pub(crate) table: Arc<Table<Blocks>>,
    pub(crate) meta: Arc<TableMeta>,
    retired: AtomicBool,
    graveyard: Arc<Graveyard>,
}

impl OpenTable {
    /// Opens a table that the manifest knows, and checks that the files are the ones it means.
    ///
    /// # Errors
    ///
    /// Corruption when a file is missing, damaged, or of another table.
    pub(crate) fn open(
        fs: &dyn Fs,
        dir: &Path,
        meta: Arc<TableMeta>,
        blocks: &Blocks,
        graveyard: Arc<Graveyard>,
    ) -> Result<Self> {
        let paths = TablePaths::new(dir, meta.id);
        let mut table = Table::open(meta.id, sources(fs, paths)?, blocks)?;
        let found = table.properties();
        if found.entries != meta.entries
            || !is_numbered_as(found, &meta)
            || (&found.smallest_key[..], &found.largest_key[..]) != (&meta.smallest[..], &meta.largest[..])
        {
            let path = TablePaths::new(dir, meta.id).index;
            return Err(Error::corruption("the table is not the one that the manifest means").with_file(path));
        }
        if found.max_seqno == SeqNo::ZERO {
            table.number(meta.max_seqno);
        }
        Ok(Self { table, meta, retired: AtomicBool::new(false), graveyard })
    }

    /// Gives all entries of a table that was written without a number this one.
    pub(crate) fn number(&mut self, seqno: SeqNo) {
        self.meta =
            Arc::new(TableMeta { min_seqno: seqno, max_seqno: seqno, ..TableMeta::clone(&self.meta) });
        self.table.number(seqno);
    }

    pub(crate) fn id(&self) -> TableId {
        self.meta.id
    }

    /// Says that no version from now on holds the table, durably.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }
}

impl Drop for OpenTable {
    fn drop(&mut self) {
        if *self.retired.get_mut() {
            lock(&self.graveyard).push(self.meta.id);
        }
    }
}

/// Whether a table has the sequence numbers that the manifest says. One that was loaded in bulk has none of its own, and
/// takes the one that it is given there.
pub(crate) fn is_numbered_as(found: &TableProperties, meta: &TableMeta) -> bool {
    if found.max_seqno == SeqNo::ZERO {
        return meta.min_seqno == meta.max_seqno;
    }
    (found.min_seqno, found.max_seqno) == (meta.min_seqno, meta.max_seqno)
}

fn sources(fs: &dyn Fs, paths: TablePaths) -> Result<TableSources> {
    let read =
        |path: &Path| read_all(fs, path).map_err(|error| missing_or(error, "read a table").with_file(path));
    let data = fs
        .open_random(&paths.data)
        .map_err(|error| missing_or(error, "open a table").with_file(&paths.data))?;
    // Scans and merges read ahead by themselves: what the kernel would add to a read of one block is not wanted.
    data.advise(Access::Random);
    Ok(TableSources {
        data,
        index: read(&paths.index)?,
        filter: read(&paths.filter)?,
        data_path: paths.data,
        index_path: paths.index,
        filter_path: paths.filter,
    })
}
