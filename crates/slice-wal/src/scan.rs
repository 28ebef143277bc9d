//! Walks over the records of a log, and finds its feet again behind damage.
//!
//! ```text
//!   header | record | record | ??????? | record | 0000...
//!            Record   Record   Damage    Record   End(Clean)
//! ```
//!
//! Behind a damaged place every offset is looked at. A record is believed when its log number, its shape and its
//! checksum fit; the log number and the shape are compared first, so that hardly anything is hashed in vain. How much is
//! hashed in vain is bounded besides, which makes a walk linear in the length of the log whatever the log holds.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt;

use slice_types::{LogNumber, Result};
use slice_vfs::LOG_GAP;

use crate::format::{FILE_HEADER_LEN, FileHeader, RECORD_HEADER_LEN, RecordHeader};

/// How many bytes may be hashed in vain for each byte of the log, before a walk gives up looking behind damage.
const VAIN_HASHING_FACTOR: usize = 16;

/// A place that should hold a record and does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Where it starts: an offset in the file, in bytes.
    pub at: u64,
    /// How long it is, in bytes: up to the next good record.
    pub len: u64,
    /// What is wrong with it.
    pub reason: DamageReason,
}

/// What is wrong with a damaged place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DamageReason {
    /// The file's header is half written or altered.
    FileHeader,
    /// The file is another one: no crash turns the header of a log into this.
    ForeignFile,
    /// The file ends inside a record, or the record's length is wrong.
    CutShort,
    /// There are bytes of another log: of the file's past life, or a record's log number is wrong.
    OtherLog,
    /// The bytes are not those that the checksum was made of.
    Checksum,
    /// The checksum is right, and the record is not one that this format knows.
    Content,
    /// There is nothing, and there was something.
    Missing,
}

impl fmt::Display for DamageReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FileHeader => "the header of the file is damaged",
            Self::ForeignFile => "the file is not this log",
            Self::CutShort => "a record is cut short",
            Self::OtherLog => "a record is of another log",
            Self::Checksum => "the checksum of a record does not match",
            Self::Content => "a record does not decode",
            Self::Missing => "records are missing",
        })
    }
}

/// A record whose checksum is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) at: usize,
    pub(crate) header: RecordHeader,
    /// All of it.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Record<'a> {
    pub(crate) fn body(&self) -> &'a [u8] {
        self.bytes.get(RECORD_HEADER_LEN..).unwrap_or_default()
    }

    /// Where the next one starts.
    pub(crate) const fn end(&self) -> usize {
        self.at + self.bytes.len()
    }

    /// The same, where what it was read from begins at `start`.
    pub(crate) const fn behind(self, start: u64) -> Self {
        Self { at: start as usize + self.at, ..self }
    }
}

/// Why there is no record at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// Nothing was written there.
    Clean,
    /// Something was.
    Damaged(DamageReason),
}

/// What a walk comes upon.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// A good record.
    Record(Record<'a>),
    /// A damaged place; a good record is next.
    Damage(Damage),
    /// No good record any more.
    End(Stop),
}

/// A walk from the front of a log to its end.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    /// The log from `start` on.
    bytes: &'a [u8],
    start: u64,
    number: LogNumber,
    /// Within `bytes`.
    at: usize,
    /// What keeps the walk from starting, until it has found a record behind it.
    stopped: Option<Stop>,
    vain_bytes_left: usize,
    /// Why there is no record any more, once that is known.
    ended: Option<Stop>,
}

impl<'a> Walk<'a> {
    /// Starts before the first record of the log `number`.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](slice_types::ErrorKind::Unsupported) when the format is newer than this build.
    pub(crate) fn new(bytes: &'a [u8], number: LogNumber) -> Result<Self> {
        let (at, stopped) = match FileHeader::read(bytes, number)? {
            FileHeader::Begun => (FILE_HEADER_LEN, None),
            FileHeader::NotBegun => (0, Some(Stop::Clean)),
            FileHeader::Torn => (0, Some(Stop::Damaged(DamageReason::FileHeader))),
            FileHeader::Foreign => (0, Some(Stop::Damaged(DamageReason::ForeignFile))),
        };
        let vain_bytes_left = bytes.len().saturating_mul(VAIN_HASHING_FACTOR);
        Ok(Self { bytes, start: 0, number, at, stopped, vain_bytes_left, ended: None })
    }

