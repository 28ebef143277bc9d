//! What is done to a store, one step after the other.
//!
//! A new kind of step is a variant here, an arm in `Model::apply` and one in `Store::apply`.

use std::ops::Bound;
use std::sync::Arc;

use proptest::prelude::*;
use slice::Background;

use crate::alphabet::{Key, Probe, Value, key, probe, value};
use crate::settings::{Settings, settings};

/// A step.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Write(Write),
    /// Several writes, of which all or none survive a crash.
    Batch(Vec<Write>),
    /// Pairs that are sorted and loaded in bulk, of each key the last one.
    Ingest(Vec<(Key, Value)>),
    Get(Probe),
    Scan(Look),
    /// Takes a snapshot, to be kept until the store is left.
    Snapshot,
    /// Lets go of one of the snapshots, if there are any.
    Release(usize),
    /// Scans one of the snapshots, if there are any.
    LookBack(usize, Look),
    /// So many milliseconds go by.
    Pass(u64),
    ClearCache,
    Sync,
    Flush,
    Compact,
    Reopen(Leave, Box<Settings>),
    Crash(Crash),
}

/// What is scanned, and how.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    ends: (Probe, Probe),
    pub(crate) is_backward: bool,
    /// The most entries that are taken.
    pub(crate) take: usize,
}

impl Look {
    /// The lower and the upper end, both included.
    pub(crate) fn bounds(&self) -> (Vec<u8>, Vec<u8>) {
        let (one, other) = (self.ends.0.bytes(), self.ends.1.bytes());
        if one < other { (one, other) } else { (other, one) }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Write {
    Put(Key, Value),
    /// For so many milliseconds.
    PutFor(Key, Value, u64),
    /// Appended to what there is.
    Merge(Key, Value),
    Delete(Key),
    /// From the first key to before the second one, or to the end.
    DeleteRange(Key, Option<Key>),
}

impl Write {
    /// The deletion of what lies between two keys, or from one on.
    fn range(one: Key, other: Option<Key>) -> Self {
        match other {
            Some(end) if end.bytes() < one.bytes() => Self::DeleteRange(end, Some(one)),
            end => Self::DeleteRange(one, end),
        }
    }
}

type KeyBound = Bound<Arc<[u8]>>;

/// Bounds of a deletion.
pub(crate) fn bounds(start: Key, end: Option<Key>) -> (KeyBound, KeyBound) {
    (Bound::Included(start.bytes()), end.map_or(Bound::Unbounded, |end| Bound::Excluded(end.bytes())))
}

/// How a store is left.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leave {
    Drop,
    Close,
}

/// A power failure, and an open of what it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    /// The probability that a change that was not synced is kept.
    pub(crate) keep: f64,
    /// Chooses which ones.
    pub(crate) seed: u64,
}

impl Op {
    /// Whether it moves, forgets or reloads data: all of it is looked at then.
    pub(crate) const fn is_upkeep(&self) -> bool {
        matches!(self, Self::Ingest(_) | Self::Flush | Self::Compact | Self::Reopen(..) | Self::Crash(_))
    }
}

/// A step that every store answers alike.
pub(crate) fn repeatable(background: Background) -> impl Strategy<Value = Op> {
    let reopen = (leave(), settings(background)).prop_map(|(leave, next)| Op::Reopen(leave, Box::new(next)));
    prop_oneof![
        24 => write().prop_map(Op::Write),
        8 => prop::collection::vec(write(), 0..8).prop_map(Op::Batch),
        24 => probe().prop_map(Op::Get),
        10 => look().prop_map(Op::Scan),
        3 => Just(Op::Snapshot),
        2 => any::<usize>().prop_map(Op::Release),
        6 => (any::<usize>(), look()).prop_map(|(which, look)| Op::LookBack(which, look)),
        3 => (0..20_u64).prop_map(Op::Pass),
        3 => Just(Op::ClearCache),
        3 => Just(Op::Sync),
        6 => Just(Op::Flush),
        2 => Just(Op::Compact),
        2 => prop::collection::vec((key(), value()), 1..12).prop_map(Op::Ingest),
        3 => reopen,
    ]
}

/// Any step.
pub(crate) fn any_op(background: Background) -> BoxedStrategy<Op> {
    prop_oneof![
        24 => repeatable(background),
        1 => crash().prop_map(Op::Crash),
    ]
    .boxed()
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        6 => (key(), value()).prop_map(|(key, value)| Write::Put(key, value)),
        2 => (key(), value(), 0..40_u64).prop_map(|(key, value, ms)| Write::PutFor(key, value, ms)),
        3 => (key(), value()).prop_map(|(key, value)| Write::Merge(key, value)),
        2 => key().prop_map(Write::Delete),
        1 => (key(), prop::option::weighted(0.8, key())).prop_map(|(one, other)| Write::range(one, other)),
    ]
}

fn look() -> impl Strategy<Value = Look> {
    let take = prop_oneof![1 => 0..4_usize, 3 => Just(usize::MAX)];
    let look = ((probe(), probe()), any::<bool>(), take);
    look.prop_map(|(ends, is_backward, take)| Look { ends, is_backward, take })
}

fn leave() -> impl Strategy<Value = Leave> {
    prop_oneof![Just(Leave::Drop), Just(Leave::Close)]
}

fn crash() -> impl Strategy<Value = Crash> {
    (prop_oneof![Just(1.0), Just(0.5), Just(0.0)], any::<u64>()).prop_map(|(keep, seed)| Crash { keep, seed })
}
