//! A merge with rules for values against its promise: every reader that there is, and every one that may yet come,
//! finds the same value after it.

mod common;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{Entry, VecIter, VecSink, meta_of, sort};
use proptest::collection::vec;
use proptest::prelude::*;
use slice_compaction::{Decision, DeeperKeys, MergeOptions, MergeStats, Raise, ValueRules, merge_values};
use slice_types::{
    EntryKind, KeyRange, RangeIndex, RangeTombstone, Result, SeqNo, join_expiry, split_expiry,
};

const NOW: u64 = 100;
const LIVE: u64 = NOW + 1;

/// Appends; refuses what has a `!` in the operand.
#[derive(Clone, Copy, Default)]
struct Append {
    filter: Option<fn(&[u8]) -> Decision>,
}

fn append(older: Option<&[u8]>, operand: &[u8]) -> Option<Vec<u8>> {
    let is_refused = operand.contains(&b'!') || older.is_some_and(|older| older.contains(&b'!'));
    (!is_refused).then(|| [older.unwrap_or_default(), operand].concat())
}

impl ValueRules for Append {
    fn combines(&self) -> bool {
        true
    }

    fn combine(&mut self, _key: &[u8], older: Option<&[u8]>, operand: &[u8]) -> Option<Vec<u8>> {
        append(older, operand)
    }

    fn is_expired(&self, value: &[u8]) -> Result<bool> {
        split_expiry(value).map(|(expiry_ms, _)| expiry_ms <= NOW)
    }

    fn filters(&self) -> bool {
        self.filter.is_some()
    }

    fn decide(&mut self, _key: &[u8], value: &[u8]) -> Decision {
        self.filter.map_or(Decision::Keep, |filter| filter(value))
    }
}

/// What a reader finds at `now_ms`: the value, or what is refused together with what it was to be merged into.
fn read(entries: &[Entry], key: &[u8], at: SeqNo, now_ms: u64) -> Option<Vec<u8>> {
    let concerns = |entry: &&Entry| match entry.trailer.kind() {
        EntryKind::RangeDelete => (&entry.key[..]..&entry.value[..]).contains(&key),
        _ => entry.key == key,
    };
    let visible = entries.iter().filter(|entry| entry.trailer.seqno() <= at);
    let mut versions: Vec<_> = visible.filter(concerns).collect();
    versions.sort_by_key(|entry| entry.trailer.seqno());
    let mut value: Option<Vec<u8>> = None;
    for entry in versions {
        value = match entry.trailer.kind() {
            EntryKind::Put => Some(entry.value.clone()),
            EntryKind::PutUntil => {
                let (expiry_ms, value) = split_expiry(&entry.value).unwrap();
                (expiry_ms > now_ms).then(|| value.to_vec())
            }
            EntryKind::Merge => Some([value.unwrap_or_default(), entry.value.clone()].concat()),
            _ => None,
        };
    }
    value
}

fn write() -> impl Strategy<Value = (EntryKind, Option<u64>, bool)> {
    prop_oneof![
        3 => Just((EntryKind::Put, None, false)),
        2 => Just((EntryKind::PutUntil, Some(NOW), false)),
        2 => Just((EntryKind::PutUntil, Some(LIVE), false)),
        2 => Just((EntryKind::Delete, None, false)),
        6 => Just((EntryKind::Merge, None, false)),
        1 => Just((EntryKind::Merge, None, true)),
        1 => Just((EntryKind::RangeDelete, None, false)),
    ]
}

/// Writes in the order of their sequence numbers, from 1.
fn history() -> impl Strategy<Value = Vec<Entry>> {
    vec((0..4_u8, write()), 1..60).prop_map(|writes| {
        let of_write =
            |(place, (key, (kind, expiry_ms, is_refused))): (usize, (u8, (EntryKind, _, bool)))| {
                let text = format!("{place}{} ", if is_refused { "!" } else { "" }).into_bytes();
                let value = match (kind, expiry_ms) {
                    (EntryKind::Delete, _) => Vec::new(),
                    // Of this key and the next.
                    (EntryKind::RangeDelete, _) => vec![b'a' + key + 2],
                    (_, Some(expiry_ms)) => join_expiry(expiry_ms, &text),
                    _ => text,
                };
                Entry::new(&[b'a' + key], place as u64 + 1, kind, &value)
            };
        writes.into_iter().enumerate().map(of_write).collect()
    })
}

