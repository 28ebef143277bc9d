//! The model: an ordered map, and how much of its history is sure to survive a power failure.
//!
//! ```text
//!   commits   ───────── durable ─────────┬── unsynced ──┐
//!                                        │  A    B   C  │    after a crash the store holds `durable`,
//!                                     durable           contents   or that and A, or A and B, or all three
//! ```
//!
//! A crash does not change the model: the store under test finds out which of the states it came back in, and does
//! again what was lost, as a client would. So the model needs no guess, and a sequence of steps has one outcome.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds, RangeInclusive};
use std::sync::Arc;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, Sequential};
use slice::Background;
use slice::planted::Bug;
use slice::vfs::LogKind;

use crate::alphabet::{Key, Value};
use crate::ops::{Look, Op, Write, any_op, bounds};
use crate::settings::{Settings, log_kind, settings};

/// What a store holds.
pub(crate) type Contents = BTreeMap<Arc<[u8]>, Held>;

/// Keys with their values, in the order in which a scan gives them.
pub(crate) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// What a key has: a value, for ever or for a time, and what was merged since.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    base: Option<Value>,
    /// When the base expires, if it does.
    expiry_ms: Option<u64>,
    operands: Vec<Value>,
}

impl Held {
    /// The value at a time.
    pub(crate) fn at(&self, now_ms: u64) -> Option<Vec<u8>> {
        let base = self.base.filter(|_| self.expiry_ms.is_none_or(|expiry_ms| now_ms < expiry_ms));
        if base.is_none() && self.operands.is_empty() {
            return None;
        }
        Some(base.iter().chain(&self.operands).flat_map(|value| value.bytes()).collect())
    }
}

/// Writes that are visible together, and when they were written.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) writes: Vec<Write>,
    pub(crate) now_ms: u64,
}

/// What the store must hold, and what it may fall back to.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) log_kind: LogKind,
    pub(crate) background: Background,
    /// Of the open store.
    pub(crate) settings: Settings,
    /// What the clock shows; it never goes back.
    pub(crate) now_ms: u64,
    pub(crate) contents: Contents,
    /// The contents when each of the snapshots was taken.
    pub(crate) snapshots: Vec<Contents>,
    /// The contents when it was last certain that all was durable.
    pub(crate) durable: Contents,
    /// What was committed since.
    pub(crate) unsynced: Vec<Commit>,
}

impl Model {
    pub(crate) fn new(log_kind: LogKind, background: Background, settings: Settings) -> Self {
        let (contents, durable) = (Contents::new(), Contents::new());
        let (snapshots, unsynced) = (Vec::new(), Vec::new());
        Self { log_kind, background, settings, now_ms: 0, contents, snapshots, durable, unsynced }
    }

    /// Does a step.
    pub(crate) fn apply(&mut self, op: &Op) {
        match op {
            Op::Write(write) => self.commit(std::slice::from_ref(write)),
            Op::Batch(writes) => self.commit(writes),
            Op::Ingest(pairs) => self.ingest(pairs),
            Op::Pass(ms) => self.now_ms += ms,
            Op::Get(_) | Op::Scan(_) | Op::LookBack(..) | Op::ClearCache => {}
            Op::Snapshot => self.snapshots.push(self.contents.clone()),
            Op::Release(which) => drop(one_of(*which, &self.snapshots).map(|at| self.snapshots.remove(at))),
            Op::Crash(_) => self.snapshots.clear(),
            Op::Sync | Op::Flush | Op::Compact => self.all_is_durable(),
            // What an open has replayed from logs, it has synced.
            Op::Reopen(_, next) => {
                self.settings = self.settings.succeeded_by(Settings::clone(next));
                self.snapshots.clear();
                self.all_is_durable();
            }
        }
    }

    fn commit(&mut self, writes: &[Write]) {
        let commit = Commit { writes: writes.to_vec(), now_ms: self.now_ms };
        apply_commit(&mut self.contents, &commit);
        self.unsynced.push(commit);
        if self.settings.is_durable_at_once() {
            self.all_is_durable();
        }
    }

    /// What is loaded is durable, and so is all before it.
    fn ingest(&mut self, pairs: &[(Key, Value)]) {
        let writes: Vec<_> = pairs.iter().map(|(key, value)| Write::Put(*key, *value)).collect();
        if !writes.is_empty() {
            self.commit(&writes);
            self.all_is_durable();
        }
    }

    fn all_is_durable(&mut self) {
        self.durable = self.contents.clone();
        self.unsynced.clear();
    }
}

/// The place that a number of any size means.
pub(crate) fn one_of<T>(which: usize, of: &[T]) -> Option<usize> {
    which.checked_rem(of.len())
}

/// What a scan gives.
pub(crate) fn scan(contents: &Contents, look: &Look, now_ms: u64) -> Pairs {
    let (lower, upper) = look.bounds();
    let within = contents.range::<[u8], _>((Bound::Included(&lower[..]), Bound::Included(&upper[..])));
    let mut pairs: Pairs = within.filter_map(|(key, held)| Some((key.to_vec(), held.at(now_ms)?))).collect();
    if look.is_backward {
        pairs.reverse();
    }
    pairs.truncate(look.take);
    pairs
}

pub(crate) fn apply_commit(contents: &mut Contents, commit: &Commit) {
    for write in &commit.writes {
        let put = |base: &Value, expiry_ms| Held { base: Some(*base), expiry_ms, operands: Vec::new() };
        match write {
            Write::Put(key, value) => drop(contents.insert(key.bytes(), put(value, None))),
            Write::PutFor(key, value, ms) => {
                contents.insert(key.bytes(), put(value, Some(commit.now_ms + ms)));
            }
            Write::Merge(key, value) => contents.entry(key.bytes()).or_default().operands.push(*value),
            Write::Delete(key) => drop(contents.remove(&key.bytes())),
            Write::DeleteRange(start, end) => {
                contents.retain(|key, _| !bounds(*start, *end).contains(key));
            }
        }
    }
}

/// The model as proptest wants it.
#[derive(Debug)]
pub(crate) struct Reference;

impl ReferenceStateMachine for Reference {
    type State = Model;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Model> {
        initial(Background::Inline, None)
    }

    fn transitions(model: &Model) -> BoxedStrategy<Op> {
        any_op(model.background)
    }

    fn apply(mut model: Model, op: &Op) -> Model {
        model.apply(op);
        model
    }
}

fn initial(background: Background, planted: Option<Bug>) -> BoxedStrategy<Model> {
    (log_kind(), settings(background))
        .prop_map(move |(kind, settings)| Model::new(kind, background, settings.plant(planted)))
        .boxed()
}

/// Sequences of so many steps, on stores of this kind, with or without a planted bug.
pub(crate) type Machine = Sequential<Model, Op, BoxedStrategy<Model>, BoxedStrategy<Op>>;

pub(crate) fn machine(background: Background, planted: Option<Bug>, steps: RangeInclusive<usize>) -> Machine {
    Sequential::new(
        steps.into(),
        move || initial(background, planted),
        Reference::preconditions,
        Reference::transitions,
        Reference::apply,
    )
}
