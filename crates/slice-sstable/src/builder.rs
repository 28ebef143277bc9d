//! Entries in order go in, a table's three files come out.
//!
//! A block is cut before the entry that would make it too long, so a block is no longer than its size or than its
//! one entry.

use bytes::Bytes;
use slice_types::{EntryRef, Error, Result, Trailer, check_key, check_value};
use slice_vfs::{AppendFile, SyncSite};

use crate::block::BlockBuilder;
use crate::codec::{BlockSeed, Sealer};
use crate::filter::FilterWriter;
use crate::format::{self, MAX_BLOCK_SIZE};
use crate::index::{self, FenceWriter};
use crate::output::Output;
use crate::properties::{FilterProperties, TableProperties};
use crate::{Compression, separator};

/// Why the blocks of a table are synced: the caller is about to rely on them.
pub const TABLE_DATA: SyncSite = SyncSite::new("table.data");
/// Why its filter is synced: a table is all three of its files.
pub const TABLE_FILTER: SyncSite = SyncSite::new("table.filter");
/// Why its index is synced: as above.
pub const TABLE_INDEX: SyncSite = SyncSite::new("table.index");

/// How a table is built.
#[derive(Clone, Debug)]
pub struct TableOptions {
    /// The size of a block before compression, in bytes: 1 to 64 MiB. A longer entry has a block of its own.
    pub block_size: usize,
    /// How blocks are compressed.
    pub compression: Compression,
    /// The filter's size, in bits for each user key; 0 for no filter.
    pub filter_bits_per_key: f64,
}

impl Default for TableOptions {
    /// Blocks of 4 KiB, LZ4, 10 bits.
    fn default() -> Self {
        Self { block_size: 4096, compression: Compression::default(), filter_bits_per_key: 10.0 }
    }
}

/// The three files of a table to be, newly created and empty.
#[derive(Debug)]
pub struct TableFiles {
    /// The data blocks, `.db`.
    pub data: Box<dyn AppendFile>,
    /// The properties and fences, `.idx`.
    pub index: Box<dyn AppendFile>,
    /// The filter, `.bloom`.
    pub filter: Box<dyn AppendFile>,
}

/// Builds a table.
///
/// After an error the files are of no use: remove them. Dropped before [`finish`](Self::finish), it leaves files
/// that no reader opens.
pub struct TableBuilder {
    options: TableOptions,
    data: Output,
    index_file: Box<dyn AppendFile>,
    filter_file: Box<dyn AppendFile>,
    block: BlockBuilder,
    /// A block before it is sealed; empty otherwise.
    raw: Vec<u8>,
    sealer: Sealer,
    filter: FilterWriter,
    fences: FenceWriter,
    separator: Vec<u8>,
    properties: TableProperties,
    last_key: Vec<u8>,
    last_trailer: Trailer,
}

impl TableBuilder {
    /// Starts a table in three empty files.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](slice_types::ErrorKind::InvalidArgument) for an option out of its range.
    pub fn new(files: TableFiles, options: TableOptions) -> Result<Self> {
        if options.block_size == 0 || options.block_size > MAX_BLOCK_SIZE {
            let asked = options.block_size;
            return Err(Error::invalid_argument(format!(
                "blocks of {asked} bytes; use 1 to {MAX_BLOCK_SIZE}"
            )));
        }
        Ok(Self {
            data: Output::new(files.data, &format::DATA.header()),
            index_file: files.index,
            filter_file: files.filter,
            block: BlockBuilder::new(),
            raw: Vec::new(),
            sealer: Sealer::new(options.compression),
            filter: FilterWriter::new(options.filter_bits_per_key)?,
            fences: FenceWriter::default(),
            separator: Vec::new(),
            properties: TableProperties::empty(options.compression),
            last_key: Vec::new(),
            last_trailer: Trailer::FIRST,
            options,
        })
    }

    /// Ties the blocks to this table: mixed into their checksums, so that the data file of another table, which may
    /// have the same layout, does not pass for this one's. Best a number that no other table has; 0 without this.
    ///
    /// # Panics
    ///
    /// When an entry has been added: the salt is for all blocks.
    #[must_use]
    pub fn with_salt(mut self, salt: u64) -> Self {
        assert!(self.is_empty(), "the salt is for all blocks");
        self.properties.salt = salt;
        self
    }

