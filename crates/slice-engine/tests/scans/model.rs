//! Scans at every sequence number against a map of versions, through flushes and compactions.
//!
//! The model keeps, for each key, all that was ever written to it. A scan at snapshot `n` has to give what the model had
//! after `n` writes: in both directions, within random bounds, from random places.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;
use slice::Result;
use slice::blocking::{LSMTree, Scan, Snapshot};

use crate::support::builder;

/// Keys of few letters, so that they come again, and are prefixes of one another; some with the same bytes in front, so
/// that keys are told apart within and behind the sixteen bytes that are compared at once.
fn key() -> impl Strategy<Value = Vec<u8>> {
    let front = prop_oneof![4 => Just(0), 1 => Just(14), 1 => Just(17)];
    let letters = vec(prop::sample::select(vec![0_u8, b'a', b'b', 0xff]), 0..3);
    (front, letters).prop_map(|(front, letters)| [vec![b'a'; front], letters].concat())
}

#[derive(Clone, Debug)]
enum Op {
    Put(Vec<u8>, u8),
    Delete(Vec<u8>),
    DeleteRange(Bounds),
    Flush,
    Compact,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (key(), any::<u8>()).prop_map(|(key, value)| Op::Put(key, value)),
        6 => key().prop_map(Op::Delete),
        3 => (bound(), bound()).prop_map(Op::DeleteRange),
        2 => Just(Op::Flush),
        1 => Just(Op::Compact),
    ]
}

type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;
type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![key().prop_map(Bound::Included), key().prop_map(Bound::Excluded), Just(Bound::Unbounded)]
}

/// One look at a snapshot: a range, from which end each entry is taken, and seeks before some of them.
#[derive(Clone, Debug)]
struct Look {
    at: prop::sample::Index,
    bounds: Bounds,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Next,
    NextBack,
    NextRef,
    NextBackRef,
    Seek(Vec<u8>),
    SeekBack(Vec<u8>),
}

fn look() -> impl Strategy<Value = Look> {
    let step = prop_oneof![
        3 => Just(Step::Next),
        3 => Just(Step::NextBack),
        3 => Just(Step::NextRef),
        3 => Just(Step::NextBackRef),
        1 => key().prop_map(Step::Seek),
        1 => key().prop_map(Step::SeekBack),
    ];
    let look = (any::<prop::sample::Index>(), (bound(), bound()), vec(step, 0..24));
    look.prop_map(|(at, bounds, steps)| Look { at, bounds, steps })
}

/// What both ends of a scan have left, by the model.
struct Expected {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    bounds: Bounds,
    /// How far each end has come, as a bound of what is left.
    front: Bound<Vec<u8>>,
    back: Bound<Vec<u8>>,
}

impl Expected {
    fn new(pairs: &Pairs, bounds: &Bounds) -> Self {
        let pairs = pairs.clone().into_iter().collect();
        Self { pairs, bounds: bounds.clone(), front: bounds.0.clone(), back: bounds.1.clone() }
    }

    fn left(&self) -> impl DoubleEndedIterator<Item = &(Vec<u8>, Vec<u8>)> {
        self.pairs.iter().filter(|(key, _)| is_within(key, &self.front, &self.back))
    }

    /// Takes an entry. An end that finds none has come to where the other is, and stays at its end.
    fn next(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let pair = self.left().next().cloned()?;
        self.front = Bound::Excluded(pair.0.clone());
        Some(pair)
    }

    fn next_back(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        let pair = self.left().next_back().cloned()?;
        self.back = Bound::Excluded(pair.0.clone());
        Some(pair)
    }

    fn seek(&mut self, key: &[u8]) {
        let before = !is_within(key, &self.bounds.0, &Bound::Unbounded);
        self.front = if before { self.bounds.0.clone() } else { Bound::Included(key.to_vec()) };
    }

    fn seek_back(&mut self, key: &[u8]) {
        let behind = !is_within(key, &Bound::Unbounded, &self.bounds.1);
        self.back = if behind { self.bounds.1.clone() } else { Bound::Included(key.to_vec()) };
    }
}

