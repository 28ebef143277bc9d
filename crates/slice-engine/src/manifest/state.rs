//! What a database consists of: the sum of all edits.

use std::collections::BTreeMap;
use std::sync::Arc;

use slice_compaction::TableMeta;
use slice_types::{Error, KeyspaceId, Level, LogNumber, RangeTombstone, Result, SeqNo, TableId};

use super::Edit;
use crate::options::LEVELS_MAX;

/// How many levels there are without any table.
const LEVELS_MIN: usize = 2;

/// The name of the keyspace that every database has.
pub(crate) const DEFAULT_NAME: &str = "default";

/// What a database consists of, as the manifest says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) keyspaces: BTreeMap<KeyspaceId, KeyspaceState>,
    /// The number that the next keyspace gets: none is used again, so entries in a log are never taken for another's.
    pub(crate) next_keyspace: KeyspaceId,
    /// The logs below this number are needed by no keyspace, whatever its own first one.
    pub(crate) oldest_log: LogNumber,
    /// The number that the next table gets.
    pub(crate) next_table: TableId,
    /// All sequence numbers up to this are taken.
    pub(crate) last_seqno: SeqNo,
    /// Where recovered logs end, whatever bytes lie behind: decided once, so that every later recovery agrees.
    pub(crate) log_ends: BTreeMap<LogNumber, u64>,
}

/// A keyspace's part of a [`State`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyspaceState {
    pub(crate) name: String,
    /// The logs below this number are in tables or were cleared away: for this keyspace they do not count any more.
    pub(crate) first_log: LogNumber,
    pub(crate) levels: LevelTables,
    /// The range tombstones that some table may need, by the numbers of their writes.
    pub(crate) range_tombstones: BTreeMap<SeqNo, RangeTombstone>,
}

/// The tables of each level: level 0 oldest first, the others by key.
pub(crate) type LevelTables = Vec<Vec<Arc<TableMeta>>>;

impl State {
    /// A database with nothing in it but the default keyspace.
    pub(crate) fn empty() -> Self {
        let default = KeyspaceState::new(DEFAULT_NAME.to_owned());
        Self {
            keyspaces: BTreeMap::from([(KeyspaceId::DEFAULT, default)]),
            next_keyspace: KeyspaceId(1),
            oldest_log: LogNumber(0),
            next_table: TableId(1),
            last_seqno: SeqNo::ZERO,
            log_ends: BTreeMap::new(),
        }
    }

    /// A database of which nothing is known yet: the first edit of a manifest is applied to this.
    pub(crate) fn unknown() -> Self {
        Self { keyspaces: BTreeMap::new(), ..Self::empty() }
    }

    /// The logs below this number are needed by no keyspace.
    pub(crate) fn first_log(&self) -> LogNumber {
        let first = self.keyspaces.values().map(|keyspace| keyspace.first_log).min().unwrap_or_default();
        first.max(self.oldest_log)
    }

    /// The first log that counts for a keyspace; `None` for one that was dropped.
    ///
    /// # Errors
    ///
    /// Corruption for one that never was.
    pub(crate) fn first_log_of(&self, id: KeyspaceId) -> Result<Option<LogNumber>> {
        match self.keyspaces.get(&id) {
            Some(keyspace) => Ok(Some(keyspace.first_log.max(self.oldest_log))),
            None if id < self.next_keyspace => Ok(None),
            None => Err(Error::corruption(format!("the log names keyspace {id}, which never was"))),
        }
    }

