//! The bytes of a log. Integers are little-endian; checksums are xxh3-64.
//!
//! ```text
//! file    0                              16           20         24         32
//!         +------------------------------+------------+----------+----------+----------+----------+- ...
//!         | "SLICEWAL", version, reserved | log number | reserved | checksum | record   | record   |
//!         | FileFormat header, 16 bytes   | u32        | u32, 0   | u64      |          |          |
//!         +------------------------------+------------+----------+----------+----------+----------+- ...
//!                                                                  of bytes 0..24
//!
//! record  0          8        12           16            24      28     32
//!         +----------+--------+------------+-------------+-------+------+-------------------+
//!         | checksum | length | log number | first seqno | count | kind | body              |
//!         | u64      | u32    | u32        | u64         | u32   | u32  | `length` bytes    |
//!         +----------+--------+------------+-------------+-------+------+-------------------+
//!           checksum = xxh3(bytes 8..32, seeded with xxh3(body))
//!
//!   kind 0  batch       body: `count` entries (see `batch`); first seqno and those behind it are theirs
//!   kind 1  sync mark   body: log number varint, offset varint; first seqno and count are 0
//! ```
//!
//! The checksum is seeded with that of the body, so that a writer hashes the body before it has a place in the log.
//! The log number tells a record from one of the file's past life.
//!
//! No body is empty, so 16 zero bytes are never the front of a record: that is how a log ends
//! ([`LOG_GAP`](slice_vfs::LOG_GAP)).
//!
//! The first 32 bytes keep this layout in every version of the format, so that a newer version is told from damage.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use slice_types::coding::{Decoder, MAX_VARINT_LEN};
use slice_types::{
    Error, ErrorKind, FileFormat, HEADER_LEN, LogNumber, Result, SeqNo, checksum, checksum_with,
};

use crate::{EncodedBatch, LogPosition};

/// What a log starts with.
pub const FORMAT: FileFormat = FileFormat { magic: *b"SLICEWAL", version: 1, name: "write-ahead log" };

/// The length of what stands before the first record, in bytes.
pub const FILE_HEADER_LEN: usize = 32;

/// The length of what stands before a record's body, in bytes.
pub const RECORD_HEADER_LEN: usize = 32;

/// How much of a file's header its checksum covers.
const FILE_HEADER_CHECKED: usize = 24;

/// The shortest entry: kind, keyspace, an empty key.
const MIN_ENTRY_LEN: u64 = 3;

/// The longest body of a sync mark: a varint of 32 bits and one of 64.
const MAX_MARK_BODY_LEN: usize = 5 + MAX_VARINT_LEN;

/// The header of the file of the log `number`.
pub(crate) fn file_header(number: LogNumber) -> [u8; FILE_HEADER_LEN] {
    let mut header = [0; FILE_HEADER_LEN];
    header[..HEADER_LEN].copy_from_slice(&FORMAT.header());
    header[16..20].copy_from_slice(&number.0.to_le_bytes());
    let sum = checksum(&header[..FILE_HEADER_CHECKED]);
    header[24..].copy_from_slice(&sum.to_le_bytes());
    header
}

/// What the front of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileHeader {
    /// It is this log's.
    Begun,
    /// Nothing was written since the file was created or recycled.
    NotBegun,
    /// A torn write can have left it like this.
    Torn,
    /// It is another file: no crash turns a log's header into this.
    Foreign,
}

impl FileHeader {
    /// Reads the front of the file that is named as the log `number`.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](slice_types::ErrorKind::Unsupported) when the format is newer than this build.
    pub(crate) fn read(bytes: &[u8], number: LogNumber) -> Result<Self> {
        let Some(header) = bytes.first_chunk::<FILE_HEADER_LEN>() else {
            return Ok(Self::damaged(bytes));
        };
        let (checked, sum) = header.split_at(FILE_HEADER_CHECKED);
        if checksum(checked).to_le_bytes() != sum || !checked.starts_with(&FORMAT.magic) {
            return Ok(Self::damaged(header));
        }
        match FORMAT.check(checked) {
            Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
            Err(_) => return Ok(Self::Foreign),
            Ok(_) => {}
        }
        let mut decoder = Decoder::new(checked);
        decoder.take(HEADER_LEN)?;
        let found = LogNumber(decoder.u32()?);
        Ok(match found.cmp(&number) {
            std::cmp::Ordering::Less => Self::NotBegun,
            std::cmp::Ordering::Equal => Self::Begun,
            std::cmp::Ordering::Greater => Self::Foreign,
        })
    }

    /// A torn write leaves each byte new or old, and the old ones are zeros or those of a log's past life.
    fn damaged(header: &[u8]) -> Self {
        if header.iter().all(|byte| *byte == 0) {
            return Self::NotBegun;
        }
        let torn = header.iter().zip(FORMAT.magic).all(|(byte, magic)| *byte == magic || *byte == 0);
        if torn { Self::Torn } else { Self::Foreign }
    }
}

/// What a record is.
const KIND_BATCH: u32 = 0;
const KIND_MARK: u32 = 1;

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) checksum: u64,
    /// Of the body, in bytes.
    pub(crate) len: u32,
    pub(crate) log: LogNumber,
    pub(crate) first_seqno: u64,
    pub(crate) count: u32,
    pub(crate) kind: u32,
}

