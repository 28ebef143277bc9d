//! Replaying the logs of a database that was not closed, or was closed without a flush.
//!
//! Each log becomes one frozen memtable for each keyspace that has entries in it, so nothing is rewritten before the
//! store opens. What a keyspace has in tables already, and what a dropped one has left, is passed over.
//! What is replayed is a prefix of the history: if a log ends early (a torn tail, which is what a power failure
//! leaves), the logs behind it do not count, whatever they hold. Where each log ended is written into the manifest
//! before anything new is logged; a later recovery reads that far and no further, and so comes to the same state.

mod gathered;
mod reading;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use slice_memtable::{MemTable, MemTableKind};
use slice_types::{Error, KeyspaceId, LogNumber, Result, SeqNo, Trailer};
use slice_vfs::{Fs, SyncSite};
use slice_wal::{Entries, LogEnd, LogPosition, RecoveryMode};

use crate::db::names::{FileName, log_path};
use crate::manifest::{Edit, State};
use crate::options::Options;
use crate::tree::{Frozen, Memory};
use reading::{Contents, LogFile, Reading};

/// Why the bytes of a replayed log are synced: the process that wrote them may not have come to that, and later logs
/// build on them.
pub const REPLAYED_LOG_BYTES: SyncSite = SyncSite::new("replayed-log.bytes");

/// What the logs held.
pub(crate) struct Recovered {
    /// Of each keyspace with any, newest first.
    pub(crate) frozen: BTreeMap<KeyspaceId, Vec<Arc<Frozen>>>,
    /// The logs that hold them, each with the last sequence number up to its end.
    pub(crate) logs: BTreeMap<LogNumber, SeqNo>,
    pub(crate) last_seqno: SeqNo,
    /// Where each log that still counts ends.
    pub(crate) log_ends: BTreeMap<LogNumber, u64>,
    /// The number of the log to be begun.
    pub(crate) next_log: LogNumber,
}

impl Recovered {
    /// What the manifest has to know before anything new is logged.
    pub(crate) fn edit(&self, state: &State) -> Edit {
        let oldest = |id| self.frozen.get(id).and_then(|frozen| frozen.last()).map(|oldest| oldest.log);
        let first = |id| oldest(id).unwrap_or(self.next_log);
        Edit {
            first_logs: state.keyspaces.keys().map(|id| (*id, first(id))).collect(),
            last_seqno: Some(self.last_seqno),
            log_ends: self.log_ends.iter().map(|(log, end)| (*log, *end)).collect(),
            ..Edit::default()
        }
    }
}

/// Replays the logs that the state does not have in tables.
///
/// # Errors
///
/// Corruption that the mode does not tolerate; I/O.
pub(crate) fn replay_logs(fs: &dyn Fs, dir: &Path, state: &State, options: &Options) -> Result<Recovered> {
    let recovered = look_into_logs(fs, dir, state, options)?;
    make_durable(fs, dir, &recovered)?;
    Ok(recovered)
}

/// Replays the logs for a look: nothing may build on it.
///
/// # Errors
///
/// As [`replay_logs`].
pub(crate) fn look_into_logs(fs: &dyn Fs, dir: &Path, state: &State, options: &Options) -> Result<Recovered> {
    let mode = options.recovery_mode;
    let first = state.first_log();
    let logs = logs_from(fs, dir, first)?;
    // What is in logs that a keyspace has left behind would not count for it: the next one comes after those.
    let left = state.keyspaces.values().filter_map(|keyspace| keyspace.first_log.0.checked_sub(1));
    let known = logs.iter().map(|log| log.number).chain(state.log_ends.keys().copied());
    let last = known.chain(left.map(LogNumber)).max();
    let next_log = next_log(dir, first, last)?;
    let mut recovered = Recovered {
        frozen: BTreeMap::new(),
        logs: BTreeMap::new(),
        last_seqno: state.last_seqno,
        log_ends: BTreeMap::new(),
        next_log,
    };
    let (durable, mut contents) = read(&logs, Reading { state, options })?;
    let mut replay = Replay { dir, state, mode, durable, ended: false, recovered: &mut recovered };
    for number in (first.0..next_log.0).map(LogNumber) {
        replay.log(number, contents.remove(&number))?;
    }
    Ok(recovered)
}

/// What is in each log; and how far the logs themselves prove that they were durable.
type Read = (Option<LogPosition>, BTreeMap<LogNumber, Result<Contents>>);

/// Reads the logs, the newest first: what a log proves is of itself and those before it.
fn read(logs: &[LogFile], reading: Reading<'_>) -> Result<Read> {
    let (mut durable, mut all) = (None, BTreeMap::new());
    for log in logs.iter().rev() {
        let (mark, contents) = reading.read(log, durable)?;
        durable = durable.max(mark);
        all.insert(log.number, contents);
    }
    Ok((durable, all))
}

/// Logs are numbered one by one, and are given up as they are flushed: no store ever has this many that count.
const LOGS_MAX: u32 = 1 << 16;

/// The number behind the last log.
///
/// # Errors
///
/// Corruption when that is out of all proportion: then the last one is not a log of this store.
fn next_log(dir: &Path, first: LogNumber, last: Option<LogNumber>) -> Result<LogNumber> {
    let Some(last) = last.filter(|last| *last >= first) else { return Ok(first) };
    let is_near = last.0 - first.0 < LOGS_MAX;
    last.next().filter(|_| is_near).ok_or_else(|| {
        let message = format!("a log numbered {last} is there, and the store is at {first}; remove it if it is not of this store");
        Error::corruption(message).with_file(log_path(dir, last))
    })
}