/// The range tombstones of a history, which are in no table, and the other entries.
fn split_tombstones(history: &[Entry]) -> (Arc<RangeIndex>, Vec<Entry>) {
    let is_tombstone = |entry: &Entry| entry.trailer.kind() == EntryKind::RangeDelete;
    let (tombstones, entries): (Vec<_>, Vec<_>) = history.iter().cloned().partition(is_tombstone);
    let tombstones = tombstones.iter().map(|entry| RangeTombstone {
        range: KeyRange::from_bytes(&entry.key, &entry.value).unwrap(),
        seqno: entry.trailer.seqno(),
    });
    (Arc::new(RangeIndex::new(tombstones)), entries)
}

fn merged(
    entries: &[Entry],
    range_tombstones: &Arc<RangeIndex>,
    snapshots: &[SeqNo],
    visible: SeqNo,
    deeper: &[Entry],
    mut rules: Append,
) -> (Vec<Entry>, MergeStats) {
    let to = entries.iter().map(|entry| entry.trailer.seqno()).max().unwrap_or_default();
    let bounds = (!deeper.is_empty()).then(|| meta_of(1, deeper));
    let options = MergeOptions {
        snapshots,
        visible,
        range_tombstones: Arc::clone(range_tombstones),
        deeper: DeeperKeys::new(bounds.map(|meta| (meta.smallest.clone(), meta.largest.clone()))),
        raise: Raise { to, newer: DeeperKeys::default() },
        target_table_bytes: 20,
        grandparents: Vec::new(),
        range: (None, None),
        cancel: &AtomicBool::new(false),
    };
    let mut sink = VecSink::default();
    let stats = merge_values(vec![VecIter::new(entries.to_vec())], &options, &mut rules, &mut sink).unwrap();
    (sink.tables.concat(), stats)
}

fn sorted(entries: &[Entry]) -> Vec<Entry> {
    let mut entries = entries.to_vec();
    sort(&mut entries);
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_reader_finds_the_same_value_after_a_merge(
        history in history(),
        cut in any::<usize>(),
        snapshots in vec(0..60_u64, 0..4),
        visible in 0..60_u64,
    ) {
        let visible = SeqNo::new(visible);
        let mut snapshots: Vec<_> = snapshots.into_iter().map(SeqNo::new).filter(|at| *at <= visible).collect();
        snapshots.sort_unstable();
        let (tombstones, entries) = split_tombstones(&history);
        let (deeper, inputs) = entries.split_at(cut % (entries.len() + 1));
        let (deeper, inputs) = (sorted(deeper), sorted(inputs));

        let (output, stats) = merged(&inputs, &tombstones, &snapshots, visible, &deeper, Append::default());
        prop_assert!(output.is_sorted_by(|left, right| left.as_ref().order(&right.as_ref()).is_lt()));
        let dropped = stats.dropped_versions + stats.dropped_tombstones + stats.folded;
        prop_assert_eq!((stats.entries_in, stats.entries_out), (inputs.len() as u64, output.len() as u64));
        prop_assert_eq!(stats.entries_out + dropped, stats.entries_in);
        let is_tombstone = |entry: &&Entry| entry.trailer.kind() == EntryKind::RangeDelete;
        let kept: Vec<_> = history.iter().filter(is_tombstone).cloned().collect();
        let after = [output.clone(), deeper.clone(), kept].concat();
        for at in snapshots.iter().copied().chain((visible.get()..=61).map(SeqNo::new)) {
            // A reader comes when the merge has read the clock, or later.
            for now_ms in [NOW, LIVE] {
                for key in b'a'..=b'd' {
                    let (was, is) = (read(&history, &[key], at, now_ms), read(&after, &[key], at, now_ms));
                    prop_assert_eq!(was, is, "{} at {} and {} ms", key as char, at, now_ms);
                }
            }
        }
        let (again, _) = merged(&output, &tombstones, &snapshots, visible, &deeper, Append::default());
        prop_assert_eq!(again, output, "a second merge finds nothing to do");
    }

    #[test]
    fn without_snapshots_and_deeper_tables_nothing_is_left_but_values(history in history()) {
        let healthy: Vec<_> = history.into_iter().filter(|entry| !entry.value.contains(&b'!')).collect();
        let (tombstones, entries) = split_tombstones(&healthy);
        let (output, _) = merged(&sorted(&entries), &tombstones, &[], SeqNo::MAX, &[], Append::default());
        for pair in output.windows(2).filter(|pair| pair[0].key == pair[1].key) {
            prop_assert_eq!(pair[0].trailer.kind(), EntryKind::Merge);
            prop_assert_eq!(pair[1].trailer.kind(), EntryKind::PutUntil, "it may expire below the operand");
        }
        prop_assert!(output.iter().all(|entry| entry.trailer.kind() != EntryKind::Delete));
    }
}

