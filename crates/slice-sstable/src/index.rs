//! The index file: properties and fences, read whole when a table is opened.
//!
//! Its layout is in the `format` module. Invariant: an index that decodes agrees with itself. Its fences ascend, are
//! as many as its blocks, and their handles fill the data file from the header to the end.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use slice_types::coding::{Decoder, put_bytes, put_varint};
use slice_types::{Error, HEADER_LEN, Result, Trailer, checksum};

use crate::codec::check_sum;
use crate::fence::Fences;
use crate::format::{self, BLOCK_TRAILER_LEN, CHECKSUM_LEN};
use crate::properties::{self, FilterProperties, TableProperties};

/// The fewest bytes that a fence takes: two varints.
const MIN_FENCE_LEN: u64 = 2;

/// The contents of an index file.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) properties: TableProperties,
    pub(crate) filter: FilterProperties,
    pub(crate) fences: Fences,
}

/// The fences of a table that is being built, as they will be stored.
#[derive(Debug, Default)]
pub(crate) struct FenceWriter {
    bytes: Vec<u8>,
    separators_len: u64,
}

impl FenceWriter {
    /// Adds the fence of the next block.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](slice_types::ErrorKind::InvalidArgument) when no reader could hold the separators.
    pub(crate) fn push(&mut self, separator: &[u8], span: Option<Trailer>, stored_len: usize) -> Result<()> {
        self.separators_len += separator.len() as u64;
        if self.separators_len > u64::from(u32::MAX) {
            return Err(Error::invalid_argument(
                "the separators of a table exceed 4 GiB; make smaller tables",
            ));
        }
        put_bytes(&mut self.bytes, separator);
        put_varint(&mut self.bytes, (stored_len as u64) << 1 | u64::from(span.is_some()));
        if let Some(trailer) = span {
            self.bytes.extend_from_slice(&trailer.to_u64().to_le_bytes());
        }
        Ok(())
    }

    /// The index file.
    pub(crate) fn finish(self, table: &TableProperties, filter: FilterProperties) -> Vec<u8> {
        let mut properties = Vec::new();
        properties::encode(table, filter, &mut properties);
        let mut out = format::INDEX.header().to_vec();
        out.extend_from_slice(&(properties.len() as u32).to_le_bytes());
        out.extend_from_slice(&properties);
        out.extend_from_slice(&self.bytes);
        let sum = checksum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }
}

/// Reads an index file.
///
/// # Errors
///
/// [`Corruption`](slice_types::ErrorKind::Corruption) for bytes that no builder wrote,
/// [`Unsupported`](slice_types::ErrorKind::Unsupported) for those of a newer one.
pub(crate) fn decode(file: &[u8]) -> Result<Index> {
    format::INDEX.check(file)?;
    let too_short = || Error::corruption(format!("an index file of {} bytes", file.len()));
    let summed_len = file.len().checked_sub(CHECKSUM_LEN).ok_or_else(too_short)?;
    let mut decoder = Decoder::new(file);
    let summed = decoder.take(summed_len)?;
    check_sum(summed, decoder.u64()?, "index")?;

    let mut decoder = Decoder::new(summed);
    decoder.take(HEADER_LEN)?;
    let properties_len = decoder.u32()? as usize;
    let (properties, filter) = properties::decode(decoder.take(properties_len)?, file.len() as u64)?;
    let fences = decode_fences(decoder.rest(), &properties)
        .map_err(|e| e.with_offset((HEADER_LEN + size_of::<u32>() + properties_len) as u64))?;
    Ok(Index { properties, filter, fences })
}

fn decode_fences(bytes: &[u8], properties: &TableProperties) -> Result<Fences> {
    let blocks = properties.blocks;
    if blocks == 0 || blocks > properties.entries || blocks > bytes.len() as u64 / MIN_FENCE_LEN {
        let (entries, len) = (properties.entries, bytes.len());
        return Err(Error::corruption(format!(
            "{blocks} blocks of {entries} entries in {len} bytes of fences"
        )));
    }
    let mut fences = Fences::new(blocks as usize, HEADER_LEN as u64);
    let mut decoder = Decoder::new(bytes);
    for _ in 0..blocks {
        push_fence(&mut fences, &mut decoder)?;
    }
    decoder.finish()?;
    check_ends(&fences, properties)?;
    fences.finish();
    Ok(fences)
}

fn push_fence(fences: &mut Fences, decoder: &mut Decoder<'_>) -> Result<()> {
    let separator = decoder.bytes()?;
    slice_types::check_key(separator).map_err(|e| Error::corruption(format!("a separator: {e}")))?;
    let word = decoder.varint()?;
    let (stored_len, spans) = (word >> 1, word & 1 == 1);
    if stored_len <= BLOCK_TRAILER_LEN as u64 {
        return Err(Error::corruption(format!("a stored block of {stored_len} bytes")));
    }
    let span = if spans { Some(span_trailer(decoder.u64()?)?) } else { None };
    fences.push(separator, span, stored_len)
}

fn span_trailer(word: u64) -> Result<Trailer> {
    Trailer::from_u64(word)
        .ok_or_else(|| Error::corruption(format!("a fence of the unknown kind {}", word as u8)))
}

/// Checks the last fence against the properties: where the data file ends, and the largest key.
fn check_ends(fences: &Fences, properties: &TableProperties) -> Result<()> {
    if fences.end_offset() != properties.data_bytes {
        return Err(Error::corruption(format!(
            "the blocks end at byte {} of a data file of {} bytes",
            fences.end_offset(),
            properties.data_bytes
        )));
    }
    let last = fences.fence(fences.len() - 1);
    if last != (&properties.largest_key[..], Trailer::LAST)
        || properties.smallest_key > properties.largest_key
    {
        return Err(Error::corruption("the last fence does not stand at the largest key"));
    }
    Ok(())
}
