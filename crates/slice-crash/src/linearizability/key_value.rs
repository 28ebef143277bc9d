//! A key-value store as a model: reads, writes of one or several keys, syncs and power failures.
//!
//! The state holds, beside the values, those that a power failure may go back to:
//!
//! ```text
//!   put 1 (durable)   put 2    put 3                  crash
//!   values       1        2        3                  any of 1, 2, 3
//!   fallbacks    {}      {1}    {1, 2}                {}
//! ```

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use super::{Model, Operation};

/// What a client of a key-value store did, and was told. Keys are counted from 0; values are numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A key was read.
    Get {
        /// The key.
        key: usize,
        /// What was there.
        found: Option<u64>,
    },
    /// Keys were written at once, `None` for a deletion; the last entry of a key counts.
    Write(Vec<(usize, Option<u64>)>),
    /// All that was written before became durable.
    Sync,
    /// The power failed. What was not durable may be gone, from the end.
    Crash,
}

impl Action {
    /// A read, with what was there.
    pub fn get(key: usize, found: Option<u64>) -> Self {
        Self::Get { key, found }
    }

    /// A write of one key.
    pub fn put(key: usize, value: u64) -> Self {
        Self::Write(vec![(key, Some(value))])
    }

    /// A deletion of one key.
    pub fn delete(key: usize) -> Self {
        Self::Write(vec![(key, None)])
    }

    /// The keys that it is about; none for what is about all.
    pub fn keys(&self) -> Vec<usize> {
        match self {
            Self::Get { key, .. } => vec![*key],
            Self::Write(entries) => entries.iter().map(|(key, _)| *key).collect(),
            Self::Sync | Self::Crash => Vec::new(),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |(key, value): &(usize, Option<u64>)| match value {
            Some(value) => format!("put k{key}={value}"),
            None => format!("delete k{key}"),
        };
        match self {
            Self::Get { key, found: Some(value) } => write!(f, "get k{key}: {value}"),
            Self::Get { key, found: None } => write!(f, "get k{key}: nothing"),
            Self::Write(entries) => f.write_str(&entries.iter().map(entry).collect::<Vec<_>>().join(", ")),
            Self::Sync => f.write_str("sync"),
            Self::Crash => f.write_str("CRASH"),
        }
    }
}

/// What an acknowledgement of a write means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// A power failure may undo it, until a [`Action::Sync`].
    Buffered,
    /// Nothing undoes it.
    Durable,
}

/// A key-value store.
#[derive(Clone, Debug)]
pub struct KeyValue {
    keys: usize,
    promise: Promise,
    /// When the power failures were, the first one first.
    crashes: Vec<Crash>,
    /// Whether each value is written once: overwritten, it does not come back before a power failure.
    is_unique: bool,
    /// All that was read.
    read: Reads,
    /// Keys that certainly held a value at some time between these two.
    held: Vec<(usize, u64, u64)>,
}

/// Keys, with what was found.
type Reads = HashSet<(usize, Option<u64>)>;

#[derive(Clone, Debug)]
struct Crash {
    called: u64,
    /// All that was read later.
    read: Reads,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Slot {
    Holds(Option<u64>),
    /// Something that nobody reads any more. All such states are one, which keeps a search small.
    Unread,
}

type Values = Vec<Slot>;

/// The state of a [`KeyValue`] store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyValueState {
    values: Values,
    /// What else may be there after the next power failure.
    fallbacks: BTreeSet<Values>,
    /// How many power failures there have been.
    crashes: usize,
}

impl KeyValue {
    /// The store that a history is about, empty at first.
    pub fn of(history: &[Operation<Action>], promise: Promise) -> Self {
        let actions = || history.iter().map(|operation| &operation.action);
        let keys = actions().flat_map(Action::keys).max().map_or(0, |key| key + 1);
        let crashes = history.iter().filter(|operation| operation.action == Action::Crash);
        let mut crashes: Vec<_> =
            crashes.map(|crash| Crash { called: crash.called, read: reads(history, crash.called) }).collect();
        crashes.sort_by_key(|crash| crash.called);
        let mut written = HashSet::new();
        let is_unique = actions().all(|action| match action {
            Action::Write(entries) => entries.iter().all(|entry| entry.1.is_none() || written.insert(*entry)),
            _ => true,
        });
        Self { keys, promise, crashes, is_unique, read: reads(history, 0), held: held(history) }
    }

    /// Whether a read that found nothing may have that from a deletion: not if a value was put in between.
    fn may_have_deleted(&self, key: usize, deletion: &Operation<Action>, read: &Operation<Action>) -> bool {
        let is_between = |(held, called, returned): &(usize, u64, u64)| {
            *held == key && deletion.returned < *called && *returned < read.called
        };
        !self.crashes.is_empty() || !self.held.iter().any(is_between)
    }

