//! A log in its file, taken out a piece at a time.
//!
//! ```text
//!   header | good | good | good | good | good | 0000...  or  ???? | good | ...
//!   `------- piece -----' `---- piece ----'`---------- the rest ------------'
//! ```
//!
//! In front of a log there are good records, nearly always up to its end. These are checked where they were read to, and
//! handed on: the memory for the next ones is the same. What begins with anything else is read whole, and what it means is
//! decided as [`replay`](crate::replay) decides it.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io;
use std::ops::Range;
use std::path::Path;

use slice_types::{Error, LogNumber, Result, SeqNo};
use slice_vfs::RandomAccessFile;

use crate::format::{Batch, Body, FILE_HEADER_LEN, FileHeader, RECORD_HEADER_LEN, RecordHeader};
use crate::recovery::{RecoveredLog, RecoveryMode, Replay, greatest_mark, open, up_to};
use crate::scan::{DamageReason, Record, Stop, Walk, read_record};
use crate::{Entries, LogPosition, durable_mark};

/// A log's file.
#[derive(Clone, Copy, Debug)]
pub struct StoredLog<'a> {
    /// The file.
    pub file: &'a dyn RandomAccessFile,
    /// What errors name.
    pub path: &'a Path,
    /// The number in the file's name.
    pub number: LogNumber,
    /// How much is read at a time, in bytes. A record that is longer is read whole.
    pub piece: usize,
}

/// What came out of a log's file.
#[derive(Debug)]
pub struct ReplayedLog {
    /// The greatest [`durable_mark`] of all that is in the file, whatever became of the replay.
    pub mark: Option<LogPosition>,
    /// As [`replay`](crate::replay) gives it.
    pub log: Result<RecoveredLog>,
}

/// Some records of a log, one behind the other, all of them good.
#[derive(Debug)]
pub struct Piece {
    buffer: Vec<u8>,
    /// Where in the buffer they are.
    records: Range<usize>,
}

impl Piece {
    /// The batches, in order: the first sequence number, the count and the entries of each.
    pub fn batches(&self) -> impl Iterator<Item = (SeqNo, u32, Entries<'_>)> {
        let mut rest = self.buffer.get(self.records.clone()).unwrap_or_default();
        let record = move || {
            let header = RecordHeader::read(rest)?;
            let (body, behind) = rest.get(RECORD_HEADER_LEN..)?.split_at_checked(header.len as usize)?;
            rest = behind;
            Some(header.is_batch().then(|| header.batch(body)))
        };
        let batches = std::iter::from_fn(record).flatten();
        batches.map(|Batch { first, count, entries }| (first, count, entries))
    }

    fn of(record: &Record<'_>) -> Self {
        Self { buffer: record.bytes.to_vec(), records: 0..record.bytes.len() }
    }

    /// The memory, for the next piece.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

/// Takes a piece, and gives memory for the next one: any, or none.
pub type PieceSink<'s> = dyn FnMut(Piece) -> Result<Vec<u8>> + 's;

impl StoredLog<'_> {
    /// Takes the batches out of the log, in order: as [`replay`](crate::replay), with pieces in place of batches.
    ///
    /// The memory needed is that of a piece, or of the longest record, and besides that of what is behind the first place
    /// without a good record: of a log that ends cleanly the space that was allocated ahead.
    ///
    /// # Errors
    ///
    /// I/O. What else may be wrong is in [`ReplayedLog::log`].
    pub fn replay(
        &self,
        mode: RecoveryMode,
        limit: Option<u64>,
        durable: Option<LogPosition>,
        sink: &mut PieceSink<'_>,
    ) -> Result<ReplayedLog> {
        let failed = |error| Error::io("read a log", error).with_file(self.path);
        let len = self.file.len().map_err(failed)?;
        let end = limit.map_or(len, |limit| limit.min(len));
        let mut front = Front::new(*self, end);
        if let Err(error) = front.run(sink).map_err(failed)? {
            let bytes = self.rest(0, len, Vec::new()).map_err(failed)?;
            return Ok(ReplayedLog { mark: durable_mark(&bytes, self.number), log: Err(error) });
        }
        let rest = self.rest(front.log.valid_len, len, std::mem::take(&mut front.tail)).map_err(failed)?;
        Ok(front.decide(&rest, mode, limit, durable, sink))
    }

    /// What is in the file from `at` to `len`, of which the first bytes are known.
    fn rest(&self, at: u64, len: u64, mut known: Vec<u8>) -> io::Result<Vec<u8>> {
        let filled = known.len();
        let whole = usize::try_from(len - at).map_err(|_| io::ErrorKind::FileTooLarge)?;
        known.resize(whole, 0);
        let unknown = known.get_mut(filled..).unwrap_or_default();
        self.file.read_exact_at(unknown, at + filled as u64)?;
        Ok(known)
    }
}

