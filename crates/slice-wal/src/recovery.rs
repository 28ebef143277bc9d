//! Recovery: the bytes of a log in, its batches out.
//!
//! What follows the last good record decides whether the log ends there or is damaged there:
//!
//! ```text
//!   good | good | 000000000            clean: nothing was being written
//!   good | good | half a rec           torn: a write was under way, and nobody was told that it is durable
//!   good | good | ???? | good          torn as well: unsynced pages reach the disk in any order
//!   good | good | ???? | good | mark   damage, if the mark says that the place of ???? was durable
//! ```
//!
//! In the third case the records behind the gap are dropped: what recovery returns is a prefix of what was written,
//! without a hole. The idea to log what is known to be durable, so that a later look at the log can tell damage from a
//! torn tail, is Pebble's (the sync chunks of
//! `record/record.go`); the four modes are those of RocksDB's `WALRecoveryMode`.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use slice_types::{Error, LogNumber, Result, SeqNo};

use crate::format::{Batch, Body};
use crate::scan::{Damage, DamageReason, Record, Step, Stop, Walk};
use crate::{Entries, LogPosition};

/// What to do about a log that does not end cleanly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RecoveryMode {
    /// A torn tail is cut; damage to what had been durable is an error.
    #[default]
    TolerateTornTail,
    /// The log ends at the first damage, of whatever kind, and that is not an error.
    PointInTime,
    /// Anything but a clean end is an error.
    Absolute,
    /// Damaged places are skipped and reported, and later records are taken: the result may have holes.
    Salvage,
}

/// How a log ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogEnd {
    /// Behind the last record there is nothing.
    Clean,
    /// Behind the last record there is something that is not a record. It is dropped.
    Torn {
        /// Where it starts: an offset in the file, in bytes.
        at: u64,
        /// What is wrong with it.
        reason: DamageReason,
    },
}

/// What came out of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecoveredLog {
    /// The log's number.
    pub number: LogNumber,
    /// Where the log ends, in bytes: what is behind is not part of it. 0 when the log was not begun.
    pub valid_len: u64,
    /// How many batches the sink was given.
    pub batches: u64,
    /// How the log ended.
    pub end: LogEnd,
    /// The greatest sequence number that the sink was given; zero when there was none.
    pub max_seqno: SeqNo,
    /// The damaged places that [`RecoveryMode::Salvage`] stepped over. Empty in all other modes.
    pub skipped: Vec<Damage>,
}

impl RecoveredLog {
    /// Nothing yet.
    pub(crate) const fn empty(number: LogNumber) -> Self {
        Self {
            number,
            valid_len: 0,
            batches: 0,
            end: LogEnd::Clean,
            max_seqno: SeqNo::ZERO,
            skipped: Vec::new(),
        }
    }

    /// Counts a batch that was handed on.
    pub(crate) fn count(&mut self, first: SeqNo, count: u32) {
        self.batches += 1;
        self.max_seqno = self.max_seqno.max(first.plus(u64::from(count) - 1));
    }
}

