//! Reading one log, and gathering what it has on a thread of its own.
//!
//! ```text
//!   opener    read, check | read, check | read, check | ...
//!                   piece `-v     piece `-v
//!   helper               gather        | gather        | ...
//! ```
//!
//! The opener alone touches files. Where there is one processor, or the store has no threads of its own, or the helper is
//! refused, the opener does it all by turns.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::thread::available_parallelism;

use slice_types::{Error, KeyspaceId, LogNumber, Result, SeqNo};
use slice_vfs::{Access, RandomAccessFile};
use slice_wal::{LogPosition, Piece, RecoveredLog, ReplayedLog, StoredLog};

use super::gathered::Gathered;
use crate::background::threads::helper;
use crate::manifest::State;
use crate::options::{Background, Options};
use crate::primitives::channels::{Receiver, Sender, channel, sync_channel};
use crate::primitives::{IS_CHECKED, Mutex};
use crate::signal::lock;
use crate::tree::Memory;

/// How much of a log is read at a time, in bytes: it stays in a processor's cache until it is gathered.
const PIECE: usize = 256 << 10;

/// How many pieces may wait for the helper.
const PIECES_AHEAD: usize = 4;

/// A log that is there.
pub(super) struct LogFile {
    pub(super) number: LogNumber,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn RandomAccessFile>,
}

/// What a log has.
pub(super) struct Contents {
    pub(super) log: RecoveredLog,
    /// The first sequence number.
    pub(super) first: Option<SeqNo>,
    pub(super) by_keyspace: BTreeMap<KeyspaceId, Memory>,
}

/// How logs are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) state: &'a State,
    pub(super) options: &'a Options,
}

impl Reading<'_> {
    /// Reads a log: what it has, or why that cannot be used, and how far it proves that logs were durable. `durable` is what
    /// later logs prove.
    ///
    /// # Errors
    ///
    /// I/O.
    pub(super) fn read(
        self,
        log: &LogFile,
        durable: Option<LogPosition>,
    ) -> Result<(Option<LogPosition>, Result<Contents>)> {
        let stored = StoredLog { file: &*log.file, path: &log.path, number: log.number, piece: PIECE };
        let limit = self.state.log_ends.get(&log.number).copied();
        let (mode, has_helper) = (self.options.recovery_mode, self.has_helper());
        let gathered = Mutex::new(Gathered::new(self.options.memtable_kind, self.state, log.number));
        let ReplayedLog { mark, log: replayed } =
            gather_all(&gathered, has_helper, |sink| stored.replay(mode, limit, durable, sink))?;
        // The rest of the disk's work on it may begin: it is synced when all logs have been read.
        log.file.advise(Access::Never);
        let gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        let contents = replayed.map(|log| {
            let (first, by_keyspace) = gathered.into_memories(has_helper);
            Contents { log, first, by_keyspace }
        });
        Ok((mark, contents))
    }

    /// Whether a second thread may be had, and is of use.
    fn has_helper(self) -> bool {
        let has_threads = self.options.background == Background::Threads && !IS_CHECKED;
        has_threads && available_parallelism().is_ok_and(|processors| processors.get() > 1)
    }
}

type Sink<'s> = dyn FnMut(Piece) -> Result<Vec<u8>> + 's;

/// Replays into what gathers, which a helper does meanwhile if there is one.
fn gather_all(
    gathered: &Mutex<Gathered<'_>>,
    has_helper: bool,
    replay: impl FnOnce(&mut Sink<'_>) -> Result<ReplayedLog>,
) -> Result<ReplayedLog> {
    if !has_helper {
        return replay(&mut |piece| gather(gathered, piece));
    }
    std::thread::scope(|scope| {
        let (pieces, to_gather) = sync_channel(PIECES_AHEAD);
        let (buffers, spare) = channel();
        let work = move || gather_pieces(gathered, &to_gather, &buffers);
        let Some(helper) = helper(scope, "slice-recovery", work) else {
            return replay(&mut |piece| gather(gathered, piece));
        };
        let mut hand_over = |piece| {
            let handed = pieces.send(piece);
            // The helper has failed, with a better message.
            handed.map_err(|_| Error::corruption("what a log has is not taken"))?;
            Ok(spare.try_recv().unwrap_or_default())
        };
        let replayed = replay(&mut hand_over);
        drop(pieces);
        let taken = helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let replayed = replayed?;
        Ok(ReplayedLog { log: taken.and(replayed.log), ..replayed })
    })
}

fn gather_pieces(
    gathered: &Mutex<Gathered<'_>>,
    pieces: &Receiver<Piece>,
    buffers: &Sender<Vec<u8>>,
) -> Result<()> {
    for piece in pieces {
        // Nobody waits for the memory of the last ones.
        let _ = buffers.send(gather(gathered, piece)?);
    }
    Ok(())
}

fn gather(gathered: &Mutex<Gathered<'_>>, piece: Piece) -> Result<Vec<u8>> {
    let mut gathered = lock(gathered);
    for (first, _, entries) in piece.batches() {
        gathered.add(first, entries)?;
    }
    Ok(piece.into_buffer())
}
