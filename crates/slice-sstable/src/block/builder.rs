//! Collects entries and lays them out as a block.

use slice_types::EntryRef;

use super::column::Column;
use super::{HEADER_LEN, common_prefix_len};

/// What an entry is taken to cost beside its key and value, in bytes. The columns' widths are known only at the end.
const ENTRY_OVERHEAD: usize = 4;

/// Builds one block after another, reusing its memory.
///
/// The caller keeps the internal order; [`TableBuilder`](crate::TableBuilder) asserts it.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    /// Whole keys, end to end: how much they share is known only at the end.
    keys: Vec<u8>,
    key_ends: Vec<u32>,
    values: Vec<u8>,
    value_ends: Vec<u32>,
    trailers: Vec<u64>,
    /// How many bytes all keys share. Keys ascend, so that is what the first and the newest share.
    shared_len: usize,
}

impl BlockBuilder {
    /// An empty block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether no entry has been added.
    pub fn is_empty(&self) -> bool {
        self.trailers.is_empty()
    }

    /// How many entries have been added.
    pub fn count(&self) -> usize {
        self.trailers.len()
    }

    /// About how many bytes the block takes so far.
    pub fn estimated_len(&self) -> usize {
        let unshared = self.keys.len() - self.shared_len * self.count().saturating_sub(1);
        HEADER_LEN + unshared + self.values.len() + self.count() * ENTRY_OVERHEAD
    }

    /// About how many bytes the block would take with this entry.
    pub fn estimated_len_with(&self, entry: &EntryRef<'_>) -> usize {
        self.estimated_len()
            + entry.key.len().saturating_sub(self.shared_len)
            + entry.value.len()
            + ENTRY_OVERHEAD
    }

    /// Adds an entry, which stands behind all others in internal order.
    ///
    /// # Panics
    ///
    /// When the block would exceed 4 GiB: its offsets would wrap.
    pub fn add(&mut self, entry: EntryRef<'_>) {
        self.shared_len = match self.first_key() {
            None => entry.key.len(),
            Some(first) if entry.key.starts_with(&first[..self.shared_len]) => self.shared_len,
            Some(first) => common_prefix_len(&first[..self.shared_len], entry.key),
        };
        self.keys.extend_from_slice(entry.key);
        self.values.extend_from_slice(entry.value);
        self.key_ends.push(end_of(&self.keys));
        self.value_ends.push(end_of(&self.values));
        self.trailers.push(entry.trailer.to_u64());
    }

    /// Appends the block to `out` and starts the next one.
    ///
    /// # Panics
    ///
    /// When it is empty: no reader accepts an empty block.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        assert!(!self.is_empty(), "an empty block is not written");
        let shared_len = self.shared_len;
        self.cut_shared_from_ends();
        let keys = Column::of_ends(&self.key_ends);
        let values = Column::of_ends(&self.value_ends);
        let trailers = Column::of_trailers(&self.trailers);

        out.extend_from_slice(&header(self.count() as u32, shared_len as u32, &keys, &values, &trailers));
        out.extend_from_slice(&self.keys[..shared_len]);
        keys.write(self.key_ends.iter().copied().map(u64::from), out);
        values.write(self.value_ends.iter().copied().map(u64::from), out);
        trailers.write(self.trailers.iter().copied(), out);
        self.write_suffixes(shared_len, out);
        out.extend_from_slice(&self.values);
        self.clear();
    }

    /// Turns the ends of whole keys into the ends of their suffixes.
    fn cut_shared_from_ends(&mut self) {
        let shared_len = self.shared_len as u32;
        let mut cut = 0;
        for end in &mut self.key_ends {
            cut += shared_len;
            *end -= cut;
        }
    }

    fn write_suffixes(&self, shared_len: usize, out: &mut Vec<u8>) {
        let mut rest = self.keys.as_slice();
        let mut start = 0;
        for &end in &self.key_ends {
            let (key, behind) = rest.split_at(shared_len + (end - start) as usize);
            out.extend_from_slice(&key[shared_len..]);
            rest = behind;
            start = end;
        }
    }

    fn first_key(&self) -> Option<&[u8]> {
        self.key_ends.first().map(|&end| &self.keys[..end as usize])
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.key_ends.clear();
        self.values.clear();
        self.value_ends.clear();
        self.trailers.clear();
        self.shared_len = 0;
    }
}

/// The end of an arena as a block stores it.
fn end_of(arena: &[u8]) -> u32 {
    u32::try_from(arena.len())
        .expect("a block is cut long before 4 GiB, and no entry is longer than 1 GiB and 64 KiB")
}

fn header(
    count: u32,
    shared_len: u32,
    keys: &Column,
    values: &Column,
    trailers: &Column,
) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[0..4].copy_from_slice(&count.to_le_bytes());
    header[4..8].copy_from_slice(&shared_len.to_le_bytes());
    header[8..12].copy_from_slice(&[keys.width, values.width, trailers.width, trailers.shift]);
    header[12..16].copy_from_slice(&keys.step.to_le_bytes());
    header[16..20].copy_from_slice(&values.step.to_le_bytes());
    header[20..28].copy_from_slice(&trailers.base.to_le_bytes());
    header
}