fn entries(of: &[(&str, u64, EntryKind, &str)]) -> Vec<Entry> {
    let entry = |(key, seqno, kind, value): &(&str, u64, EntryKind, &str)| {
        Entry::new(key.as_bytes(), *seqno, *kind, value.as_bytes())
    };
    sorted(&of.iter().map(entry).collect::<Vec<_>>())
}

const REMOVE: Append = Append { filter: Some(|_| Decision::Remove) };
const REPLACE: Append = Append { filter: Some(|value| Decision::Replace([value, b"+"].concat())) };

#[test]
fn a_filter_takes_away_the_newest_value_and_with_it_the_older_ones() {
    let input = entries(&[("a", 1, EntryKind::Put, "1"), ("a", 2, EntryKind::Put, "2")]);
    let (output, stats) = merged(&input, &Arc::default(), &[], SeqNo::new(9), &[], REMOVE);
    assert_eq!((output, stats.filtered), (Vec::new(), 1));
}

#[test]
fn what_a_filter_takes_away_leaves_a_tombstone_where_older_versions_may_be() {
    let input = entries(&[("a", 2, EntryKind::Put, "2")]);
    let deeper = entries(&[("a", 1, EntryKind::Put, "1")]);
    let (output, stats) = merged(&input, &Arc::default(), &[], SeqNo::new(9), &deeper, REMOVE);
    assert_eq!(output, entries(&[("a", 2, EntryKind::Delete, "")]));
    assert_eq!(stats.filtered, 0);
}

#[test]
fn a_filter_sees_nothing_that_a_snapshot_reads_and_nothing_unpublished() {
    let input = entries(&[
        ("a", 1, EntryKind::Put, "1"),
        ("a", 4, EntryKind::Put, "4"),
        ("b", 2, EntryKind::Put, "2"),
        ("c", 8, EntryKind::Put, "8"),
    ]);
    let (output, _) = merged(&input, &Arc::default(), &[SeqNo::new(2)], SeqNo::new(5), &[], REPLACE);
    let expected = entries(&[
        ("a", 1, EntryKind::Put, "1"),
        ("a", 4, EntryKind::Put, "4+"),
        ("b", 2, EntryKind::Put, "2"),
        ("c", 8, EntryKind::Put, "8"),
    ]);
    assert_eq!(output, expected);
}

#[test]
fn a_filter_sees_a_value_with_its_operands_folded_and_leaves_its_expiry() {
    let mut input = entries(&[("a", 1, EntryKind::Put, "1"), ("a", 2, EntryKind::Merge, "2")]);
    input.push(Entry::new(b"b", 3, EntryKind::PutUntil, &join_expiry(LIVE, b"3")));
    let (output, _) = merged(&input, &Arc::default(), &[], SeqNo::new(9), &[], REPLACE);
    let mut expected = entries(&[("a", 3, EntryKind::Put, "12+")]);
    expected.push(Entry::new(b"b", 3, EntryKind::PutUntil, &join_expiry(LIVE, b"3+")));
    assert_eq!(output, expected);
}
