//! Reads a table from end to end and believes nothing.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use bytes::Bytes;
use slice_types::{EntryRef, Error, Result, Trailer, hash_key, internal_cmp};

use crate::fence::Fences;
use crate::{Block, BlockStore, Table, TableProperties};

impl<S: BlockStore> Table<S> {
    /// Reads every block from the file, past the block store, and checks all that a builder promises: checksums, the
    /// order of the entries, that fences stand where they should, that the properties are true, and that every key
    /// passes the filter.
    ///
    /// # Errors
    ///
    /// [`Corruption`](slice_types::ErrorKind::Corruption) with file and offset of the first finding; what the operating
    /// system says.
    pub fn verify(&self) -> Result<()> {
        let mut first = None;
        self.verify_all(&mut |fault| {
            first.get_or_insert(fault);
        });
        first.map_or(Ok(()), Err)
    }

    /// Does what [`verify`](Self::verify) does and goes on behind each finding, of which there is one a block at most.
    /// Opened [damaged](Self::open_damaged), all but the filter is checked.
    pub fn verify_all(&self, found: &mut dyn FnMut(Error)) {
        self.verify_entries(&mut |_| Ok(()), found);
    }

    /// Does what [`verify_all`](Self::verify_all) does, and asks `check` about every entry that it gets to: what the
    /// caller knows of a table beyond what is in it.
    pub fn verify_entries(
        &self,
        check: &mut dyn FnMut(&EntryRef<'_>) -> Result<()>,
        found: &mut dyn FnMut(Error),
    ) {
        let mut survey = Survey::new(&self.properties);
        let mut is_whole = true;
        for index in 0..self.fences.len() {
            if let Err(fault) = self.verify_place(index, check, &mut survey) {
                found(fault);
                is_whole = false;
            }
        }
        // What is counted of half a table says nothing.
        if is_whole && let Err(fault) = survey.compare(&self.properties) {
            found(fault.with_file(&self.reader.path));
        }
    }

    fn verify_place(
        &self,
        index: usize,
        check: &mut dyn FnMut(&EntryRef<'_>) -> Result<()>,
        survey: &mut Survey,
    ) -> Result<()> {
        let Some(block) = self.read_block(index)? else { return Ok(()) };
        let offset = self.fences.handle(index).map_or(0, |handle| handle.offset);
        self.verify_block(index, &block, check, survey).map_err(|e| self.reader.place(e, offset))
    }

    fn verify_block(
        &self,
        index: usize,
        block: &Block,
        check: &mut dyn FnMut(&EntryRef<'_>) -> Result<()>,
        survey: &mut Survey,
    ) -> Result<()> {
        let mut key = Vec::new();
        for i in 0..block.count() {
            key.clear();
            block.key_into(i, &mut key);
            let entry = EntryRef::new(&key, block.trailer(i), block.value(i));
            check_fences(&self.fences, index, &entry)?;
            if !self.may_contain(hash_key(&key)) {
                return Err(Error::corruption(format!("the filter denies the entry {entry:?}")));
            }
            survey.take(&entry)?;
            check(&entry)?;
        }
        survey.found.blocks += 1;
        Ok(())
    }
}

/// Checks that an entry of block `index` stands behind the fence before and not behind its own.
fn check_fences(fences: &Fences, index: usize, entry: &EntryRef<'_>) -> Result<()> {
    let at = (entry.key, entry.trailer);
    let is_inside = internal_cmp(at, fences.fence(index)).is_le();
    let is_behind = index == 0 || internal_cmp(fences.fence(index - 1), at).is_lt();
    if is_inside && is_behind {
        return Ok(());
    }
    Err(Error::corruption(format!("the entry {entry:?} stands outside the fences of block {index}")))
}

/// What has been seen of a table.
struct Survey {
    found: TableProperties,
    last: Option<(Vec<u8>, Trailer)>,
}

impl Survey {
    fn new(properties: &TableProperties) -> Self {
        Self { found: TableProperties::empty(properties.compression), last: None }
    }

    fn take(&mut self, entry: &EntryRef<'_>) -> Result<()> {
        let (key, trailer) = self.last.get_or_insert_with(|| (Vec::new(), Trailer::FIRST));
        let is_first = self.found.entries == 0;
        if !is_first && internal_cmp((key, *trailer), (entry.key, entry.trailer)).is_ge() {
            return Err(Error::corruption(format!("the entry {entry:?} is out of order")));
        }
        key.clear();
        key.extend_from_slice(entry.key);
        *trailer = entry.trailer;
        self.found.count(entry);
        Ok(())
    }

    fn compare(self, expected: &TableProperties) -> Result<()> {
        let largest_key = self.last.map(|(key, _)| Bytes::from(key)).unwrap_or_default();
        // Lengths of files were compared when the table was opened, and the salt with every block.
        let found = TableProperties {
            largest_key,
            data_bytes: expected.data_bytes,
            index_bytes: expected.index_bytes,
            filter_bytes: expected.filter_bytes,
            salt: expected.salt,
            ..self.found
        };
        if found == *expected {
            return Ok(());
        }
        Err(Error::corruption(format!("the blocks hold {found:?}, and the index says {expected:?}")))
    }
}
