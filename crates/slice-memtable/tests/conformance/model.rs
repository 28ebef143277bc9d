//! Random entries and movements, beside a `BTreeMap` that answers the same questions.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use slice_memtable::MemTable;
use slice_types::{EntryIterator, EntryKind, KeyRange, RangeIndex, SeqNo, Trailer};

/// The internal order as a tuple: key ascending, trailer descending.
type ModelKey = (Vec<u8>, std::cmp::Reverse<u64>);
type Model = BTreeMap<ModelKey, Vec<u8>>;

fn model_key(key: &[u8], trailer: Trailer) -> ModelKey {
    (key.to_vec(), std::cmp::Reverse(trailer.to_u64()))
}

/// Few keys, so that they have versions; with common fronts up to and over 16 bytes, and with zeros.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    (
        prop_oneof![Just(0), Just(1), Just(15), Just(16), Just(17)],
        vec(prop_oneof![Just(0_u8), Just(b'k')], 0..3),
    )
        .prop_map(|(front, back)| [vec![b'k'; front], back].concat())
}

fn kinds() -> impl Strategy<Value = EntryKind> {
    prop_oneof![
        3 => Just(EntryKind::Put),
        1 => Just(EntryKind::Delete),
        1 => Just(EntryKind::Merge),
    ]
}

/// What a writer brings; the entry's place is its sequence number.
fn writes() -> impl Strategy<Value = Vec<(Vec<u8>, EntryKind, Vec<u8>)>> {
    vec((keys(), kinds(), vec(any::<u8>(), 0..40)), 0..120)
}

fn fill<M: MemTable>(writes: &[(Vec<u8>, EntryKind, Vec<u8>)]) -> (Arc<M>, Model) {
    let (table, mut model) = (Arc::new(M::new()), Model::new());
    for (n, (key, kind, value)) in writes.iter().enumerate() {
        let trailer = Trailer::new(SeqNo::new(n as u64), *kind);
        table.insert(key, trailer, value);
        model.insert(model_key(key, trailer), value.clone());
    }
    (table, model)
}

fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    if let Err(failure) = TestRunner::default().run(&strategy, test) {
        panic!("{failure}");
    }
}

pub(crate) fn it_answers_as_a_sorted_map_does<M: MemTable>() {
    run((writes(), keys()), |(writes, another)| {
        let (table, model) = fill::<M>(&writes);
        prop_assert_eq!(table.len(), model.len());
        for at in 0..=writes.len() as u64 {
            for key in writes.iter().map(|write| &write.0).chain([&another]) {
                let expected = model
                    .range(model_key(key, Trailer::seek(SeqNo::new(at)))..=model_key(key, Trailer::LAST))
                    .next()
                    .map(|((_, word), value)| (word.0, value.clone()));
                let found = table.get(key, SeqNo::new(at));
                prop_assert_eq!(found.map(|(trailer, value)| (trailer.to_u64(), value.to_vec())), expected);
            }
        }
        Ok(())
    });
}

#[derive(Clone, Debug)]
enum Move {
    First,
    Last,
    Seek(Vec<u8>, u64),
    SeekForPrev(Vec<u8>, u64),
    Next(usize),
    Prev(usize),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    // From before the first sequence number to beyond the last, and all kinds.
    let words = || prop_oneof![Just(u64::MAX), Just(0), 0..(130_u64 << 8)];
    vec(
        prop_oneof![
            1 => Just(Move::First),
            1 => Just(Move::Last),
            3 => (keys(), words()).prop_map(|(key, word)| Move::Seek(key, word)),
            3 => (keys(), words()).prop_map(|(key, word)| Move::SeekForPrev(key, word)),
            4 => (1..40_usize).prop_map(Move::Next),
            4 => (1..40_usize).prop_map(Move::Prev),
        ],
        1..40,
    )
}

/// The bounds of a seek that a word stands for: a version, or what lies before or behind all of them.
fn bound(word: u64) -> Trailer {
    match word {
        u64::MAX => Trailer::FIRST,
        word => Trailer::from_u64(word).unwrap_or(Trailer::seek(SeqNo::new(word >> 8))),
    }
}

