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
mod candidates;
mod deletes;
mod input;
mod open_table;
mod rows;
mod settings;
mod sound;
mod version;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use slice_memtable::MemTable;
use slice_sstable::ReadMode;
use slice_types::{Error, KeyspaceId, LogNumber, Result, SeqNo, Trailer};

pub(crate) use crate::primitives::Memory;
pub(crate) use caches::Caches;
pub(crate) use deletes::Deletes;
pub(crate) use input::{Input, Run, RunIter};
pub(crate) use open_table::{Graveyard, OpenTable, is_numbered_as};
pub(crate) use settings::Settings;
pub(crate) use version::Version;

use crate::background::pick::Tasks;
use crate::primitives::{Loaded, Mutex, Swap, keep};
use crate::signal::lock;
use crate::values::{Resolver, Rules};

/// A memtable that takes no more writes, and waits for its flush.
pub(crate) struct Frozen {
    pub(crate) memory: Arc<Memory>,
    /// The first log that holds entries of it.
    pub(crate) first_log: LogNumber,
    /// The last one: the logs from the first to this one count until the flush is durable.
    pub(crate) log: LogNumber,
    /// Bytes of keys and values that writers put into it; 0 when an earlier process did.
    pub(crate) bytes: u64,
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
    pub(crate) name: String,
    /// What its values mean.
    pub(crate) rules: Rules,
    settings: ArcSwap<Settings>,
    view: Swap<View>,
    /// Held while a new view is made from the one before.
    updating: Mutex<()>,
    /// Its compactions: which run, and what was asked for.
    pub(crate) tasks: Mutex<Tasks>,
    /// How often all that it held was taken away at once: what a job has read before does not count any more.
    epoch: AtomicU64,
    is_dropped: AtomicBool,
    /// Whether merges of it have to end: the store stops, or the keyspace is dropped.
    pub(crate) cancel: AtomicBool,
}

impl Tree {
    pub(crate) fn new(id: KeyspaceId, name: String, settings: Settings, rules: Rules, view: View) -> Self {
        Self {
            id,
            name,
            rules,
            settings: ArcSwap::from_pointee(settings),
            view: Swap::from_pointee(view),
            updating: Mutex::new(()),
            tasks: Mutex::default(),
            epoch: AtomicU64::new(0),
            is_dropped: AtomicBool::new(false),
            cancel: AtomicBool::new(false),
        }
    }

    /// What was chosen for it.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Chooses anew; jobs that run go on as they began.
    pub(crate) fn choose(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Takes away all that was frozen in logs up to `log` and all tables, which are given back. What a running job makes
    /// of them cannot be installed any more. Under the manifest's lock.
    pub(crate) fn empty(&self, log: LogNumber) -> Vec<Arc<OpenTable>> {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        let mut removed = Vec::new();
        self.update(|view| {
            removed = view.version.levels().iter().flatten().cloned().collect();
            view.frozen.retain(|frozen| frozen.log > log);
            view.version = Arc::new(Version::default());
        });
        removed
    }

    /// Says that the keyspace is no more: it is [empty](Tree::empty), and stays so.
    pub(crate) fn drop_for_good(&self) {
        self.is_dropped.store(true, Ordering::Relaxed);
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// An error once the keyspace is dropped.
    pub(crate) fn check_exists(&self) -> Result<()> {
        if self.is_dropped.load(Ordering::Relaxed) { Err(self.dropped()) } else { Ok(()) }
    }

    fn dropped(&self) -> Error {
        Error::invalid_argument(format!(
            "the keyspace {:?} was dropped; open it by its name to make another",
            self.name
        ))
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
        match view.value(key, at, mode, caches, &self.rules)? {
            // A dropped keyspace is empty, so only who finds nothing has to ask.
            None => self.check_exists().map(|()| None),
            found => Ok(found),
        }
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

    /// What range tombstones delete for a reader at `at`, who was told that number after the view was loaded.
    pub(crate) fn deletes(&self, at: SeqNo) -> Deletes {
        let in_memory = self.memories().flat_map(MemTable::range_tombstones);
        Deletes::new(in_memory.chain(self.version.range_index_if_any()), at)
    }

    /// Newest first.
    fn memories(&self) -> impl Iterator<Item = &Memory> {
        std::iter::once(&*self.active).chain(self.frozen.iter().map(|frozen| &*frozen.memory))
    }
}