fn is_within(key: &[u8], lower: &Bound<Vec<u8>>, upper: &Bound<Vec<u8>>) -> bool {
    let above = match lower {
        Bound::Included(lower) => key >= &lower[..],
        Bound::Excluded(lower) => key > &lower[..],
        Bound::Unbounded => true,
    };
    above
        && match upper {
            Bound::Included(upper) => key <= &upper[..],
            Bound::Excluded(upper) => key < &upper[..],
            Bound::Unbounded => true,
        }
}

fn is_reversed((lower, upper): &Bounds) -> bool {
    match (lower, upper) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Excluded(lower), Bound::Excluded(upper)) => lower >= upper,
        (
            Bound::Included(lower) | Bound::Excluded(lower),
            Bound::Included(upper) | Bound::Excluded(upper),
        ) => lower > upper,
    }
}

fn owned<B: AsRef<[u8]>>(entry: Result<(B, B)>) -> Result<(Vec<u8>, Vec<u8>)> {
    entry.map(|(key, value)| (key.as_ref().to_vec(), value.as_ref().to_vec()))
}

fn check(scan: &mut Scan, expected: &mut Expected, steps: &[Step]) -> Result<()> {
    for (number, step) in steps.iter().enumerate() {
        let (found, want) = match step {
            Step::Next => (scan.next().map(owned), expected.next()),
            Step::NextBack => (scan.next_back().map(owned), expected.next_back()),
            Step::NextRef => (scan.next_ref().map(owned), expected.next()),
            Step::NextBackRef => (scan.next_back_ref().map(owned), expected.next_back()),
            Step::Seek(key) => {
                scan.seek(key);
                expected.seek(key);
                continue;
            }
            Step::SeekBack(key) => {
                scan.seek_back(key);
                expected.seek_back(key);
                continue;
            }
        };
        assert_eq!(found.transpose()?, want, "step {number}, {step:?}");
        if want.is_none() {
            // What an exhausted end does once the other one moves away is not promised.
            return Ok(());
        }
    }
    Ok(())
}

fn check_whole(snapshot: &Snapshot, want: &Pairs) -> Result<()> {
    let forward = snapshot.iter().map(owned).collect::<Result<Vec<_>>>()?;
    let mut backward = snapshot.iter().rev().map(owned).collect::<Result<Vec<_>>>()?;
    backward.reverse();
    assert_eq!(forward, want.clone().into_iter().collect::<Vec<_>>());
    assert_eq!(forward, backward);
    Ok(())
}

fn apply(lsm: &LSMTree, pairs: &mut Pairs, op: &Op) -> Result<()> {
    match op {
        Op::Put(key, value) => {
            pairs.insert(key.clone(), vec![*value]);
            lsm.put(key, &[*value])
        }
        Op::Delete(key) => {
            pairs.remove(key);
            lsm.delete(key)
        }
        Op::DeleteRange(bounds) if is_reversed(bounds) => Ok(()),
        Op::DeleteRange(bounds) => {
            pairs.retain(|key, _| !is_within(key, &bounds.0, &bounds.1));
            lsm.delete_range(bounds.clone())
        }
        Op::Flush => lsm.flush(),
        Op::Compact => lsm.compact(),
    }
}

fn run(ops: &[Op], looks: &[Look]) -> Result<()> {
    let lsm = builder().block_size(64).open_blocking()?;
    let mut pairs = Pairs::new();
    let mut moments = vec![(lsm.snapshot(), pairs.clone())];
    for op in ops {
        apply(&lsm, &mut pairs, op)?;
        moments.push((lsm.snapshot(), pairs.clone()));
    }
    for (snapshot, pairs) in &moments {
        check_whole(snapshot, pairs)?;
    }
    for look in looks {
        let (snapshot, pairs) = look.at.get(&moments);
        let mut scan = snapshot.range(look.bounds.clone());
        if is_reversed(&look.bounds) {
            assert!(scan.next().is_some_and(|entry| entry.is_err()));
            continue;
        }
        check(&mut scan, &mut Expected::new(pairs, &look.bounds), &look.steps)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scans_at_every_sequence_number_give_what_was_there_then(
        ops in vec(op(), 0..80),
        looks in vec(look(), 0..12),
    ) {
        run(&ops, &looks).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