    /// Adds an entry behind all others.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](slice_types::ErrorKind::InvalidArgument) for a key or value over its limit, which is not
    /// added; otherwise what the operating system says.
    ///
    /// # Panics
    ///
    /// When the entry does not stand behind the last one in internal order: searches in the table would lose it.
    pub fn add(&mut self, entry: EntryRef<'_>) -> Result<()> {
        check_key(entry.key)?;
        check_value(entry.value)?;
        let is_new_key = self.assert_ascends(&entry);
        if !self.block.is_empty() && self.block.estimated_len_with(&entry) > self.options.block_size {
            self.cut_block(Some(entry.key))?;
        }
        if is_new_key {
            self.filter.add(entry.key);
            self.last_key.clear();
            self.last_key.extend_from_slice(entry.key);
        }
        self.last_trailer = entry.trailer;
        self.properties.count(&entry);
        self.block.add(entry);
        Ok(())
    }

    /// About how long the data file would be if no more were added, in bytes.
    pub fn estimated_bytes(&self) -> u64 {
        self.data.len() + if self.block.is_empty() { 0 } else { self.block.estimated_len() as u64 }
    }

    /// How many entries have been added.
    pub fn entries(&self) -> u64 {
        self.properties.entries
    }

    /// Whether no entry has been added.
    pub fn is_empty(&self) -> bool {
        self.entries() == 0
    }

    /// Writes what is left and makes all three files durable. Their names are the caller's to make durable.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    ///
    /// # Panics
    ///
    /// When the table is empty: it would have no smallest key.
    pub fn finish(mut self) -> Result<TableProperties> {
        assert!(!self.is_empty(), "a table has at least one entry");
        self.cut_block(None)?;
        let Self { data, filter, fences, mut properties, last_key, .. } = self;
        properties.largest_key = Bytes::from(last_key);
        properties.data_bytes = data.finish(TABLE_DATA)?;

        let (filter_bytes, filter) = filter.finish();
        properties.filter_bytes = Output::new(self.filter_file, &filter_bytes).finish(TABLE_FILTER)?;

        let index_bytes = fences.finish(&properties, filter);
        properties.index_bytes = index_bytes.len() as u64;
        debug_assert!(reads_back(&index_bytes, &properties, filter), "a reader finds what was written");
        Output::new(self.index_file, &index_bytes).finish(TABLE_INDEX)?;
        Ok(properties)
    }

    /// Asserts the internal order, and says whether the entry's key is another than the last one's.
    #[inline]
    fn assert_ascends(&self, entry: &EntryRef<'_>) -> bool {
        let order = self.last_key[..].cmp(entry.key);
        let is_older = order.is_eq() && self.last_trailer.to_u64() > entry.trailer.to_u64();
        assert!(
            self.is_empty() || order.is_lt() || is_older,
            "entry {entry:?} does not stand behind {}{:?}",
            self.last_key.escape_ascii(),
            self.last_trailer,
        );
        self.is_empty() || order.is_lt()
    }

    /// Stores the block and its fence, which stands before `next_key` unless that is the block's last key too.
    fn cut_block(&mut self, next_key: Option<&[u8]>) -> Result<()> {
        self.block.finish(&mut self.raw);
        let place = BlockSeed::new(self.properties.salt, self.data.len());
        let stored_len = self.sealer.seal(&self.raw, place, self.data.gathered())?;
        self.raw.clear();
        self.data.append_if_full()?;
        self.properties.blocks += 1;
        match next_key {
            None => self.fences.push(&self.last_key, None, stored_len),
            Some(next) if next == self.last_key => {
                self.fences.push(next, Some(self.last_trailer), stored_len)
            }
            Some(next) => {
                separator::separate(&self.last_key, next, &mut self.separator);
                self.fences.push(&self.separator, None, stored_len)
            }
        }
    }
}

/// The reader's half of the builder's assertions.
fn reads_back(index: &[u8], properties: &TableProperties, filter: FilterProperties) -> bool {
    index::decode(index).is_ok_and(|index| index.properties == *properties && index.filter == filter)
}
