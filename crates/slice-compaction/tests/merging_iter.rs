//! The merging iterator against a sorted list: any runs, any movements, both ways.

mod common;

use common::{Entry, VecIter, sort};
use proptest::collection::vec;
use proptest::prelude::*;
use slice_compaction::MergingIter;
use slice_types::{EntryIterator, EntryKind, EntryRef, Error, Result, SeqNo, Trailer, internal_cmp};

#[derive(Clone, Debug)]
enum Movement {
    First,
    Last,
    Seek(Vec<u8>, u64),
    SeekForPrev(Vec<u8>, u64),
    Next,
    Prev,
}

/// Short keys over two letters, some behind a prefix that fills the cached word, some of bytes at its edges.
fn key() -> impl Strategy<Value = Vec<u8>> {
    let short = "[ab]{0,3}".prop_map(String::into_bytes);
    let long = "[ab]{0,3}".prop_map(|tail| format!("prefixes{tail}").into_bytes());
    prop_oneof![short, long, vec(prop_oneof![Just(0_u8), Just(0xff)], 0..10)]
}

fn movement() -> impl Strategy<Value = Movement> {
    prop_oneof![
        1 => Just(Movement::First),
        1 => Just(Movement::Last),
        2 => (key(), 0..12_u64).prop_map(|(key, seqno)| Movement::Seek(key, seqno)),
        2 => (key(), 0..12_u64).prop_map(|(key, seqno)| Movement::SeekForPrev(key, seqno)),
        6 => Just(Movement::Next),
        6 => Just(Movement::Prev),
    ]
}

fn runs() -> impl Strategy<Value = Vec<Vec<Entry>>> {
    vec(vec((key(), 1..10_u64), 0..12), 0..7).prop_map(|runs| {
        let of_run = |(index, run): (usize, Vec<(Vec<u8>, u64)>)| {
            let value = [index as u8];
            let mut entries: Vec<_> =
                run.iter().map(|(key, seqno)| Entry::new(key, *seqno, EntryKind::Put, &value)).collect();
            sort(&mut entries);
            entries.dedup();
            entries
        };
        runs.into_iter().enumerate().map(of_run).collect()
    })
}

fn go(iter: &mut impl EntryIterator, movement: &Movement) -> Result<()> {
    match movement {
        Movement::First => iter.seek_to_first(),
        Movement::Last => iter.seek_to_last(),
        Movement::Seek(key, seqno) => iter.seek(key, Trailer::seek(SeqNo::new(*seqno))),
        Movement::SeekForPrev(key, seqno) => iter.seek_for_prev(key, Trailer::seek(SeqNo::new(*seqno))),
        Movement::Next => iter.next(),
        Movement::Prev => iter.prev(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Equal entries of two inputs included: the earlier input's come first.
    #[test]
    fn it_moves_like_one_sorted_list(runs in runs(), movements in vec(movement(), 1..40)) {
        let mut all = runs.concat();
        sort(&mut all);
        let mut model = VecIter::new(all);
        let mut iter = MergingIter::new(runs.into_iter().map(VecIter::new).collect());
        prop_assert_eq!(iter.entry(), None);
        for movement in &movements {
            go(&mut model, movement).unwrap();
            go(&mut iter, movement).unwrap();
            prop_assert_eq!(iter.entry(), model.entry(), "after {:?}", movement);
        }
    }

    #[test]
    fn its_order_is_the_internal_order(runs in runs()) {
        let mut iter = MergingIter::new(runs.iter().cloned().map(VecIter::new).collect());
        let mut seen: Vec<(Vec<u8>, Trailer)> = Vec::new();
        iter.seek_to_first().unwrap();
        while let Some(entry) = iter.entry() {
            if let Some((key, trailer)) = seen.last() {
                prop_assert!(internal_cmp((key, *trailer), (entry.key, entry.trailer)).is_le());
            }
            seen.push((entry.key.to_vec(), entry.trailer));
            iter.next().unwrap();
        }
        prop_assert_eq!(seen.len(), runs.iter().map(Vec::len).sum::<usize>());
    }
}

/// Fails at one movement, and is well again after.
struct Failing {
    inner: VecIter,
    movements_left: usize,
}

impl Failing {
    fn tick(&mut self) -> Result<()> {
        let is_now = self.movements_left == 0;
        self.movements_left = self.movements_left.wrapping_sub(1);
        if is_now { Err(Error::corruption("a block is damaged")) } else { Ok(()) }
    }
}

impl EntryIterator for Failing {
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.inner.entry()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.tick()?;
        self.inner.seek_to_first()
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.tick()?;
        self.inner.seek_to_last()
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.tick()?;
        self.inner.seek(key, trailer)
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.tick()?;
        self.inner.seek_for_prev(key, trailer)
    }

    fn next(&mut self) -> Result<()> {
        self.tick()?;
        self.inner.next()
    }

    fn prev(&mut self) -> Result<()> {
        self.tick()?;
        self.inner.prev()
    }
}

#[test]
fn a_failed_movement_leaves_it_on_none_and_is_told_once() {
    let of = |keys: &[&str]| {
        let entries = keys.iter().map(|key| Entry::new(key.as_bytes(), 1, EntryKind::Put, b""));
        VecIter::new(entries.collect::<Vec<_>>())
    };
    // The failure hits a seek, a step, and a turn.
    for movements_left in 0..3 {
        let inputs = vec![
            Failing { inner: of(&["a", "c"]), movements_left },
            Failing { inner: of(&["b", "d"]), movements_left: usize::MAX },
        ];
        let mut iter = MergingIter::new(inputs);
        let walk = [Movement::First, Movement::Next, Movement::Next, Movement::Prev, Movement::Prev];
        let failed = walk.iter().position(|movement| go(&mut iter, movement).is_err());
        assert!(failed.is_some(), "failure {movements_left} was not told");
        // Whatever is left of the walk stays on none.
        assert_eq!(iter.entry(), None);
        iter.next().unwrap();
        iter.prev().unwrap();
        assert_eq!(iter.entry(), None);
        iter.seek_to_first().unwrap();
        assert_eq!(iter.entry().map(|entry| entry.key), Some(&b"a"[..]));
        iter.next().unwrap();
        assert_eq!(iter.entry().map(|entry| entry.key), Some(&b"b"[..]));
    }
}