    /// Goes on at `start`, where a record ends and `bytes` begin.
    pub(crate) const fn resume(bytes: &'a [u8], number: LogNumber, start: u64) -> Self {
        let vain_bytes_left = bytes.len().saturating_add(start as usize).saturating_mul(VAIN_HASHING_FACTOR);
        Self { bytes, start, number, at: 0, stopped: None, vain_bytes_left, ended: None }
    }

    /// Where the walk stands: behind what it has stepped over, in bytes from the front of the file.
    pub(crate) fn at(&self) -> u64 {
        self.start + self.at as u64
    }

    /// Goes on by one record, or to the end of a damaged place.
    pub(crate) fn step(&mut self) -> Step<'a> {
        if let Some(stop) = self.ended {
            return Step::End(stop);
        }
        let stop = match self.look() {
            Ok(record) => {
                self.at = record.end();
                return Step::Record(record.behind(self.start));
            }
            Err(stop) => stop,
        };
        let Some(next) = self.next_record() else {
            self.ended = Some(stop);
            return Step::End(stop);
        };
        let reason = match stop {
            Stop::Clean => DamageReason::Missing,
            Stop::Damaged(reason) => reason,
        };
        let damage = Damage { at: self.at(), len: (next - self.at) as u64, reason };
        self.stopped = None;
        self.at = next;
        Step::Damage(damage)
    }

    fn look(&self) -> Result<Record<'a>, Stop> {
        match self.stopped {
            Some(stop) => Err(stop),
            None => read_record(self.bytes, self.number, self.at),
        }
    }

    /// The offset of the first good record behind this place.
    fn next_record(&mut self) -> Option<usize> {
        let mut from = self.at + 1;
        while let Some(candidate) = next_candidate(self.bytes, self.number, from) {
            if candidate.header.is_intact(candidate.body()) {
                return Some(candidate.at);
            }
            self.vain_bytes_left = self.vain_bytes_left.checked_sub(candidate.bytes.len())?;
            from = candidate.at + 1;
        }
        None
    }
}

/// Reads the record at an offset.
pub(crate) fn read_record(bytes: &[u8], number: LogNumber, at: usize) -> Result<Record<'_>, Stop> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.iter().take(LOG_GAP).all(|byte| *byte == 0) {
        return Err(Stop::Clean);
    }
    let cut = Stop::Damaged(DamageReason::CutShort);
    let header = RecordHeader::read(rest).ok_or(cut)?;
    if header.log != number {
        return Err(Stop::Damaged(DamageReason::OtherLog));
    }
    let record = record_of(rest, header, at).ok_or(cut)?;
    if !header.is_intact(record.body()) {
        return Err(Stop::Damaged(DamageReason::Checksum));
    }
    Ok(record)
}

/// The record with the header at the front of `rest`; `None` when it would pass the end.
fn record_of(rest: &[u8], header: RecordHeader, at: usize) -> Option<Record<'_>> {
    let len = RECORD_HEADER_LEN.checked_add(usize::try_from(header.len).ok()?)?;
    Some(Record { at, header, bytes: rest.get(..len)? })
}

/// The first place from `from` on that looks like a record of this log, its checksum apart.
fn next_candidate(bytes: &[u8], number: LogNumber, from: usize) -> Option<Record<'_>> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        let fields = rest.get(8..).and_then(<[u8]>::first_chunk::<8>)?;
        let length_and_number = u64::from_le_bytes(*fields);
        if length_and_number == 0 {
            at += zeros_in_front(rest.get(8..)?) - 7;
            continue;
        }
        if length_and_number >> 32 == u64::from(number.0)
            && let Some(record) = plausible_record(rest, at)
        {
            return Some(record);
        }
        at += 1;
    }
}

fn plausible_record(rest: &[u8], at: usize) -> Option<Record<'_>> {
    let header = RecordHeader::read(rest).filter(RecordHeader::is_plausible)?;
    record_of(rest, header, at)
}

/// How many zeros `bytes` starts with. By blocks: most of a log's file can be zeros, allocated ahead.
fn zeros_in_front(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 256] = [0; 256];
    let mut rest = bytes;
    while let Some((block, behind)) = rest.split_first_chunk()
        && *block == ZEROS
    {
        rest = behind;
    }
    bytes.len() - rest.len() + rest.iter().take_while(|byte| **byte == 0).count()
}
