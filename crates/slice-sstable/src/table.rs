//! A table, open for reading.
//!
//! A lookup is one search of the fences, one question to the block store, one search of the block. Nothing is
//! allocated on the way but the value.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use slice_types::{Error, HEADER_LEN, Result, SeqNo, TableId, Trailer};
use slice_vfs::RandomAccessFile;

use crate::block::BlockRef;
use crate::fence::Fences;
use crate::filter::TableFilter;
use crate::index::{self, Index};
use crate::numbering::Numbering;
use crate::reader::{BlockReader, read_error};
use crate::{Block, BlockShelf, BlockStore, IterOptions, ReadMode, TableIter, TableProperties, format};

/// Values up to this many bytes are copied out of their block: that takes less time than to count who shares it, and what
/// is kept of it does not keep all of the block in memory.
const COPY_MAX: usize = 1024;

/// What a table is opened from: the data file, and the contents of the two small ones.
#[derive(Debug)]
pub struct TableSources {
    /// The data file, `.db`.
    pub data: Arc<dyn RandomAccessFile>,
    /// Its path, for messages.
    pub data_path: PathBuf,
    /// The whole index file, `.idx`.
    pub index: Vec<u8>,
    /// Its path, for messages.
    pub index_path: PathBuf,
    /// The whole filter file, `.bloom`.
    pub filter: Vec<u8>,
    /// Its path, for messages.
    pub filter_path: PathBuf,
}

/// A table, open for reading by any number of threads. It never changes.
///
/// Fences and filter are in memory, blocks in the block store `S` or on disk.
pub struct Table<S: BlockStore> {
    pub(crate) properties: TableProperties,
    pub(crate) fences: Fences,
    pub(crate) filter: TableFilter,
    pub(crate) reader: BlockReader<S>,
    pub(crate) numbering: Numbering,
}

impl<S: BlockStore> Table<S> {
    /// Opens a table. Reads the header of the data file, and no block.
    ///
    /// # Errors
    ///
    /// [`Corruption`](slice_types::ErrorKind::Corruption) when a file is damaged, of the wrong length or of another
    /// table; [`Unsupported`](slice_types::ErrorKind::Unsupported) when it is of a newer format. The file is named.
    pub fn open(id: TableId, sources: TableSources, store: &S) -> Result<Arc<Self>> {
        let TableSources { data, data_path, index, index_path, filter, filter_path } = sources;
        let Index { properties, filter: filter_properties, fences } =
            index::decode(&index).map_err(|e| e.with_file(index_path))?;
        check_len(filter.len() as u64, properties.filter_bytes)
            .and_then(|()| TableFilter::decode(&filter, filter_properties))
            .map_err(|e| e.with_file(filter_path))
            .and_then(|filter| {
                check_data(&*data, &data_path, properties.data_bytes)?;
                let shelf = store.shelf(id, fences.len());
                let reader =
                    BlockReader { table: id, file: data, path: data_path, shelf, salt: properties.salt };
                Ok(Arc::new(Self { properties, fences, filter, reader, numbering: Numbering::OwnEach }))
            })
    }

    /// Gives all entries one sequence number, whatever is written in the table: for a table that was written before it
    /// was known when. Such a table has one version of each key.
    ///
    /// # Panics
    ///
    /// When somebody shares the table already: what one reads must not change.
    pub fn number(self: &mut Arc<Self>, seqno: SeqNo) {
        let table = Arc::get_mut(self).expect("a table is numbered before anyone shares it");
        table.numbering = Numbering::AllAs(seqno);
    }

    /// The number of the table.
    pub fn id(&self) -> TableId {
        self.reader.table
    }

    /// What is known of it without reading blocks.
    pub fn properties(&self) -> &TableProperties {
        &self.properties
    }

    /// Whether the table may have a key of this [hash](slice_types::hash_key): `false` is certain. Without a filter,
    /// always `true`.
    #[inline]
    pub fn may_contain(&self, hash: u64) -> bool {
        self.filter.may_contain(hash)
    }