    fn write(&self, state: &KeyValueState, entries: &[(usize, Option<u64>)], certain: bool) -> KeyValueState {
        let mut next = state.clone();
        if let Some(crash) = self.crashes.get(state.crashes) {
            next.fallbacks.insert(after(crash, &state.values));
        }
        if certain && self.promise == Promise::Durable {
            next.fallbacks.clear();
        }
        for (key, value) in entries {
            next.values[*key] = Slot::Holds(*value);
        }
        next
    }

    fn crash(&self, state: &KeyValueState) -> Vec<KeyValueState> {
        let Some(crash) = self.crashes.get(state.crashes) else { return Vec::new() };
        let mut left = state.fallbacks.clone();
        left.insert(after(crash, &state.values));
        let crashed =
            |values| KeyValueState { values, fallbacks: BTreeSet::new(), crashes: state.crashes + 1 };
        left.into_iter().map(crashed).collect()
    }
}

/// The keys that were put, and when.
fn held(history: &[Operation<Action>]) -> Vec<(usize, u64, u64)> {
    let puts = history.iter().filter_map(|operation| match &operation.action {
        Action::Write(entries) if operation.certain && entries.iter().all(|(_, value)| value.is_some()) => {
            Some(entries.iter().map(|(key, _)| (*key, operation.called, operation.returned)))
        }
        _ => None,
    });
    puts.flatten().collect()
}

/// What was read, the answer not before this time.
fn reads(history: &[Operation<Action>], since: u64) -> Reads {
    let later = history.iter().filter(|operation| operation.returned >= since);
    let read = later.filter_map(|operation| match operation.action {
        Action::Get { key, found } => Some((key, found)),
        _ => None,
    });
    read.collect()
}

/// What the values are to those who read them after a power failure.
fn after(crash: &Crash, values: &Values) -> Values {
    let seen = |(key, slot): (usize, &Slot)| match slot {
        Slot::Holds(value) if crash.read.contains(&(key, *value)) => *slot,
        _ => Slot::Unread,
    };
    values.iter().enumerate().map(seen).collect()
}

impl Model for KeyValue {
    type Action = Action;
    type State = KeyValueState;

    fn start(&self) -> KeyValueState {
        KeyValueState { values: vec![Slot::Holds(None); self.keys], fallbacks: BTreeSet::new(), crashes: 0 }
    }

    fn apply(&self, state: &KeyValueState, operation: &Operation<Action>) -> Vec<KeyValueState> {
        match &operation.action {
            Action::Get { key, found } if state.values[*key] == Slot::Holds(*found) => vec![state.clone()],
            Action::Get { .. } => Vec::new(),
            Action::Write(entries) => vec![self.write(state, entries, operation.certain)],
            Action::Sync => vec![KeyValueState { fallbacks: BTreeSet::new(), ..state.clone() }],
            Action::Crash => self.crash(state),
        }
    }

    fn is_read(&self, action: &Action) -> bool {
        matches!(action, Action::Get { .. })
    }

    fn forbids(&self, state: &KeyValueState, awaited: &Operation<Action>, next: &Operation<Action>) -> bool {
        let (Action::Get { key, found }, Action::Write(entries)) = (&awaited.action, &next.action) else {
            return false;
        };
        // A power failure may bring it back.
        let comes_too_late =
            self.crashes.get(state.crashes).is_some_and(|crash| awaited.returned >= crash.called);
        let is_there = found.is_some() && state.values[*key] == Slot::Holds(*found);
        self.is_unique && !comes_too_late && is_there && entries.iter().any(|(written, _)| written == key)
    }

    fn is_unseen(&self, action: &Action) -> bool {
        let Action::Write(entries) = action else { return false };
        entries.iter().all(|entry| !self.read.contains(entry))
    }

    fn replaces(&self, next: &Action, first: &Action) -> bool {
        let (Action::Write(next), Action::Write(first)) = (next, first) else { return false };
        first.iter().all(|(key, _)| next.iter().any(|(replaced, _)| replaced == key))
    }

    fn depends(&self, other: &Operation<Action>, gone: &Operation<Action>) -> bool {
        match (&gone.action, &other.action) {
            (Action::Write(entries), Action::Get { key, found: None }) => {
                entries.contains(&(*key, None)) && self.may_have_deleted(*key, gone, other)
            }
            (Action::Write(entries), Action::Get { key, found }) => entries.contains(&(*key, *found)),
            // Without the power failure, all that came after it is another story.
            (Action::Crash, _) => other.certain && !other.precedes(gone),
            _ => false,
        }
    }
}
