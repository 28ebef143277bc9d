//! A merge against its promise: every reader that there is, and every one that may yet come, reads the same after it.

mod common;
#[path = "common/reads.rs"]
mod reads;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Entry, VecIter, VecSink, meta_of, sort};
use proptest::collection::vec;
use proptest::prelude::*;
use reads::read;
use slice_compaction::{DeeperKeys, MergeOptions, MergeStats, Raise, merge, split_ranges};
use slice_types::{EntryIterator, EntryKind, EntryRef, ErrorKind, Result, SeqNo, Trailer};

fn kind() -> impl Strategy<Value = EntryKind> {
    prop_oneof![
        4 => Just(EntryKind::Put),
        3 => Just(EntryKind::Delete),
        1 => Just(EntryKind::Merge),
    ]
}

/// Writes in the order of their sequence numbers, from 1.
fn history() -> impl Strategy<Value = Vec<Entry>> {
    vec((0..12_u8, kind()), 1..80).prop_map(|writes| {
        let of_write = |(place, (key, kind)): (usize, (u8, EntryKind))| {
            let value = if kind == EntryKind::Delete { Vec::new() } else { place.to_string().into_bytes() };
            Entry::new(&[b'a' + key], place as u64 + 1, kind, &value)
        };
        writes.into_iter().enumerate().map(of_write).collect()
    })
}

/// The history cut into sorted runs, oldest first.
fn cut_into_runs(history: &[Entry], cuts: &[usize]) -> Vec<Vec<Entry>> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut % history.len()).chain([0, history.len()]).collect();
    places.sort_unstable();
    places.dedup();
    let sorted = |pair: &[usize]| {
        let mut run = history[pair[0]..pair[1]].to_vec();
        sort(&mut run);
        run
    };
    places.windows(2).map(sorted).collect()
}

fn deeper_keys(runs: &[Vec<Entry>]) -> DeeperKeys {
    DeeperKeys::new(runs.iter().map(|run| {
        let meta = meta_of(1, run);
        (meta.smallest.clone(), meta.largest.clone())
    }))
}