/// Takes the batches out of a log, in order.
///
/// - `bytes` are all of the file's; `path` is what errors name; `number` is the one in the file's name.
/// - `limit` is the valid length that an earlier recovery of this log settled on, if there was one. The log ends there
///   cleanly, whatever is behind, and damage below is not a torn tail.
/// - `durable` is the greatest [`durable_mark`] of the later logs.
/// - `sink` is given the first sequence number, the count and the entries of each batch, which borrow from `bytes`: it
///   may keep them. It sees whole batches: their
///   checksum was right and all their entries decode.
///
/// The memory needed does not depend on the log.
///
/// What is true of one log only the caller can make true of several: behind a log that ends [torn](LogEnd::Torn), later
/// logs hold what was written behind a hole. So do they when the end of a log got lost whole, which leaves a clean end:
/// it shows in the sequence numbers.
///
/// # Errors
///
/// [`Corruption`](slice_types::ErrorKind::Corruption), naming file and offset, as the mode says. Under
/// `TolerateTornTail` also when the file is not a log, or when a record has the right checksum and does not decode:
/// no crash does that. [`Unsupported`](slice_types::ErrorKind::Unsupported), in every mode, when the format is
/// newer than this build. What the sink returns, as it is.
pub fn replay<'b>(
    bytes: &'b [u8],
    path: &Path,
    number: LogNumber,
    mode: RecoveryMode,
    limit: Option<u64>,
    durable: Option<LogPosition>,
    sink: &mut dyn FnMut(SeqNo, u32, Entries<'b>) -> Result<()>,
) -> Result<RecoveredLog> {
    let bytes = limit.map_or(bytes, |limit| up_to(bytes, limit));
    let walk = Walk::new(bytes, number).map_err(|error| error.with_file(path).with_offset(0))?;
    let mut each = |_: &Record<'b>, Batch { first, count, entries }: Batch<'b>| sink(first, count, entries);
    Replay::new(path, mode, limit, durable, walk, RecoveredLog::empty(number)).run(&mut each).0
}

/// The greatest sync mark in the good records of a log, those behind damage included.
///
/// `None` when there is no mark, and for what is not a log.
pub fn durable_mark(bytes: &[u8], number: LogNumber) -> Option<LogPosition> {
    greatest_mark(&mut Walk::new(bytes, number).ok()?)
}

pub(crate) fn up_to(bytes: &[u8], limit: u64) -> &[u8] {
    usize::try_from(limit).ok().and_then(|limit| bytes.get(..limit)).unwrap_or(bytes)
}

/// The greatest mark in what is left of a walk.
pub(crate) fn greatest_mark(walk: &mut Walk<'_>) -> Option<LogPosition> {
    let mut greatest = None;
    loop {
        match walk.step() {
            Step::Record(record) => {
                if let Ok(Body::Mark(mark)) = open(&record) {
                    greatest = greatest.max(Some(mark));
                }
            }
            Step::Damage(_) => {}
            Step::End(_) => return greatest,
        }
    }
}

/// What a record says, if it makes sense where it stands.
pub(crate) fn open<'a>(record: &Record<'a>) -> Result<Body<'a>> {
    let body = record.header.open(record.body())?;
    let here = LogPosition { log: record.header.log, offset: record.at as u64 };
    match body {
        Body::Mark(mark) if mark > here => {
            Err(Error::corruption(format!("a sync mark speaks of {mark:?}, which is behind it")))
        }
        body => Ok(body),
    }
}

/// A replay under way.
pub(crate) struct Replay<'a, 'b> {
    path: &'a Path,
    mode: RecoveryMode,
    /// What is known to have been durable, the marks of this log apart.
    durable: LogPosition,
    walk: Walk<'b>,
    log: RecoveredLog,
    /// The greatest mark that the walk has come by.
    mark: Option<LogPosition>,
}

/// Takes a batch, and the record that it is in.
type Sink<'s, 'b> = dyn FnMut(&Record<'b>, Batch<'b>) -> Result<()> + 's;

impl<'a, 'b> Replay<'a, 'b> {
    /// Goes on where a walk stands, with what came out of the log before that.
    pub(crate) fn new(
        path: &'a Path,
        mode: RecoveryMode,
        limit: Option<u64>,
        durable: Option<LogPosition>,
        walk: Walk<'b>,
        log: RecoveredLog,
    ) -> Self {
        let decided = limit.map(|offset| LogPosition { log: log.number, offset });
        let durable = decided.or(durable).unwrap_or_default();
        Self { path, mode, durable, walk, log, mark: None }
    }

    /// What came out of the log, and its greatest mark behind where the walk stood.
    pub(crate) fn run(mut self, sink: &mut Sink<'_, 'b>) -> (Result<RecoveredLog>, Option<LogPosition>) {
        let end = self.replay(sink);
        let mark = self.mark.max(greatest_mark(&mut self.walk));
        (end.map(|(valid_len, end)| RecoveredLog { valid_len, end, ..self.log }), mark)
    }