/// Where the model's cursor stands after a movement.
fn step(model: &Model, at: Option<&ModelKey>, to: &Move) -> Option<ModelKey> {
    let found = match to {
        Move::First => model.keys().next(),
        Move::Last => model.keys().next_back(),
        Move::Seek(key, word) => model.range(model_key(key, bound(*word))..).next().map(|(key, _)| key),
        Move::SeekForPrev(key, word) => {
            model.range(..=model_key(key, bound(*word))).next_back().map(|(key, _)| key)
        }
        Move::Next(n) => at.and_then(|at| model.range(at..).nth(*n)).map(|(key, _)| key),
        Move::Prev(n) => at.and_then(|at| model.range(..=at).rev().nth(*n)).map(|(key, _)| key),
    };
    found.cloned()
}

fn go(iter: &mut impl EntryIterator, to: &Move) -> slice_types::Result<()> {
    match to {
        Move::First => iter.seek_to_first(),
        Move::Last => iter.seek_to_last(),
        Move::Seek(key, word) => iter.seek(key, bound(*word)),
        Move::SeekForPrev(key, word) => iter.seek_for_prev(key, bound(*word)),
        Move::Next(n) => (0..*n).try_for_each(|_| iter.next()),
        Move::Prev(n) => (0..*n).try_for_each(|_| iter.prev()),
    }
}

pub(crate) fn it_moves_as_a_sorted_map_does<M: MemTable>() {
    run((writes(), moves()), |(writes, moves)| {
        let (table, model) = fill::<M>(&writes);
        let (mut iter, mut at) = (table.iter(), None);
        for to in &moves {
            at = step(&model, at.as_ref(), to);
            go(&mut iter, to).unwrap();
            let expected = at.as_ref().map(|at| (at.0.as_slice(), at.1.0, model[at].as_slice()));
            let found = iter.entry().map(|entry| (entry.key, entry.trailer.to_u64(), entry.value));
            prop_assert_eq!(found, expected, "after {:?}", to);
        }
        Ok(())
    });
}

/// Ranges that nest and overlap, some without an end; and entries between them.
fn deletes() -> impl Strategy<Value = Vec<(KeyRange, bool)>> {
    let range = (keys(), keys(), any::<bool>()).prop_filter_map("no keys", |(one, other, ends)| {
        let (start, end) = if one < other { (one, other) } else { (other, one) };
        KeyRange::from_bytes(&start, if ends { &end } else { b"" }).ok()
    });
    vec((range, any::<bool>()), 0..70)
}

pub(crate) fn it_finds_range_tombstones_as_a_list_does<M: MemTable>() {
    run((deletes(), keys()), |(writes, another)| {
        let table = Arc::new(M::new());
        for (n, (range, is_range)) in (1..).zip(&writes) {
            let kind = if *is_range { EntryKind::RangeDelete } else { EntryKind::Put };
            table.insert(range.start(), Trailer::new(SeqNo::new(n), kind), range.end_bytes());
        }
        let deletes = (1..).map(SeqNo::new).zip(&writes).filter(|(_, (_, is_range))| *is_range);
        let deletes: Vec<_> = deletes.map(|(seqno, (range, _))| (seqno, range)).collect();
        let index = RangeIndex::join(&table.range_tombstones());
        prop_assert_eq!(table.len(), writes.len());
        prop_assert_eq!(index.tombstones().len(), deletes.len());
        for key in writes.iter().map(|(range, _)| range.start()).chain([another.as_slice()]) {
            for at in (0..=writes.len() as u64 + 1).map(SeqNo::new) {
                let covering = deletes.iter().filter(|(seqno, range)| *seqno <= at && range.contains(key));
                let expected = covering.map(|(seqno, _)| *seqno).max();
                prop_assert_eq!(table.covering(key, at), expected);
                prop_assert_eq!(index.covering(key, at), expected);
            }
        }
        Ok(())
    });
}