impl RecordHeader {
    /// Reads the header at the front of `bytes`; `None` when they are too few.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(bytes.get(..RECORD_HEADER_LEN)?);
        Some(Self {
            checksum: decoder.u64().ok()?,
            len: decoder.u32().ok()?,
            log: LogNumber(decoder.u32().ok()?),
            first_seqno: decoder.u64().ok()?,
            count: decoder.u32().ok()?,
            kind: decoder.u32().ok()?,
        })
    }

    /// The header's bytes, with the checksum that goes with a body of this hash.
    #[inline]
    fn sealed(&self, body_hash: u64) -> [u8; RECORD_HEADER_LEN] {
        let mut bytes = [0; RECORD_HEADER_LEN];
        bytes[8..12].copy_from_slice(&self.len.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.log.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seqno.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.count.to_le_bytes());
        bytes[28..].copy_from_slice(&self.kind.to_le_bytes());
        let sum = checksum_with(body_hash, &bytes[8..]);
        bytes[..8].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Whether a writer can have made such a header: asked before any byte of a body is hashed.
    pub(crate) fn is_plausible(&self) -> bool {
        let len = u64::from(self.len);
        match self.kind {
            KIND_BATCH => self.count > 0 && u64::from(self.count) * MIN_ENTRY_LEN <= len && self.has_seqnos(),
            KIND_MARK => {
                self.count == 0 && self.first_seqno == 0 && (2..=MAX_MARK_BODY_LEN as u64).contains(&len)
            }
            _ => false,
        }
    }

    /// Whether the numbers of all entries fit their 56 bits.
    fn has_seqnos(&self) -> bool {
        self.first_seqno.checked_add(u64::from(self.count)).is_some_and(|end| end - 1 <= SeqNo::MAX.get())
    }

    /// Whether the checksum is that of this header's bytes and body.
    pub(crate) fn is_intact(&self, body: &[u8]) -> bool {
        let sealed = self.sealed(checksum(body));
        sealed.first_chunk().is_some_and(|sum| u64::from_le_bytes(*sum) == self.checksum)
    }

    /// What the body says.
    ///
    /// # Errors
    ///
    /// [`Corruption`](slice_types::ErrorKind::Corruption) when no writer of this format writes such a record.
    pub(crate) fn open<'a>(&self, body: &'a [u8]) -> Result<Body<'a>> {
        if !self.is_plausible() {
            return Err(Error::corruption(format!("no record is like this: {self:?}")));
        }
        if self.kind == KIND_MARK {
            return read_mark(body).map(Body::Mark);
        }
        let batch = self.batch(body);
        batch.entries.validate()?;
        Ok(Body::Batch(batch))
    }

    /// Whether the body has entries, and no mark.
    pub(crate) const fn is_batch(&self) -> bool {
        self.kind == KIND_BATCH
    }

    /// The entries of a body that has some.
    pub(crate) fn batch<'a>(&self, body: &'a [u8]) -> Batch<'a> {
        let entries = crate::Entries::new(body, self.count);
        Batch { first: SeqNo::new(self.first_seqno), count: self.count, entries }
    }
}

/// What is written together.
#[derive(Clone, Debug)]
pub(crate) struct Batch<'a> {
    /// The sequence number of the first entry.
    pub(crate) first: SeqNo,
    pub(crate) count: u32,
    pub(crate) entries: crate::Entries<'a>,
}

/// What a record holds.
#[derive(Clone, Debug)]
pub(crate) enum Body<'a> {
    /// Entries, all of which decode.
    Batch(Batch<'a>),
    /// What was durable when the record was written.
    Mark(LogPosition),
}

/// The header of a batch's record.
///
/// # Panics
///
/// When the numbers of its entries do not fit 56 bits.
#[inline]
pub(crate) fn batch_header(log: LogNumber, first: SeqNo, batch: &EncodedBatch) -> [u8; RECORD_HEADER_LEN] {
    let header = RecordHeader {
        checksum: 0,
        len: batch.byte_len() as u32,
        log,
        first_seqno: first.get(),
        count: batch.count(),
        kind: KIND_BATCH,
    };
    assert!(header.is_plausible(), "a batch that no reader would take: {header:?}");
    header.sealed(batch.hash())
}

/// A sync mark's record, on the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarkRecord {
    bytes: [u8; RECORD_HEADER_LEN + MAX_MARK_BODY_LEN],
    len: usize,
}

impl MarkRecord {
    /// The record in the log `log` that says what is durable.
    pub(crate) fn new(log: LogNumber, durable: LogPosition) -> Self {
        let mut body = MarkBody::default();
        body.put_varint(u64::from(durable.log.0));
        body.put_varint(durable.offset);
        let body = body.filled();
        let header = RecordHeader {
            checksum: 0,
            len: body.len() as u32,
            log,
            first_seqno: 0,
            count: 0,
            kind: KIND_MARK,
        };
        let mut bytes = [0; RECORD_HEADER_LEN + MAX_MARK_BODY_LEN];
        let (front, back) = bytes.split_at_mut(RECORD_HEADER_LEN);
        front.copy_from_slice(&header.sealed(checksum(body)));
        back.iter_mut().zip(body).for_each(|(slot, byte)| *slot = *byte);
        Self { bytes, len: RECORD_HEADER_LEN + body.len() }
    }

    /// The record.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

/// A buffer for the body of a mark: appending a mark must not allocate.
#[derive(Default)]
struct MarkBody {
    bytes: [u8; MAX_MARK_BODY_LEN],
    len: usize,
}

impl MarkBody {
    fn put_varint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.put(n as u8 | 0x80);
            n >>= 7;
        }
        self.put(n as u8);
    }

    fn put(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

fn read_mark(body: &[u8]) -> Result<LogPosition> {
    let mut decoder = Decoder::new(body);
    let position = LogPosition { log: LogNumber(decoder.varint_u32()?), offset: decoder.varint()? };
    decoder.finish()?;
    Ok(position)
}
