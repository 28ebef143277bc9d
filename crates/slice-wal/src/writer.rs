//! The appender's side of a log.
//!
//! A record is handed to the file as parts, in one append: no copy, no allocation, no sync. Who needs the bytes on the
//! disk waits at a [`GroupSync`](crate::GroupSync).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice_types::{Error, ErrorKind, LogNumber, Result, SeqNo};
use slice_vfs::{LogControl, LogFile};

use crate::format::{self, MarkRecord, RECORD_HEADER_LEN};
use crate::{EncodedBatch, LogPosition};

/// Appends batches to one log. The commit lock is around it.
pub struct LogWriter {
    file: Box<dyn LogFile>,
    path: PathBuf,
    number: LogNumber,
    /// The length of what counts as appended; where the next record goes.
    end: u64,
    /// Goes in front of the next batch.
    pending_mark: Option<LogPosition>,
    /// The greatest mark that is in the log.
    written_mark: LogPosition,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Finished,
    /// A failed append moved the end of the file: a record behind it would not be found.
    Broken,
}

impl LogWriter {
    /// Begins a log in an empty file (new or recycled). `path` is what errors name.
    ///
    /// # Errors
    ///
    /// What the file says to the append of the header;
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when something was appended before.
    pub fn create(mut file: Box<dyn LogFile>, path: PathBuf, number: LogNumber) -> Result<Self> {
        if !file.is_empty() {
            return Err(Error::invalid_argument("a log begins in an empty file").with_file(path));
        }
        let header = format::file_header(number);
        file.append(&[&header])
            .map_err(|error| Error::io("write the header of the log", error).with_file(&path))?;
        let end = header.len() as u64;
        let (pending_mark, written_mark) = (None, LogPosition::default());
        Ok(Self { file, path, number, end, pending_mark, written_mark, state: State::Open })
    }

    /// Appends a batch whose entries are numbered from `first_seqno` on, and returns the end of its record.
    ///
    /// The record is in the page cache then: it survives the process, not yet the machine. A batch that was not
    /// [sealed](EncodedBatch::seal) is hashed here, under whatever lock is held.
    ///
    /// # Errors
    ///
    /// What the file says. Then nothing counts as appended, and the next append goes to the same place.
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when the batch is empty.
    ///
    /// # Panics
    ///
    /// When the sequence numbers of the batch do not fit 56 bits.
    pub fn append(&mut self, first_seqno: SeqNo, batch: &EncodedBatch) -> Result<LogPosition> {
        if batch.is_empty() {
            return Err(Error::invalid_argument("a batch to log has at least one entry"));
        }
        let header = format::batch_header(self.number, first_seqno, batch);
        match self.pending_mark {
            None => self.append_parts(&[&header, batch.bytes()])?,
            Some(durable) => self.append_with_mark(durable, &header, batch.bytes())?,
        }
        Ok(self.position())
    }

    fn append_with_mark(
        &mut self,
        durable: LogPosition,
        header: &[u8; RECORD_HEADER_LEN],
        body: &[u8],
    ) -> Result<()> {
        let mark = MarkRecord::new(self.number, durable);
        self.append_parts(&[mark.as_bytes(), header, body])?;
        self.written_mark = durable;
        self.pending_mark = None;
        Ok(())
    }

    #[inline]
    fn append_parts(&mut self, parts: &[&[u8]]) -> Result<()> {
        if self.state != State::Open {
            return Err(self.not_open());
        }
        self.file.append(parts).map_err(|error| self.append_failed(error))?;
        self.end += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        debug_assert_eq!(self.end, self.file.len(), "the file appends what it is given");
        Ok(())
    }

    #[cold]
    fn append_failed(&mut self, error: std::io::Error) -> Error {
        if self.file.len() != self.end {
            self.state = State::Broken;
        }
        Error::io("append to the log", error).with_file(&self.path).with_offset(self.end)
    }

    #[cold]
    fn not_open(&self) -> Error {
        let (kind, message) = match self.state {
            State::Finished => (ErrorKind::Closed, "the log is finished; append to its successor"),
            _ => (ErrorKind::ReadOnly, "a failed append left the log unusable; go on in a new one"),
        };
        Error::new(kind, message).with_file(&self.path)
    }

    /// Leaves word of what is durable, to be written in front of the next batch.
    ///
    /// After a crash the mark tells damage from a torn tail: see [`replay`](crate::replay). What is known already
    /// changes nothing, and a claim beyond this log's end is cut down to it.
    pub fn set_sync_mark(&mut self, durable: LogPosition) {
        let durable = durable.min(self.position());
        let known = self.pending_mark.unwrap_or(self.written_mark);
        if durable > known {
            self.pending_mark = Some(durable);
        }
    }

    /// The log's number.
    #[inline]
    pub fn number(&self) -> LogNumber {
        self.number
    }

    /// Where the next record goes.
    #[inline]
    pub fn position(&self) -> LogPosition {
        LogPosition { log: self.number, offset: self.end }
    }

    /// Whether the space allocated ahead runs low: see [`LogFile::is_low`].
    #[inline]
    pub fn is_low(&self) -> bool {
        self.file.is_low()
    }

    /// The side of the file for other threads, which sync it and allocate ahead.
    pub fn control(&self) -> Arc<dyn LogControl> {
        self.file.control()
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives back the space allocated behind the end, with what failed appends left there. No append can follow.
    ///
    /// # Errors
    ///
    /// What the file says. The log is finished all the same, and its records are as readable as before.
    pub fn finish(&mut self) -> Result<()> {
        // Also the second time: the first may have failed, and what it left behind the end would read as damage.
        self.state = State::Finished;
        self.file.finish().map_err(|error| Error::io("trim the log", error).with_file(&self.path))
    }

    /// Whether it can be appended to: not finished, and not broken by an append that failed half-way.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Finished | State::Broken)
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogWriter({} at {:?}, {:?})", self.path.display(), self.position(), self.state)
    }
}
