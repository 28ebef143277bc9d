//! Which block may hold a key: one fence a block, in flat memory.
//!
//! ```text
//!   words       8 bytes of each separator behind what all separators share, big-endian: u64 order is byte order; searched
//!               by lines (the `words` module says how)
//!   separators  whole, end to end; looked at where words are equal
//!   offsets     where each block begins, and where the last one ends
//! ```
//!
//! Invariant: fences ascend in internal order. A separator that no version spans counts as behind all versions of
//! its key.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

mod words;

use std::ops::Range;

use slice_types::{Error, ErrorKind, Result, Trailer, internal_cmp};

use crate::block::common_prefix_len;
use words::Words;

/// Where a stored block lies in the data file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHandle {
    pub(crate) offset: u64,
    pub(crate) len: usize,
}

/// The fences of a table.
#[derive(Debug)]
pub(crate) struct Fences {
    shared_len: usize,
    words: Words,
    separators: Vec<u8>,
    ends: Vec<u32>,
    offsets: Vec<u64>,
    /// The blocks whose last key goes on in the next block, ascending: most often none.
    spans: Vec<Span>,
}

/// A block whose last key has versions in the next block, and the trailer that it ends with.
#[derive(Clone, Copy, Debug)]
struct Span {
    block: usize,
    trailer: Trailer,
}

impl Fences {
    /// No fence yet. `blocks` are expected, the first at `offset` of the data file.
    pub(crate) fn new(blocks: usize, offset: u64) -> Self {
        let mut offsets = Vec::with_capacity(blocks + 1);
        offsets.push(offset);
        Self {
            shared_len: 0,
            words: Words::default(),
            separators: Vec::new(),
            ends: Vec::with_capacity(blocks),
            offsets,
            spans: Vec::new(),
        }
    }

    /// Adds the fence of the next block, `len` bytes long as it is stored.
    ///
    /// # Errors
    ///
    /// [`Corruption`](ErrorKind::Corruption) when it does not stand behind the fence before it, or the offsets overflow;
    /// [`Unsupported`](ErrorKind::Unsupported) when all separators together exceed 4 GiB.
    pub(crate) fn push(&mut self, separator: &[u8], span: Option<Trailer>, len: u64) -> Result<()> {
        let index = self.len();
        let fence = (separator, span.unwrap_or(Trailer::LAST));
        if index > 0 && internal_cmp(self.fence(index - 1), fence).is_ge() {
            return Err(Error::corruption(format!("fence {index} does not stand behind the one before it")));
        }
        let offset = self.end_offset().checked_add(len);
        let offset = offset.ok_or_else(|| Error::corruption(format!("block {index} has {len} bytes")))?;
        self.separators.extend_from_slice(separator);
        let end = u32::try_from(self.separators.len());
        self.ends.push(end.map_err(|_| Error::new(ErrorKind::Unsupported, "the separators exceed 4 GiB"))?);
        self.offsets.push(offset);
        self.spans.extend(span.map(|trailer| Span { block: index, trailer }));
        Ok(())
    }

    /// Makes the words, once all fences are there.
    pub(crate) fn finish(&mut self) {
        // They ascend, so what the first and the last share is shared by all.
        self.shared_len = common_prefix_len(self.separator(0), self.separator(self.len().saturating_sub(1)));
        let words: Vec<_> = (0..self.len())
            .map(|i| word(self.separator(i).get(self.shared_len..).unwrap_or_default()))
            .collect();
        self.words = Words::new(&words);
    }

    /// How many blocks there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where block `i` lies, or `None` behind the last.
    #[inline]
    pub(crate) fn handle(&self, i: usize) -> Option<BlockHandle> {
        let (&offset, &end) = (self.offsets.get(i)?, self.offsets.get(i + 1)?);
        Some(BlockHandle { offset, len: usize::try_from(end - offset).ok()? })
    }

    /// Where the last block ends, in bytes.
    pub(crate) fn end_offset(&self) -> u64 {
        self.offsets.last().copied().unwrap_or_default()
    }

    /// The separator of block `i`; empty behind the last.
    #[inline]
    pub(crate) fn separator(&self, i: usize) -> &[u8] {
        let start = i.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |&end| end as usize);
        let end = self.ends.get(i).map_or(start, |&end| end as usize);
        self.separators.get(start..end).unwrap_or_default()
    }

    /// The fence of block `i`: no entry of it stands behind, every entry of the next one does.
    pub(crate) fn fence(&self, i: usize) -> (&[u8], Trailer) {
        let span =
            self.spans.binary_search_by_key(&i, |span| span.block).ok().and_then(|at| self.spans.get(at));
        (self.separator(i), span.map_or(Trailer::LAST, |span| span.trailer))
    }

    /// The first block whose fence is at or after `(key, trailer)`, or [`len`](Self::len) behind the last.
    ///
    /// If the table has the key, its first entry at or after the target is in this block; an entry of a larger key
    /// may be the first of the next one.
    #[inline]
    pub(crate) fn find(&self, key: &[u8], trailer: Trailer) -> usize {
        let block = self.find_separator(key);
        if self.spans.is_empty() { block } else { self.skip_spans(block, key, trailer) }
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn memory_used(&self) -> usize {
        self.words.memory_used()
            + self.separators.capacity()
            + self.ends.capacity() * size_of::<u32>()
            + self.offsets.capacity() * size_of::<u64>()
            + self.spans.capacity() * size_of::<Span>()
    }

    /// The first separator at or above `key`.
    #[inline]
    fn find_separator(&self, key: &[u8]) -> usize {
        let shared = self.separator(0).get(..self.shared_len).unwrap_or_default();
        let Some(rest) = key.strip_prefix(shared) else {
            return if key < shared { 0 } else { self.len() };
        };
        let wanted = word(rest);
        let first = self.words.lower_bound(wanted);
        if self.words.get(first) == Some(wanted) { self.find_among_equals(first, wanted, key) } else { first }
    }

    /// The first separator at or above `key` at or behind `first`, where the words are as `key`'s.
    fn find_among_equals(&self, first: usize, wanted: u64, key: &[u8]) -> usize {
        let behind = partition(first..self.len(), |i| self.words.get(i) == Some(wanted));
        partition(first..behind, |i| self.separator(i) < key)
    }

    /// The first block at or behind `block` that does not end before `(key, trailer)` in the midst of `key`.
    #[cold]
    fn skip_spans(&self, block: usize, key: &[u8], trailer: Trailer) -> usize {
        let first = self.spans.partition_point(|span| span.block < block);
        let spans = self.spans.get(first..).unwrap_or_default();
        let ends_before =
            |span: &Span| self.separator(span.block) == key && span.trailer.to_u64() > trailer.to_u64();
        block + spans.partition_point(ends_before)
    }
}

/// The first number of a range for which `before` is false, given that it is false for all behind.
fn partition(range: Range<usize>, before: impl Fn(usize) -> bool) -> usize {
    let Range { start: mut low, end: mut high } = range;
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// The first eight bytes as a number of the same order; a shorter string is filled up with zeros.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    if let Some(chunk) = bytes.first_chunk::<8>() {
        return u64::from_be_bytes(*chunk);
    }
    let mut padded = [0; 8];
    for (slot, &byte) in padded.iter_mut().zip(bytes) {
        *slot = byte;
    }
    u64::from_be_bytes(padded)
}
