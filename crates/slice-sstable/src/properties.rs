//! What is known of a table without reading its blocks.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use bytes::Bytes;
use slice_types::coding::{Decoder, put_bytes, put_varint};
use slice_types::{EXPIRY_NEVER, EntryKind, EntryRef, Error, Result, SeqNo, split_expiry};

use crate::Compression;
use crate::filter::FilterKind;
use crate::format::tag;

/// What is known of a table without reading its blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct TableProperties {
    /// How many entries it has, of all kinds.
    pub entries: u64,
    /// How many of them are [`Delete`](EntryKind::Delete)s.
    pub tombstones: u64,
    /// How many of them are [`RangeDelete`](EntryKind::RangeDelete)s.
    pub range_deletes: u64,
    /// How many of them are [`Merge`](EntryKind::Merge)s.
    pub merges: u64,
    /// When the first value of its [`PutUntil`](EntryKind::PutUntil)s expires, in milliseconds since the epoch;
    /// [`EXPIRY_NEVER`] when there is none.
    pub first_expiry_ms: u64,
    /// The smallest user key of an entry.
    pub smallest_key: Bytes,
    /// The largest user key of an entry, included. The range of a range tombstone may end beyond it.
    pub largest_key: Bytes,
    /// The smallest sequence number of an entry.
    pub min_seqno: SeqNo,
    /// The largest sequence number of an entry.
    pub max_seqno: SeqNo,
    /// The lengths of all user keys and values, in bytes.
    pub raw_bytes: u64,
    /// The length of the data file, in bytes.
    pub data_bytes: u64,
    /// The length of the index file, in bytes.
    pub index_bytes: u64,
    /// The length of the filter file, in bytes.
    pub filter_bytes: u64,
    /// How many blocks it has.
    pub blocks: u64,
    /// What its blocks were to be compressed with.
    pub compression: Compression,
    /// What is mixed into the checksums of its blocks: see [`TableBuilder::with_salt`](crate::TableBuilder::with_salt).
    pub salt: u64,
}

impl TableProperties {
    /// The length of its three files together, in bytes.
    pub fn stored_bytes(&self) -> u64 {
        self.data_bytes + self.index_bytes + self.filter_bytes
    }

    /// Those of a table without entries, which [`count`](Self::count) fills in.
    pub(crate) fn empty(compression: Compression) -> Self {
        Self {
            entries: 0,
            tombstones: 0,
            range_deletes: 0,
            merges: 0,
            first_expiry_ms: EXPIRY_NEVER,
            smallest_key: Bytes::new(),
            largest_key: Bytes::new(),
            min_seqno: SeqNo::MAX,
            max_seqno: SeqNo::ZERO,
            raw_bytes: 0,
            data_bytes: 0,
            index_bytes: 0,
            filter_bytes: 0,
            blocks: 0,
            compression,
            salt: 0,
        }
    }

    /// Counts an entry, the next in order. The largest key is the caller's to set.
    pub(crate) fn count(&mut self, entry: &EntryRef<'_>) {
        if self.entries == 0 {
            self.smallest_key = Bytes::copy_from_slice(entry.key);
        }
        self.entries += 1;
        match entry.kind() {
            EntryKind::Delete => self.tombstones += 1,
            EntryKind::RangeDelete => self.range_deletes += 1,
            EntryKind::Merge => self.merges += 1,
            EntryKind::PutUntil => self.note_expiry(entry.value),
            _ => {}
        }
        self.min_seqno = self.min_seqno.min(entry.seqno());
        self.max_seqno = self.max_seqno.max(entry.seqno());
        self.raw_bytes += (entry.key.len() + entry.value.len()) as u64;
    }

    /// What has no expiry is told to who reads it.
    fn note_expiry(&mut self, value: &[u8]) {
        if let Ok((expiry_ms, _)) = split_expiry(value) {
            self.first_expiry_ms = self.first_expiry_ms.min(expiry_ms);
        }
    }
}

/// How the filter file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FilterProperties {
    pub(crate) kind: FilterKind,
    /// That of the whole filter file: a filter of another table would lose keys in silence.
    pub(crate) checksum: u64,
}

/// Appends all properties but the index file's length, which the file itself tells.
pub(crate) fn encode(table: &TableProperties, filter: FilterProperties, out: &mut Vec<u8>) {
    put_number(out, tag::ENTRIES, table.entries);
    put_number(out, tag::TOMBSTONES, table.tombstones);
    put_number(out, tag::RANGE_DELETES, table.range_deletes);
    put_number(out, tag::MERGES, table.merges);
    put_property(out, tag::SMALLEST_KEY, &table.smallest_key);
    put_property(out, tag::LARGEST_KEY, &table.largest_key);
    put_number(out, tag::MIN_SEQNO, table.min_seqno.get());
    put_number(out, tag::MAX_SEQNO, table.max_seqno.get());
    put_number(out, tag::RAW_BYTES, table.raw_bytes);
    put_number(out, tag::DATA_BYTES, table.data_bytes);
    put_number(out, tag::BLOCKS, table.blocks);
    put_number(out, tag::CODEC, u64::from(table.compression.to_u8()));
    put_number(out, tag::FILTER_KIND, u64::from(filter.kind.to_u8()));
    put_number(out, tag::FILTER_BYTES, table.filter_bytes);
    put_number(out, tag::FILTER_CHECKSUM, filter.checksum);
    if table.salt != 0 {
        put_number(out, tag::SALT, table.salt);
    }
    if table.first_expiry_ms != EXPIRY_NEVER {
        put_number(out, tag::FIRST_EXPIRY, table.first_expiry_ms);
    }
}

