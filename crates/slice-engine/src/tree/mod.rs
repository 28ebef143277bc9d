//! A keyspace: its memtables and its levels, and the view through which they are read.
//!
//! ```text
//!            +--------+     +--------+--------+     +-----------------------+
//!   View  =  | active |  +  | frozen | frozen |  +  | Version: L0 L1 ... Ln |      newest first
//!            +--------+     +--------+--------+     +-----------------------+
//! ```
//!
//! A reader loads the view once, with no lock, and finds everything in it. A view never changes; freezing, flushing
//! and compacting each make a new one out of the one before, under [`Tree::update`], and publish it in one store. So
//! there is no moment between freezing and flushing at which a reader sees neither.

mod caches;
mod input;
mod open_table;
mod sound;
mod version;

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use slice_memtable::MemTable;
use slice_sstable::ReadMode;
use slice_types::{KeyspaceId, LogNumber, Result, SeqNo, Trailer};
use slice_wal::LogWriter;

pub(crate) use crate::primitives::Memory;
pub(crate) use caches::Caches;
pub(crate) use input::{Input, Run, RunIter};
pub(crate) use open_table::{Graveyard, OpenTable};
pub(crate) use version::Version;

use crate::primitives::{Loaded, Mutex, Swap, keep};
use crate::signal::lock;
use crate::values::{Resolver, Rules};

/// A memtable that takes no more writes, and waits for its flush.
pub(crate) struct Frozen {
    pub(crate) memory: Arc<Memory>,
    /// The log that holds the same entries: it counts until the flush is durable.
    pub(crate) log: LogNumber,
    /// The log's writer, kept to be finished; none for a log of an earlier process.
    pub(crate) writer: Mutex<Option<LogWriter>>,
}

impl Frozen {
    /// Bytes that its log holds; 0 when an earlier process wrote it.
    pub(crate) fn log_bytes(&self) -> u64 {
        lock(&self.writer).as_ref().map_or(0, |writer| writer.position().offset)
    }
}

/// All that a reader sees.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) active: Arc<Memory>,
    /// Newest first.
    pub(crate) frozen: Vec<Arc<Frozen>>,
    pub(crate) version: Arc<Version>,
}

/// One keyspace.
pub(crate) struct Tree {
    pub(crate) id: KeyspaceId,
    /// What its values mean.
    pub(crate) rules: Rules,
    view: Swap<View>,
    /// Held while a new view is made from the one before.
    updating: Mutex<()>,
}

impl Tree {
    pub(crate) fn new(id: KeyspaceId, rules: Rules, view: View) -> Self {
        Self { id, rules, view: Swap::from_pointee(view), updating: Mutex::new(()) }
    }

    /// The view of this moment, to be looked at briefly.
    pub(crate) fn view(&self) -> Loaded<View> {
        self.view.load()
    }

    /// The view of this moment, to be kept.
    pub(crate) fn keep_view(&self) -> Arc<View> {
        keep(self.view.load())
    }

    /// Publishes what `change` makes of the view.
    pub(crate) fn update(&self, change: impl FnOnce(&mut View)) {
        let _one_at_a_time = lock(&self.updating);
        let mut view = View::clone(&self.view.load());
        change(&mut view);
        self.view.store(Arc::new(view));
    }

    /// The value of a key at the newest sequence number that `visible` gives.
    ///
    /// The view is loaded first: it holds, of every key, the newest version that is visible at any number given later.
    /// (Loaded the other way round, a compaction in between could have dropped the version that the number asks for.)
    pub(crate) fn get(
        &self,
        key: &[u8],
        visible: impl FnOnce() -> SeqNo,
        mode: ReadMode,
        caches: &Caches,
    ) -> Result<Option<Bytes>> {
        let view = self.view.load();
        let at = visible();
        view.value(key, at, mode, caches, &self.rules)
    }
}

impl View {
    /// What a reader at `at` makes of the versions of a key.
    pub(crate) fn value(
        &self,
        key: &[u8],
        mut at: SeqNo,
        mode: ReadMode,
        caches: &Caches,
        rules: &Rules,
    ) -> Result<Option<Bytes>> {
        let mut resolver = Resolver::new(rules);
        while let Some((trailer, value)) = self.get(key, at, mode, caches)? {
            match (resolver.take_older(key, trailer, value)?, trailer.seqno().get().checked_sub(1)) {
                (ControlFlow::Break(value), _) => return Ok(value),
                (ControlFlow::Continue(()), Some(below)) => at = SeqNo::new(below),
                (ControlFlow::Continue(()), None) => break,
            }
        }
        resolver.finish(key)
    }

    /// The newest version of a key at or below `at`, tombstones included.
    fn get(
        &self,
        key: &[u8],
        at: SeqNo,
        mode: ReadMode,
        caches: &Caches,
    ) -> Result<Option<(Trailer, Bytes)>> {
        for memory in self.memories() {
            let covering = memory.covering(key, at);
            if let Some((trailer, value)) = memory.get(key, at) {
                return Ok((Some(trailer.seqno()) > covering).then_some((trailer, value)));
            }
            // Whatever older memtables and tables hold of the key is older than what covers it.
            if covering.is_some() {
                return Ok(None);
            }
        }
        self.version.get(key, at, mode, caches)
    }

    /// The newest range tombstone at or below `at` that has the key in its range: what is older of the key is deleted
    /// for a reader at `at`.
    #[expect(dead_code, reason = "for scans")]
    pub(crate) fn covering(&self, key: &[u8], at: SeqNo) -> Option<SeqNo> {
        let in_memory = self.memories().find_map(|memory| memory.covering(key, at));
        in_memory.or_else(|| self.version.covering(key, at))
    }

    /// Newest first.
    fn memories(&self) -> impl Iterator<Item = &Memory> {
        std::iter::once(&*self.active).chain(self.frozen.iter().map(|frozen| &*frozen.memory))
    }
}
