//! The memtables that take writes, one for each keyspace, as they are under the commit lock.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use slice_memtable::MemTable;
use slice_types::{Error, KeyspaceId, LogNumber, Result, SeqNo, Trailer};
use slice_wal::{EncodedBatch, WalEntry};

use crate::background::clock::now;
use crate::tree::{Frozen, Memory, Tree};

/// What the flush of an entry takes of memory until its table is there, in bytes: the hash of its key, and its bits of the
/// filter twice.
const FLUSH_OF_ENTRY: usize = 12;

/// The memtable of a keyspace that takes its writes.
pub(super) struct Active {
    pub(super) tree: Arc<Tree>,
    pub(super) memory: Arc<Memory>,
    /// When the memtable got its first entry, and in which log that is.
    pub(super) since: Option<(Instant, LogNumber)>,
    /// Bytes of keys and values in it.
    bytes: u64,
    /// What it and its flush take of memory, as [`ActiveMemtables::used`] counts it.
    pub(super) counted: usize,
    /// It is frozen when it holds this many bytes, all counted.
    pub(super) full_at: usize,
    /// How many frozen ones may wait for their flush.
    pub(super) frozen_max: usize,
    /// Whether writers have to wait: the keyspace is being cleared or dropped.
    pub(super) is_paused: bool,
}

impl Active {
    /// The memtable of a view that nobody has written to yet.
    pub(super) fn of(tree: Arc<Tree>) -> Self {
        let settings = tree.settings();
        Self {
            memory: Arc::clone(&tree.view().active),
            since: None,
            bytes: 0,
            counted: 0,
            full_at: settings.options.memtable_size,
            frozen_max: settings.options.max_frozen_memtables,
            is_paused: false,
            tree,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.counted >= self.full_at
    }

    /// Whether little is left until it is frozen.
    pub(super) fn is_nearly_full(&self) -> bool {
        self.counted >= self.full_at - self.full_at / 8
    }

    /// Whether a writer has to look closer before it writes here.
    fn is_in_the_way(&self) -> bool {
        self.is_full() || self.is_paused
    }

    /// Whether as many memtables wait for their flush as may.
    pub(super) fn is_backed_up(&self) -> bool {
        self.tree.view().frozen.len() >= self.frozen_max
    }

    #[inline]
    fn insert(&mut self, seqno: SeqNo, entry: &WalEntry<'_>) {
        self.bytes += (entry.key.len() + entry.value.len()) as u64;
        self.memory.insert(entry.key, Trailer::new(seqno, entry.kind), entry.value);
    }

    /// Puts a new memtable into the place of this one, whose last entries are in `log`.
    pub(super) fn freeze(&mut self, log: LogNumber) {
        let memory = Arc::new(Memory::of(self.tree.settings().options.memtable_kind));
        let frozen = Frozen {
            memory: std::mem::replace(&mut self.memory, Arc::clone(&memory)),
            first_log: self.since.take().map_or(log, |(_, first)| first),
            log,
            bytes: std::mem::take(&mut self.bytes),
        };
        self.tree.update(|view| {
            view.frozen.insert(0, Arc::new(frozen));
            view.active = memory;
        });
    }

    /// The oldest log from `first` on that has entries which are in no table.
    pub(super) fn oldest_log(&self, first: LogNumber) -> Option<LogNumber> {
        let view = self.tree.view();
        let frozen = view.frozen.iter().filter(|frozen| frozen.log >= first).map(|frozen| frozen.first_log);
        frozen.chain(self.since.map(|(_, log)| log)).min()
    }
}

/// Where the memtables of a batch's keyspaces are. Good for as long as no keyspace comes or goes, so while the lock is
/// held: they are looked up once a batch.
pub(super) enum Places {
    /// Of nearly every batch.
    One([usize; 1]),
    Many(Vec<usize>),
}

impl Deref for Places {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        match self {
            Self::One(place) => place,
            Self::Many(places) => places,
        }
    }
}

/// Those of all keyspaces.
pub(super) struct ActiveMemtables {
    /// Ascending by number.
    all: Vec<Active>,
    /// What they take of memory together, in bytes.
    used: usize,
}