    /// Every table, with its keyspace and level.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (KeyspaceId, Level, &Arc<TableMeta>)> {
        self.keyspaces.iter().flat_map(|(id, keyspace)| {
            keyspace
                .levels
                .iter()
                .zip(0_u8..)
                .flat_map(move |(tables, level)| tables.iter().map(move |table| (*id, Level(level), table)))
        })
    }

    /// Every range tombstone, with its keyspace.
    fn range_tombstones(&self) -> impl Iterator<Item = (KeyspaceId, RangeTombstone)> {
        self.keyspaces.iter().flat_map(|(id, keyspace)| {
            keyspace.range_tombstones.values().map(move |tombstone| (*id, tombstone.clone()))
        })
    }

    /// The edit that makes this state out of [`State::unknown`].
    pub(crate) fn snapshot(&self) -> Edit {
        Edit {
            keyspaces: self.keyspaces.iter().map(|(id, keyspace)| (*id, keyspace.name.clone())).collect(),
            first_logs: self.keyspaces.iter().map(|(id, keyspace)| (*id, keyspace.first_log)).collect(),
            removed: Vec::new(),
            added: self.tables().map(|(id, level, table)| (id, level, Arc::clone(table))).collect(),
            next_table: Some(self.next_table),
            last_seqno: Some(self.last_seqno),
            log_ends: self.log_ends.iter().map(|(log, len)| (*log, *len)).collect(),
            tombstones_added: self.range_tombstones().collect(),
            tombstones_removed: Vec::new(),
            dropped: Vec::new(),
            next_keyspace: Some(self.next_keyspace),
            oldest_log: Some(self.oldest_log),
        }
    }

    /// The state after an edit.
    ///
    /// # Errors
    ///
    /// Corruption when the edit does not fit: a table or a range tombstone added twice or removed without being there,
    /// a keyspace that does not exist or exists already, levels out of order.
    pub(crate) fn apply(&self, edit: &Edit) -> Result<Self> {
        let mut state = self.clone();
        for (id, name) in &edit.keyspaces {
            state.create(*id, name)?;
        }
        for id in &edit.dropped {
            state.drop_keyspace(*id)?;
        }
        for (id, log) in &edit.first_logs {
            let keyspace = state.keyspace_mut(*id)?;
            keyspace.first_log = keyspace.first_log.max(*log);
        }
        for (id, table) in &edit.removed {
            state.keyspace_mut(*id)?.remove(*table)?;
        }
        for (id, level, table) in &edit.added {
            state.keyspace_mut(*id)?.add(*level, Arc::clone(table))?;
            state.next_table = state.next_table.max(TableId(table.id.0 + 1));
            state.last_seqno = state.last_seqno.max(table.max_seqno);
        }
        for (id, tombstone) in &edit.tombstones_added {
            state.keyspace_mut(*id)?.add_tombstone(tombstone)?;
            state.last_seqno = state.last_seqno.max(tombstone.seqno);
        }
        for (id, seqno) in &edit.tombstones_removed {
            state.keyspace_mut(*id)?.remove_tombstone(*seqno)?;
        }
        state.next_table = state.next_table.max(edit.next_table.unwrap_or_default());
        state.last_seqno = state.last_seqno.max(edit.last_seqno.unwrap_or_default());
        state.next_keyspace = state.next_keyspace.max(edit.next_keyspace.unwrap_or_default());
        state.oldest_log = state.oldest_log.max(edit.oldest_log.unwrap_or_default());
        state.log_ends.extend(edit.log_ends.iter().copied());
        state.settle()?;
        Ok(state)
    }

    fn create(&mut self, id: KeyspaceId, name: &str) -> Result<()> {
        if self.keyspaces.contains_key(&id) || self.keyspaces.values().any(|other| other.name == name) {
            return Err(Error::corruption(format!("the manifest makes keyspace {id}, {name:?}, twice")));
        }
        let next = id.0.checked_add(1).map(KeyspaceId);
        let next = next.ok_or_else(|| Error::corruption("the numbers of keyspaces are used up"))?;
        self.next_keyspace = self.next_keyspace.max(next);
        self.keyspaces.insert(id, KeyspaceState::new(name.to_owned()));
        Ok(())
    }

    fn drop_keyspace(&mut self, id: KeyspaceId) -> Result<()> {
        if id == KeyspaceId::DEFAULT || self.keyspaces.remove(&id).is_none() {
            return Err(Error::corruption(format!(
                "the manifest drops keyspace {id}, which is not to be dropped"
            )));
        }
        Ok(())
    }

    fn keyspace_mut(&mut self, id: KeyspaceId) -> Result<&mut KeyspaceState> {
        self.keyspaces
            .get_mut(&id)
            .ok_or_else(|| Error::corruption(format!("the manifest names keyspace {id} before it exists")))
    }

    /// Puts levels in order, checks them, and forgets the ends of logs that do not count any more.
    fn settle(&mut self) -> Result<()> {
        for keyspace in self.keyspaces.values_mut() {
            keyspace.settle()?;
        }
        let first = self.first_log();
        self.log_ends.retain(|log, _| *log >= first);
        Ok(())
    }
}

impl KeyspaceState {
    /// With nothing in it.
    fn new(name: String) -> Self {
        Self {
            name,
            first_log: LogNumber(0),
            levels: vec![Vec::new(); LEVELS_MIN],
            range_tombstones: BTreeMap::new(),
        }
    }

    fn add(&mut self, level: Level, table: Arc<TableMeta>) -> Result<()> {
        if self.levels.iter().flatten().any(|other| other.id == table.id) {
            return Err(Error::corruption(format!("the manifest adds table {} twice", table.id)));
        }
        if level.index() >= LEVELS_MAX {
            return Err(Error::corruption(format!("the manifest puts table {} on level {level}", table.id)));
        }
        if self.levels.len() <= level.index() {
            self.levels.resize(level.index() + 1, Vec::new());
        }
        if let Some(tables) = self.levels.get_mut(level.index()) {
            tables.push(table);
        }
        Ok(())
    }

    fn remove(&mut self, id: TableId) -> Result<()> {
        for tables in &mut self.levels {
            if let Some(at) = tables.iter().position(|table| table.id == id) {
                tables.remove(at);
                return Ok(());
            }
        }
        Err(Error::corruption(format!("the manifest removes table {id}, which it never added")))
    }

    fn add_tombstone(&mut self, tombstone: &RangeTombstone) -> Result<()> {
        let seqno = tombstone.seqno;
        if self.range_tombstones.insert(seqno, tombstone.clone()).is_none() {
            return Ok(());
        }
        Err(Error::corruption(format!("the manifest adds the range tombstone {seqno} twice")))
    }

    fn remove_tombstone(&mut self, seqno: SeqNo) -> Result<()> {
        if self.range_tombstones.remove(&seqno).is_some() {
            return Ok(());
        }
        Err(Error::corruption(format!(
            "the manifest removes the range tombstone {seqno}, which it never added"
        )))
    }

    fn settle(&mut self) -> Result<()> {
        for (level, tables) in self.levels.iter_mut().enumerate() {
            if level == 0 {
                tables.sort_by_key(|table| table.max_seqno);
                continue;
            }
            tables.sort_by(|left, right| left.smallest.cmp(&right.smallest));
            for pair in tables.windows(2) {
                let [left, right] = pair else { continue };
                if left.largest >= right.smallest {
                    return Err(Error::corruption(format!(
                        "tables {} and {} of level {level} overlap",
                        left.id, right.id
                    )));
                }
            }
        }
        // A snapshot names tables only: as many levels as it would give, so that equal states are equal.
        let depth = self.levels.iter().rposition(|tables| !tables.is_empty()).map_or(0, |last| last + 1);
        self.levels.truncate(depth.max(LEVELS_MIN));
        Ok(())
    }
}
