//! What the tests share: small logs, and a file that keeps its bytes in memory.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use slice_types::{EntryKind, Error, KeyspaceId, LogNumber, Result, SeqNo};
use slice_vfs::{Access, LogControl, LogFile, RandomAccessFile, SyncSite};
use slice_wal::{
    EncodedBatch, Entries, LogPosition, LogWriter, RecoveredLog, RecoveryMode, ReplayedLog, StoredLog,
    durable_mark, replay,
};

/// The number of the logs under test.
pub(crate) const LOG: LogNumber = LogNumber(7);

/// The path that errors are to name.
pub(crate) const PATH: &str = "/db/wal_000007.log";

/// The recovery modes.
pub(crate) const MODES: [RecoveryMode; 4] = [
    RecoveryMode::TolerateTornTail,
    RecoveryMode::PointInTime,
    RecoveryMode::Absolute,
    RecoveryMode::Salvage,
];

/// A log file in memory that can be told to fail. A clone is the same file.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestFile(Arc<Mutex<TestState>>);

#[derive(Debug, Default)]
struct TestState {
    bytes: Vec<u8>,
    appends: usize,
    fails: Option<Failure>,
}

/// How an append fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    /// Nothing counts as appended, as the trait promises.
    AsPromised,
    /// Half of the bytes do, as from a file that keeps no promise.
    HalfWay,
}

impl TestFile {
    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.with(|state| state.bytes.clone())
    }

    /// How often something was appended.
    pub(crate) fn appends(&self) -> usize {
        self.with(|state| state.appends)
    }

    /// Lets the next appends fail, or succeed again.
    pub(crate) fn fail(&self, failure: Option<Failure>) {
        self.with(|state| state.fails = failure);
    }

    fn with<T>(&self, act: impl FnOnce(&mut TestState) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LogFile for TestFile {
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let bytes = parts.concat();
        self.with(|state| {
            let kept = match state.fails {
                None => bytes.len(),
                Some(Failure::AsPromised) => 0,
                Some(Failure::HalfWay) => bytes.len() / 2,
            };
            state.bytes.extend_from_slice(&bytes[..kept]);
            if state.fails.is_some() {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            state.appends += 1;
            Ok(())
        })
    }

    fn len(&self) -> u64 {
        self.with(|state| state.bytes.len() as u64)
    }

    fn is_low(&self) -> bool {
        false
    }

    fn control(&self) -> Arc<dyn LogControl> {
        Arc::new(self.clone())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogControl for TestFile {
    fn sync(&self, _site: SyncSite) -> io::Result<()> {
        Ok(())
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        Ok(())
    }
}

/// An entry that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) keyspace: KeyspaceId,
    pub(crate) kind: EntryKind,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// A batch as the sink saw it.
pub(crate) type Seen = (SeqNo, Vec<Owned>);

/// A sealed batch of one entry.
pub(crate) fn put(key: &str, value: &str) -> EncodedBatch {
    let mut batch = EncodedBatch::new();
    batch.push(KeyspaceId::DEFAULT, EntryKind::Put, key.as_bytes(), value.as_bytes()).unwrap();
    batch.seal();
    batch
}

/// A log that is written to, and its file.
pub(crate) fn new_log(number: LogNumber) -> (LogWriter, TestFile) {
    let file = TestFile::default();
    (LogWriter::create(Box::new(file.clone()), PATH.into(), number).unwrap(), file)
}

/// A log of `batches` puts, numbered from 1 on: its bytes, and where each record ends.
///
/// Each record has another length, so that none is where another one ends in a log of other batches.
pub(crate) fn log_of(number: LogNumber, batches: u64) -> (Vec<u8>, Vec<u64>) {
    let (mut log, file) = new_log(number);
    let mut append = |n: u64| {
        let batch = put(&format!("key {n}"), &"v".repeat(n as usize));
        log.append(SeqNo::new(n), &batch).unwrap().offset
    };
    let ends = (1..=batches).map(&mut append).collect();
    (file.bytes(), ends)
}

/// Replays without knowledge from elsewhere. What the sink saw comes back in either case.
pub(crate) fn replay_with(bytes: &[u8], mode: RecoveryMode) -> (Result<RecoveredLog>, Vec<Seen>) {
    replay_knowing(bytes, mode, None, None)
}

/// Replays with what earlier recoveries and later logs know.
pub(crate) fn replay_knowing(
    bytes: &[u8],
    mode: RecoveryMode,
    limit: Option<u64>,
    durable: Option<LogPosition>,
) -> (Result<RecoveredLog>, Vec<Seen>) {
    let mut seen = Vec::new();
    let log = replay(bytes, Path::new(PATH), LOG, mode, limit, durable, &mut |first, count, entries| {
        seen.push(owned(first, count, entries)?);
        Ok(())
    });
    for piece in [0, 100, 1 << 20] {
        check_replay_in_pieces(piece, bytes, mode, limit, durable, (&log, &seen));
    }
    (log, seen)
}

/// From a file, a piece at a time, the same is to come out as of the bytes.
fn check_replay_in_pieces(
    piece: usize,
    bytes: &[u8],
    mode: RecoveryMode,
    limit: Option<u64>,
    durable: Option<LogPosition>,
    expected: (&Result<RecoveredLog>, &[Seen]),
) {
    let mut seen = Vec::new();
    let stored = StoredLog { file: &Stored(bytes.to_vec()), path: Path::new(PATH), number: LOG, piece };
    let replayed = stored.replay(mode, limit, durable, &mut |piece| {
        for (first, count, entries) in piece.batches() {
            seen.push(owned(first, count, entries)?);
        }
        Ok(if seen.len().is_multiple_of(2) { piece.into_buffer() } else { Vec::new() })
    });
    let ReplayedLog { mark, log } = replayed.unwrap();
    let told = |error: &Error| (error.kind(), error.offset(), error.to_string());
    assert_eq!(log.as_ref().map_err(told), expected.0.as_ref().map_err(told), "in pieces of {piece}");
    assert_eq!(mark, durable_mark(bytes, LOG), "in pieces of {piece}");
    assert_eq!(seen, expected.1, "in pieces of {piece}");
}

fn owned(first: SeqNo, count: u32, entries: Entries<'_>) -> Result<Seen> {
    let owned = entries.map(|entry| {
        entry.map(|entry| Owned {
            keyspace: entry.keyspace,
            kind: entry.kind,
            key: entry.key.to_vec(),
            value: entry.value.to_vec(),
        })
    });
    let owned = owned.collect::<Result<Vec<_>>>()?;
    assert_eq!(owned.len(), count as usize, "the count is that of the entries");
    Ok((first, owned))
}

/// A file that does not change.
#[derive(Debug)]
pub(crate) struct Stored(pub(crate) Vec<u8>);

impl RandomAccessFile for Stored {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.0.get(offset as usize..).and_then(|bytes| bytes.get(..buf.len()));
        buf.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn try_read_exact_at(&self, _buf: &mut [u8], _offset: u64) -> io::Result<bool> {
        Ok(false)
    }

    fn advise(&self, _access: Access) {}
}

/// The sequence numbers of what was seen.
pub(crate) fn numbers(seen: &[Seen]) -> Vec<u64> {
    seen.iter().map(|(first, _)| first.get()).collect()
}