impl ActiveMemtables {
    pub(super) fn new(trees: &[Arc<Tree>]) -> Self {
        Self { all: trees.iter().cloned().map(Active::of).collect(), used: 0 }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Active> {
        self.all.iter()
    }

    /// What all of them take of memory, as far as they were written to since they were made.
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// The one that takes the most.
    pub(super) fn largest(&self) -> Option<&Active> {
        self.all.iter().max_by_key(|active| active.counted)
    }

    /// Where the memtables of a batch's keyspaces are.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when one of the keyspaces is not there.
    pub(super) fn places(&self, batch: &EncodedBatch) -> Result<Places> {
        let place = |id: &KeyspaceId| self.place(*id).ok_or_else(|| unknown(*id));
        match batch.keyspaces() {
            [id] => Ok(Places::One([place(id)?])),
            ids => ids.iter().map(place).collect::<Result<_>>().map(Places::Many),
        }
    }

    pub(super) fn at(&self, places: &Places) -> impl Iterator<Item = &Active> {
        places.iter().map(|&place| &self.all[place])
    }

    /// Whether a writer to any of these has to look closer first.
    #[inline]
    pub(super) fn is_any_in_the_way(&self, places: &Places) -> bool {
        self.at(places).any(Active::is_in_the_way)
    }

    /// Notes that these get entries which are in `log`.
    #[inline]
    pub(super) fn enter(&mut self, places: &Places, log: LogNumber) {
        for &place in &**places {
            let active = &mut self.all[place];
            if active.since.is_none() {
                active.since = Some((now(), log));
            }
        }
    }

    /// Counts anew what these take.
    #[inline]
    pub(super) fn recount(&mut self, places: &Places) {
        for &place in &**places {
            self.recount_at(place);
        }
    }

    /// Counts anew what the memtable of a keyspace takes.
    pub(super) fn recount_one(&mut self, id: KeyspaceId) {
        if let Some(place) = self.place(id) {
            self.recount_at(place);
        }
    }

    #[inline]
    fn recount_at(&mut self, place: usize) {
        let active = &mut self.all[place];
        let now = active.memory.memory_used() + active.memory.len() * FLUSH_OF_ENTRY;
        self.used = self.used - active.counted + now;
        active.counted = now;
    }

    pub(super) fn get(&self, id: KeyspaceId) -> Option<&Active> {
        self.place(id).and_then(|at| self.all.get(at))
    }

    pub(super) fn get_mut(&mut self, id: KeyspaceId) -> Option<&mut Active> {
        self.place(id).and_then(|at| self.all.get_mut(at))
    }

    fn place(&self, id: KeyspaceId) -> Option<usize> {
        self.all.binary_search_by_key(&id, |active| active.tree.id).ok()
    }

    /// Adds a keyspace, whose number is above all others.
    pub(super) fn add(&mut self, tree: Arc<Tree>) {
        self.all.push(Active::of(tree));
    }

    pub(super) fn remove(&mut self, id: KeyspaceId) {
        self.all.retain(|active| active.tree.id != id);
        self.used = self.all.iter().map(|active| active.counted).sum();
    }

    /// Inserts a batch's entries, numbered from `first` on, and gives the last number.
    pub(super) fn insert(&mut self, first: SeqNo, batch: &EncodedBatch, places: &Places) -> SeqNo {
        if let (Places::One([place]), Some(entry)) = (places, batch.single()) {
            self.all[*place].insert(first, &entry);
            return first;
        }
        let mut seqno = first;
        let mut place: Option<&mut Active> = None;
        for (entry, n) in batch.entries().zip(0_u64..) {
            let entry = entry.expect("a batch decodes to what its writer encoded");
            seqno = first.plus(n);
            let active = match place {
                Some(active) if active.tree.id == entry.keyspace => active,
                _ => self
                    .get_mut(entry.keyspace)
                    .expect("the keyspaces of a batch were looked up before it was logged"),
            };
            active.insert(seqno, &entry);
            place = Some(active);
        }
        seqno
    }
}

/// What is told to who writes to a keyspace that is not there any more.
pub(crate) fn unknown(id: KeyspaceId) -> Error {
    Error::invalid_argument(format!("keyspace number {id} is not of this store, or was dropped"))
}