/// The good records in front of a log, as far as they were read.
struct Front<'a> {
    stored: StoredLog<'a>,
    /// Up to where the log may go.
    end: u64,
    /// What came out so far; `valid_len` is where the next record begins.
    log: RecoveredLog,
    mark: Option<LogPosition>,
    /// What was read behind that.
    tail: Vec<u8>,
    /// How much is read at once.
    piece: usize,
}

/// Less is not enough for a file's header.
const PIECE_MIN: usize = 2 * FILE_HEADER_LEN;

impl<'a> Front<'a> {
    fn new(stored: StoredLog<'a>, end: u64) -> Self {
        let log = RecoveredLog::empty(stored.number);
        Self { stored, end, log, mark: None, tail: Vec::new(), piece: stored.piece.max(PIECE_MIN) }
    }

    /// Hands on all good records in front. The error within is the sink's.
    fn run(&mut self, sink: &mut PieceSink<'_>) -> io::Result<Result<()>> {
        let mut buffer = Vec::new();
        loop {
            let filled = self.fill(&mut buffer)?;
            let bytes = buffer.get(..filled).unwrap_or_default();
            let (records, goes_on) = self.check(bytes);
            self.tail.clear();
            self.tail.extend_from_slice(bytes.get(records.end..).unwrap_or_default());
            self.log.valid_len += records.end as u64;
            if !records.is_empty() {
                match sink(Piece { buffer, records }) {
                    Ok(next) => buffer = next,
                    Err(error) => return Ok(Err(error)),
                }
            }
            if !goes_on {
                return Ok(Ok(()));
            }
        }
    }

    /// Reads on behind what is known already; gives how much of the buffer that is together.
    fn fill(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.log.valid_len).unwrap_or(usize::MAX);
        let (known, filled) = (self.tail.len(), self.piece.max(self.tail.len()).min(left));
        if buffer.len() < filled {
            buffer.resize(filled, 0);
        }
        if let Some((front, behind)) =
            buffer.get_mut(..filled).and_then(|all| all.split_at_mut_checked(known))
        {
            front.copy_from_slice(&self.tail);
            self.stored.file.read_exact_at(behind, self.log.valid_len + known as u64)?;
        }
        Ok(filled)
    }

    /// Checks the records in front of these bytes: which those are, and whether more may follow them.
    fn check(&mut self, bytes: &[u8]) -> (Range<usize>, bool) {
        let mut at = 0;
        if self.log.valid_len == 0 {
            if !matches!(FileHeader::read(bytes, self.stored.number), Ok(FileHeader::Begun)) {
                return (0..0, false);
            }
            at = FILE_HEADER_LEN;
        }
        let start = at;
        let left = self.end - self.log.valid_len;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.len() < RECORD_HEADER_LEN && (bytes.len() as u64) < left {
                return (start..at, true);
            }
            match read_record(bytes, self.stored.number, at) {
                Ok(record) if self.take(&record) => at = record.end(),
                Err(Stop::Damaged(DamageReason::CutShort)) => {
                    return (start..at, self.make_room(rest, left - at as u64));
                }
                Ok(_) | Err(_) => return (start..at, false),
            }
        }
    }

    /// Notes what a record says, if that makes sense.
    fn take(&mut self, record: &Record<'_>) -> bool {
        let body = open(&record.behind(self.log.valid_len));
        match &body {
            Ok(Body::Batch(batch)) => self.log.count(batch.first, batch.count),
            Ok(Body::Mark(mark)) => self.mark = self.mark.max(Some(*mark)),
            Err(_) => {}
        }
        body.is_ok()
    }

    /// Whether the record at the front of these bytes, which lack its end, is within what is left of the log. The next piece is
    /// long enough for it.
    fn make_room(&mut self, bytes: &[u8], left: u64) -> bool {
        let len = RecordHeader::read(bytes).map(|header| RECORD_HEADER_LEN as u64 + u64::from(header.len));
        let Some(len) = len.filter(|len| *len <= left) else { return false };
        self.piece = self.piece.max(len as usize);
        true
    }

    /// Decides what comes behind the good records.
    fn decide(
        self,
        rest: &[u8],
        mode: RecoveryMode,
        limit: Option<u64>,
        durable: Option<LogPosition>,
        sink: &mut PieceSink<'_>,
    ) -> ReplayedLog {
        let StoredLog { path, number, .. } = self.stored;
        let (at, known) = (self.log.valid_len, self.mark);
        let walk = |bytes| match at {
            0 => Walk::new(bytes, number),
            _ => Ok(Walk::resume(bytes, number, at)),
        };
        let counted = limit.map_or(rest, |limit| up_to(rest, limit - at.min(limit)));
        let (log, mark) = match walk(counted) {
            Ok(walk) => Replay::new(path, mode, limit, durable, walk, self.log)
                .run(&mut |record, _| sink(Piece::of(record)).map(drop)),
            Err(error) => (Err(error.with_file(path).with_offset(0)), None),
        };
        let is_all = counted.len() == rest.len();
        let behind =
            if is_all { None } else { walk(rest).ok().and_then(|mut walk| greatest_mark(&mut walk)) };
        ReplayedLog { mark: known.max(mark).max(behind), log }
    }
}