    /// The newest version of `key` at or below `at`: its trailer and its value. A short value is a copy, a long one shares
    /// the memory of the block, if that is in the store.
    ///
    /// It does not ask the filter. An entry of any kind counts as a version, a range tombstone too that begins at
    /// `key`; range tombstones that begin elsewhere are not looked for.
    ///
    /// # Errors
    ///
    /// What the operating system says; [`Corruption`](slice_types::ErrorKind::Corruption) with file and offset;
    /// [`WouldBlock`](slice_types::ErrorKind::WouldBlock) in [`ReadMode::CachedOnly`].
    #[inline]
    pub fn get(&self, key: &[u8], at: SeqNo, mode: ReadMode) -> Result<Option<(Trailer, Bytes)>> {
        let Some(target) = self.numbering.newest_at(at) else { return Ok(None) };
        let number = self.fences.find(key, target);
        if let Some(kept) = self.reader.shelf.get(number) {
            let share = |found| Block::from_shared(kept.clone()).value_bytes(found);
            return Ok(self.get_in(BlockRef::of(&kept), key, target, share));
        }
        let Some(handle) = self.fences.handle(number) else { return Ok(None) };
        self.reader.look_at_block(number, handle, mode, |block, owner| {
            let copy = |found| Bytes::copy_from_slice(block.value(found));
            let long = |found| owner.map_or_else(|| copy(found), |owner| owner.value_bytes(found));
            self.get_in(block, key, target, long)
        })
    }

    /// The first version of `key` at or after `target` in a block, with `long` for its value where that is long.
    #[inline]
    fn get_in(
        &self,
        block: BlockRef<'_>,
        key: &[u8],
        target: Trailer,
        long: impl FnOnce(usize) -> Bytes,
    ) -> Option<(Trailer, Bytes)> {
        let found = block.find(key, target)?;
        let value = block.value(found);
        let value = if value.len() <= COPY_MAX { Bytes::copy_from_slice(value) } else { long(found) };
        Some((self.numbering.of(block.trailer(found)), value))
    }

    /// An iterator over all entries, which stands on none as yet. It keeps the table open.
    pub fn iter(self: &Arc<Self>, options: IterOptions) -> TableIter<S> {
        TableIter::new(Arc::clone(self), options)
    }

    /// Keys at which the table may be split into parts of about a block each, ascending. The last is its largest key.
    ///
    /// They need not be keys of the table. A key with versions in several blocks comes several times.
    pub fn split_keys(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.fences.len()).map(|i| self.fences.separator(i))
    }

    /// About how many bytes of the data file lie before `key`.
    pub fn approximate_offset(&self, key: &[u8]) -> u64 {
        let block = self.fences.find(key, Trailer::FIRST);
        self.fences.handle(block).map_or(self.fences.end_offset(), |handle| handle.offset)
    }

    /// The memory that fences, filter and the shelf for blocks hold, in bytes.
    pub fn memory_used(&self) -> usize {
        self.fences.memory_used() + self.filter.memory_used() + self.reader.shelf.memory_used()
    }
}

impl<S: BlockStore> fmt::Debug for Table<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("id", &self.id())
            .field("properties", &self.properties)
            .finish_non_exhaustive()
    }
}

/// Checks the length and the header of the data file. Its blocks are checked as they are read.
pub(crate) fn check_data(data: &dyn RandomAccessFile, path: &Path, expected_len: u64) -> Result<()> {
    let mut header = [0; HEADER_LEN];
    data.len()
        .map_err(|e| Error::io("ask for the length of a table", e))
        .and_then(|len| check_len(len, expected_len))
        .and_then(|()| data.read_exact_at(&mut header, 0).map_err(read_error))
        .and_then(|()| format::DATA.check(&header).map(|_| ()))
        .map_err(|e| e.with_file(path))
}

pub(crate) fn check_len(found: u64, expected: u64) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::corruption(format!("the file has {found} bytes, and {expected} were written")))
}