/// The newest version visible at `seqno`, by a map that knows nothing of runs.
fn model_value(history: &[Entry], key: &[u8], seqno: SeqNo) -> Option<Vec<u8>> {
    let versions: BTreeMap<_, _> = history
        .iter()
        .filter(|entry| entry.key == key && entry.trailer.seqno() <= seqno)
        .map(|entry| (entry.trailer.seqno(), entry))
        .collect();
    let (_, newest) = versions.last_key_value()?;
    (newest.trailer.kind() == EntryKind::Put).then(|| newest.value.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_reader_reads_the_same_after_a_merge(
        history in history(),
        cuts in vec(any::<usize>(), 0..6),
        depth in any::<usize>(),
        snapshots in vec(0..80_u64, 0..4),
        visible in 0..80_u64,
        target in 1..40_u64,
    ) {
        let runs = cut_into_runs(&history, &cuts);
        let (deeper, inputs) = runs.split_at(depth % runs.len());
        let visible = SeqNo::new(visible);
        let mut snapshots: Vec<_> = snapshots.into_iter().map(SeqNo::new).filter(|at| *at <= visible).collect();
        snapshots.sort_unstable();
        let cancel = AtomicBool::new(false);
        let highest = inputs[inputs.len() - 1].iter().map(|entry| entry.trailer.seqno()).max();
        let options = MergeOptions {
            snapshots: &snapshots,
            visible,
            range_tombstones: Arc::default(),
            deeper: deeper_keys(deeper),
            raise: Raise { to: highest.unwrap(), newer: DeeperKeys::default() },
            target_table_bytes: target,
            grandparents: Vec::new(),
            range: (None, None),
            cancel: &cancel,
        };
        let mut sink = VecSink::default();
        let newest_first = inputs.iter().rev().cloned().map(VecIter::new).collect();
        let stats = merge(newest_first, &options, &mut sink).unwrap();

        let merged = sink.tables.concat();
        prop_assert!(merged.is_sorted_by(|left, right| left.as_ref().order(&right.as_ref()).is_lt()));
        prop_assert_eq!(stats.entries_out, merged.len() as u64);
        for pair in sink.tables.windows(2) {
            prop_assert!(pair[0].last().map(|entry| &entry.key) < pair[1].first().map(|entry| &entry.key));
        }
        let below: Vec<&[Entry]> = deeper.iter().rev().map(Vec::as_slice).collect();
        let before: Vec<&[Entry]> = runs.iter().rev().map(Vec::as_slice).collect();
        let after: Vec<&[Entry]> = std::iter::once(merged.as_slice()).chain(below).collect();
        let readers = snapshots.iter().copied().chain((visible.get()..=81).map(SeqNo::new));
        for seqno in readers {
            for key in b'a'..=b'm' {
                let (was, is) = (read(&before, &[key], seqno), read(&after, &[key], seqno));
                prop_assert_eq!(&was, &is, "{} at {}", key as char, seqno);
                if is.0.is_empty() {
                    prop_assert_eq!(is.1, model_value(&history, &[key], seqno));
                }
            }
        }
        // What is left is needed: a second merge finds nothing to drop.
        let mut again = VecSink::default();
        merge(vec![VecIter::new(merged.clone())], &options, &mut again).unwrap();
        prop_assert_eq!(again.tables.concat(), merged);
    }

    #[test]
    fn a_merge_in_ranges_writes_what_a_whole_one_does(
        history in history(),
        cuts in vec(any::<usize>(), 0..6),
        snapshot in 0..80_u64,
        parts in 0..6_usize,
    ) {
        let runs = cut_into_runs(&history, &cuts);
        let samples: Vec<Vec<_>> =
            runs.iter().map(|run| run.iter().map(|entry| (entry.key.clone(), 1)).collect()).collect();
        let keys = split_ranges(&samples, parts);
        prop_assert!(keys.len() < parts.max(1));
        prop_assert!(keys.is_sorted_by(|left, right| left < right));
        let whole = merge_range(&runs, snapshot, (None, None));
        let mut joined = (Vec::new(), MergeStats::default());
        for part in 0..=keys.len() {
            let start = part.checked_sub(1).map(|before| keys[before].as_slice());
            let (entries, stats) = merge_range(&runs, snapshot, (start, keys.get(part).map(Vec::as_slice)));
            joined.0.extend(entries);
            joined.1.add(&stats);
        }
        joined.1.tables_out = whole.1.tables_out;
        prop_assert_eq!(joined, whole);
    }
}

fn merge_range(
    runs: &[Vec<Entry>],
    snapshot: u64,
    range: (Option<&[u8]>, Option<&[u8]>),
) -> (Vec<Entry>, MergeStats) {
    let options = MergeOptions {
        snapshots: &[SeqNo::new(snapshot)],
        visible: SeqNo::MAX,
        range_tombstones: Arc::default(),
        deeper: DeeperKeys::new([(b"c".as_slice().into(), b"e".as_slice().into())]),
        raise: Raise {
            to: SeqNo::new(80),
            newer: DeeperKeys::new([(b"g".as_slice().into(), b"h".as_slice().into())]),
        },
        target_table_bytes: u64::MAX,
        grandparents: Vec::new(),
        range,
        cancel: &AtomicBool::new(false),
    };
    let mut sink = VecSink::default();
    let inputs = runs.iter().rev().cloned().map(VecIter::new).collect();
    let stats = merge(inputs, &options, &mut sink).unwrap();
    (sink.tables.concat(), stats)
}

#[test]
fn ranges_are_of_about_equal_size() {
    let table = |start: u64, step: u64| -> Vec<(Vec<u8>, u64)> {
        (0..100).map(|place| ((start + place * step).to_be_bytes().to_vec(), 10)).collect()
    };
    let tables = [table(0, 7), table(3, 2), table(500, 1)];
    let keys = split_ranges(&tables, 4);
    assert_eq!(keys.len(), 3);
    for part in 0..4 {
        let start = if part == 0 { &[][..] } else { &keys[part - 1] };
        let inside = |key: &Vec<u8>| key.as_slice() >= start && keys.get(part).is_none_or(|end| key < end);
        let size = tables.iter().flatten().filter(|(key, _)| inside(key)).count();
        assert!((65..=85).contains(&size), "part {part} has {size} of 300");
    }
}

#[test]
fn samples_of_one_key_are_not_split() {
    assert!(split_ranges(&[vec![(b"k".to_vec(), 9)], vec![(b"k".to_vec(), 9)]], 8).is_empty());
    assert!(split_ranges(&[], 8).is_empty());
    assert!(split_ranges(&[vec![(b"a".to_vec(), 0), (b"b".to_vec(), 0)]], 1).is_empty());
}

/// Sets the flag when it has moved so many times.
struct Cancelling<'a> {
    inner: VecIter,
    moves_left: u32,
    flag: &'a AtomicBool,
}

impl EntryIterator for Cancelling<'_> {
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.inner.entry()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.inner.seek_to_first()
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.inner.seek_to_last()
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.inner.seek(key, trailer)
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.inner.seek_for_prev(key, trailer)
    }

    fn next(&mut self) -> Result<()> {
        self.moves_left = self.moves_left.saturating_sub(1);
        self.flag.fetch_or(self.moves_left == 0, Ordering::Relaxed);
        self.inner.next()
    }

    fn prev(&mut self) -> Result<()> {
        self.inner.prev()
    }
}

#[test]
fn a_cancelled_merge_ends_soon_with_an_error() {
    for moves_left in [1, 1000, 4999] {
        let flag = AtomicBool::new(false);
        let key = |place: u64| Entry::new(&place.to_be_bytes(), 1, EntryKind::Put, b"");
        let inner = VecIter::new((0..5000).map(key).collect::<Vec<_>>());
        let options = MergeOptions {
            snapshots: &[],
            visible: SeqNo::MAX,
            range_tombstones: Arc::default(),
            deeper: DeeperKeys::default(),
            raise: Raise::default(),
            target_table_bytes: 1 << 20,
            grandparents: Vec::new(),
            range: (None, None),
            cancel: &flag,
        };
        let mut sink = VecSink::default();
        let error =
            merge(vec![Cancelling { inner, moves_left, flag: &flag }], &options, &mut sink).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(sink.tables.is_empty());
        assert!(sink.pending() <= moves_left as usize + 256, "{} entries", sink.pending());
    }
}