/// Reads what [`encode`] wrote, or a newer build with tags that this one skips.
pub(crate) fn decode(bytes: &[u8], index_bytes: u64) -> Result<(TableProperties, FilterProperties)> {
    let mut fields = Fields { rest: Decoder::new(bytes), last_tag: 0 };
    let table = TableProperties {
        entries: fields.number(tag::ENTRIES)?,
        tombstones: fields.number(tag::TOMBSTONES)?,
        range_deletes: fields.number(tag::RANGE_DELETES)?,
        merges: fields.number(tag::MERGES)?,
        first_expiry_ms: EXPIRY_NEVER,
        smallest_key: fields.key(tag::SMALLEST_KEY)?,
        largest_key: fields.key(tag::LARGEST_KEY)?,
        min_seqno: fields.seqno(tag::MIN_SEQNO)?,
        max_seqno: fields.seqno(tag::MAX_SEQNO)?,
        raw_bytes: fields.number(tag::RAW_BYTES)?,
        data_bytes: fields.number(tag::DATA_BYTES)?,
        blocks: fields.number(tag::BLOCKS)?,
        compression: Compression::from_u8(fields.byte(tag::CODEC)?)?,
        filter_bytes: 0,
        index_bytes,
        salt: 0,
    };
    let kind = FilterKind::from_u8(fields.byte(tag::FILTER_KIND)?)?;
    let filter_bytes = fields.number(tag::FILTER_BYTES)?;
    let checksum = fields.number(tag::FILTER_CHECKSUM)?;
    let [salt, first_expiry_ms] = fields.last_numbers([tag::SALT, tag::FIRST_EXPIRY])?;
    let salt = salt.unwrap_or(0);
    let first_expiry_ms = first_expiry_ms.unwrap_or(EXPIRY_NEVER);
    let table = TableProperties { first_expiry_ms, filter_bytes, salt, ..table };
    Ok((table, FilterProperties { kind, checksum }))
}

fn put_property(out: &mut Vec<u8>, tag: u64, content: &[u8]) {
    put_varint(out, tag);
    put_bytes(out, content);
}

fn put_number(out: &mut Vec<u8>, tag: u64, number: u64) {
    let mut content = Vec::with_capacity(slice_types::coding::MAX_VARINT_LEN);
    put_varint(&mut content, number);
    put_property(out, tag, &content);
}

/// Reads tagged properties in the order of their tags.
struct Fields<'a> {
    rest: Decoder<'a>,
    last_tag: u64,
}

impl<'a> Fields<'a> {
    /// The content of a tag, past those that this build does not know.
    fn content(&mut self, wanted: u64) -> Result<&'a [u8]> {
        while !self.rest.is_empty() {
            let (tag, content) = self.next()?;
            if tag == wanted {
                return Ok(content);
            }
            if tag > wanted {
                break;
            }
        }
        Err(Error::corruption(format!("property {wanted} is missing")))
    }

    fn next(&mut self) -> Result<(u64, &'a [u8])> {
        let tag = self.rest.varint()?;
        if tag <= self.last_tag {
            return Err(Error::corruption(format!(
                "property {tag} stands behind property {}",
                self.last_tag
            )));
        }
        self.last_tag = tag;
        Ok((tag, self.rest.bytes()?))
    }

    fn number(&mut self, tag: u64) -> Result<u64> {
        let mut content = Decoder::new(self.content(tag)?);
        let number = content.varint()?;
        content.finish()?;
        Ok(number)
    }

    fn byte(&mut self, tag: u64) -> Result<u8> {
        let number = self.number(tag)?;
        u8::try_from(number).map_err(|_| Error::corruption(format!("property {tag} is {number}, over 255")))
    }

    fn key(&mut self, tag: u64) -> Result<Bytes> {
        let key = self.content(tag)?;
        slice_types::check_key(key).map_err(|e| Error::corruption(format!("property {tag}: {e}")))?;
        Ok(Bytes::copy_from_slice(key))
    }

    fn seqno(&mut self, tag: u64) -> Result<SeqNo> {
        let number = self.number(tag)?;
        if number <= SeqNo::MAX.get() {
            return Ok(SeqNo::new(number));
        }
        Err(Error::corruption(format!("property {tag} is {number}, and a sequence number has 56 bits")))
    }

    /// The numbers of tags that may be missing; reads to the end.
    fn last_numbers<const N: usize>(mut self, wanted: [u64; N]) -> Result<[Option<u64>; N]> {
        let mut numbers = [None; N];
        while !self.rest.is_empty() {
            let (tag, content) = self.next()?;
            for (number, _) in numbers.iter_mut().zip(wanted).filter(|(_, wanted)| *wanted == tag) {
                let mut content = Decoder::new(content);
                *number = Some(content.varint()?);
                content.finish()?;
            }
        }
        Ok(numbers)
    }
}