/// The logs from `first` on, ascending.
fn logs_from(fs: &dyn Fs, dir: &Path, first: LogNumber) -> Result<Vec<LogFile>> {
    let names = fs.list_dir(dir).map_err(|error| Error::io("list the directory", error).with_file(dir))?;
    let mut logs = Vec::new();
    for name in names {
        let Some(FileName::Log(number)) = FileName::parse(&name) else { continue };
        if number >= first {
            let path = dir.join(&name);
            let file =
                fs.open_random(&path).map_err(|error| Error::io("read a log", error).with_file(&path))?;
            logs.push(LogFile { number, path, file });
        }
    }
    logs.sort_unstable_by_key(|log| log.number);
    Ok(logs)
}

/// Replays one log after the other.
struct Replay<'a> {
    dir: &'a Path,
    state: &'a State,
    mode: RecoveryMode,
    /// How far the logs themselves prove that they were durable.
    durable: Option<LogPosition>,
    /// Whether a log ended early: those behind it do not count.
    ended: bool,
    recovered: &'a mut Recovered,
}

impl Replay<'_> {
    fn log(&mut self, number: LogNumber, log: Option<Result<Contents>>) -> Result<()> {
        let decided = self.state.log_ends.get(&number).copied();
        let end = match log {
            _ if self.ended && decided.is_none() => 0,
            _ if decided == Some(0) => 0,
            Some(contents) => self.replay(number, contents?)?,
            None => self.hole(number, "a log is missing")?,
        };
        self.recovered.log_ends.insert(number, end);
        Ok(())
    }

    fn replay(&mut self, number: LogNumber, contents: Contents) -> Result<u64> {
        let Contents { log, first, by_keyspace } = contents;
        let last = self.recovered.last_seqno;
        if self.mode != RecoveryMode::Salvage && first.is_some_and(|first| first > last.plus(1)) {
            return self.hole(number, "the end of the log before it is missing");
        }
        if let LogEnd::Torn { .. } = log.end {
            let path = log_path(self.dir, number);
            tracing::warn!(file = %path.display(), end = log.valid_len, "the log ends in a torn record");
            self.ended = self.mode != RecoveryMode::Salvage;
        }
        // Also when all of its entries are in tables or of keyspaces that were dropped: their numbers are taken.
        self.recovered.last_seqno = self.recovered.last_seqno.max(log.max_seqno);
        if by_keyspace.is_empty() {
            return Ok(0);
        }
        self.recovered.logs.insert(number, self.recovered.last_seqno);
        for (id, memory) in by_keyspace {
            let frozen = Frozen { memory: Arc::new(memory), first_log: number, log: number, bytes: 0 };
            self.recovered.frozen.entry(id).or_default().insert(0, Arc::new(frozen));
        }
        Ok(log.valid_len)
    }

    /// Something that should be there, and is not: a log, or the end of one. It may never have become durable; then
    /// what comes behind it does not count, unless a mark says that it was. A mark that names a log proves that the log
    /// was there, and that all of those before it were durable to their ends.
    fn hole(&mut self, number: LogNumber, what: &str) -> Result<u64> {
        let was_durable = self.durable.is_some_and(|durable| durable.log >= number);
        match self.mode {
            RecoveryMode::Salvage => {}
            RecoveryMode::PointInTime => self.ended = true,
            RecoveryMode::TolerateTornTail if !was_durable => self.ended = true,
            RecoveryMode::TolerateTornTail | RecoveryMode::Absolute => {
                let message = format!(
                    "{what}, and later ones are there; restore it, or open with RecoveryMode::Salvage"
                );
                return Err(Error::corruption(message).with_file(log_path(self.dir, number)));
            }
        }
        Ok(0)
    }
}

/// What one log has of each keyspace.
pub(crate) struct Memories<'a> {
    /// What says which entries count; without it all do.
    pub(crate) state: Option<&'a State>,
    pub(crate) log: LogNumber,
    /// What memtables they go into.
    pub(crate) kind: MemTableKind,
    pub(crate) by_keyspace: BTreeMap<KeyspaceId, Memory>,
}

impl Memories<'_> {
    /// Puts the entries of a batch into the memtables of their keyspaces, but for those that do not count any more.
    ///
    /// # Errors
    ///
    /// Corruption when an entry is of a keyspace that never was.
    pub(crate) fn insert(&mut self, first: SeqNo, entries: Entries<'_>) -> Result<()> {
        for (entry, n) in entries.zip(0_u64..) {
            let entry = entry?;
            if !counts(self.state, self.log, entry.keyspace)? {
                continue;
            }
            let memory = self.by_keyspace.entry(entry.keyspace).or_insert_with(|| Memory::of(self.kind));
            memory.insert(entry.key, Trailer::new(first.plus(n), entry.kind), entry.value);
        }
        Ok(())
    }
}

/// Whether a keyspace has entries in a log that are in none of its tables; without a state all are.
fn counts(state: Option<&State>, log: LogNumber, id: KeyspaceId) -> Result<bool> {
    if id == KeyspaceId::NONE {
        return Ok(false);
    }
    let Some(state) = state else { return Ok(true) };
    Ok(state.first_log_of(id)?.is_some_and(|first| first <= log))
}

/// Makes what was replayed durable: from now on later logs build on it. Its names follow with the manifest's, which
/// is begun in the same directory before anything else.
fn make_durable(fs: &dyn Fs, dir: &Path, recovered: &Recovered) -> Result<()> {
    for log in recovered.logs.keys() {
        let path = log_path(dir, *log);
        fs.sync_file(&path, REPLAYED_LOG_BYTES)
            .map_err(|error| Error::io("sync a replayed log", error).with_file(path))?;
    }
    Ok(())
}