    /// Gives where the log ends, and how.
    fn replay(&mut self, sink: &mut Sink<'_, 'b>) -> Result<(u64, LogEnd)> {
        loop {
            match self.walk.step() {
                Step::Record(record) => match open(&record) {
                    Ok(Body::Batch(batch)) => {
                        let (first, count) = (batch.first, batch.count);
                        sink(&record, batch)?;
                        self.log.count(first, count);
                    }
                    Ok(Body::Mark(mark)) => self.mark = self.mark.max(Some(mark)),
                    Err(_) if self.mode == RecoveryMode::Salvage => {
                        self.log.skipped.push(undecodable(&record));
                    }
                    Err(error) => return self.refuse(record.at as u64, error),
                },
                Step::Damage(damage) if self.mode == RecoveryMode::Salvage => self.log.skipped.push(damage),
                Step::Damage(Damage { at, reason, .. }) => return self.stop(at, reason),
                Step::End(stop) => return self.end(stop),
            }
        }
    }

    /// A record has the right checksum and does not decode: this is what was written, and no torn write.
    fn refuse(&self, at: u64, error: Error) -> Result<(u64, LogEnd)> {
        if self.mode == RecoveryMode::PointInTime {
            return Ok(torn(at, DamageReason::Content));
        }
        Err(error.with_file(self.path).with_offset(at))
    }

    /// There is no record any more.
    fn end(&mut self, stop: Stop) -> Result<(u64, LogEnd)> {
        let at = self.walk.at();
        // "To the end of the log" says that all of it was durable, not how much that is.
        let is_whole = self.durable == LogPosition::end_of(self.log.number);
        let more_is_due = self.durable.log == self.log.number && !is_whole && at < self.durable.offset;
        match stop {
            Stop::Damaged(reason) => self.stop(at, reason),
            Stop::Clean if more_is_due => self.stop(at, DamageReason::Missing),
            Stop::Clean => Ok((at, LogEnd::Clean)),
        }
    }

    /// The log does not end cleanly: is that an error?
    fn stop(&mut self, at: u64, reason: DamageReason) -> Result<(u64, LogEnd)> {
        let advice = match self.mode {
            RecoveryMode::PointInTime | RecoveryMode::Salvage => return Ok(torn(at, reason)),
            RecoveryMode::Absolute => "the recovery mode Absolute takes only logs that end cleanly",
            RecoveryMode::TolerateTornTail => match self.proof(at, reason) {
                Some(proof) => proof,
                None => return Ok(torn(at, reason)),
            },
        };
        Err(Error::corruption(format!("{reason}: {advice}")).with_file(self.path).with_offset(at))
    }

    /// Why this is no torn tail, with what to do; `None` when it is one.
    fn proof(&mut self, at: u64, reason: DamageReason) -> Option<&'static str> {
        if reason == DamageReason::ForeignFile {
            return Some("move the file away if it is not a log of this store");
        }
        self.was_durable(at).then_some(
            "this is no torn tail, for the place had been made durable; restore the file, or give up what is lost \
             with the recovery mode PointInTime or Salvage",
        )
    }

    /// Whether the byte at this offset had been made durable. Looks through the rest of the log for word of it.
    fn was_durable(&mut self, at: u64) -> bool {
        let here = LogPosition { log: self.log.number, offset: at };
        self.mark = self.mark.max(greatest_mark(&mut self.walk));
        self.durable > here || self.mark.is_some_and(|mark| mark > here)
    }
}

fn torn(at: u64, reason: DamageReason) -> (u64, LogEnd) {
    (at, LogEnd::Torn { at, reason })
}

/// The place of a record that does not decode.
fn undecodable(record: &Record<'_>) -> Damage {
    let (at, end) = (record.at as u64, record.end() as u64);
    Damage { at, len: end - at, reason: DamageReason::Content }
}
