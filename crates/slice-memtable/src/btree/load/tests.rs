//! That a table which is loaded is one that was filled by inserts.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use slice_types::EntryIterator;

use super::*;

type Row = (Vec<u8>, Trailer, Vec<u8>);

/// All that can be asked of a table whose keys are known.
fn answers(table: BTreeMemTable, keys: &[Vec<u8>]) -> (Vec<Row>, Vec<Option<Row>>, [usize; 2], SeqNo) {
    let table = Arc::new(table);
    let (mut iter, mut rows) = (table.iter(), Vec::new());
    iter.seek_to_last().unwrap();
    while let Some(entry) = iter.entry() {
        rows.push((entry.key.to_vec(), entry.trailer, entry.value.to_vec()));
        iter.prev().unwrap();
    }
    let get = |key: &Vec<u8>, at| {
        table.get(key, SeqNo::new(at)).map(|(trailer, value)| (key.clone(), trailer, value.to_vec()))
    };
    let found = keys.iter().flat_map(|key| [3, 1000, 1 << 40].map(|at| get(key, at))).collect();
    (rows, found, [table.len(), table.tombstones()], table.max_seqno())
}

/// Loads the first rows and inserts the others; the answers are to be those of a table into which all were inserted.
fn check_load(rows: &[Row], first: usize) {
    let (mut loader, expected) = (BTreeLoader::default(), BTreeMemTable::new());
    rows[..first].iter().for_each(|(key, trailer, value)| loader.add(key, *trailer, value));
    let table = loader.finish(first.is_multiple_of(2));
    rows[first..].iter().for_each(|(key, trailer, value)| table.insert(key, *trailer, value));
    for (key, trailer, value) in rows {
        expected.insert(key, *trailer, value);
    }
    let near = |key: &Vec<u8>| [key.clone(), [key, &b"\0"[..]].concat()];
    let keys: Vec<_> = rows.iter().flat_map(|(key, ..)| near(key)).collect();
    assert_eq!(answers(table, &keys), answers(expected, &keys));
}

/// One row for each key, of ascending numbers, each seventh a tombstone.
fn rows(keys: impl IntoIterator<Item = Vec<u8>>) -> Vec<Row> {
    let row = |(key, n): (Vec<u8>, u64)| match n % 7 {
        0 => (key, Trailer::new(SeqNo::new(n), EntryKind::Delete), Vec::new()),
        _ => (key, Trailer::new(SeqNo::new(n), EntryKind::Put), n.to_le_bytes().to_vec()),
    };
    keys.into_iter().zip(1..).map(row).collect()
}

#[test]
fn a_loaded_table_answers_as_a_filled_one_and_takes_more() {
    let scattered = |n: u64| (n * 7919 % 100_003).to_be_bytes().to_vec();
    let alike = |n: u64| format!("https://example.org/a/long/way/to/{:05}", n * 7919 % 10_007).into_bytes();
    for count in [0, 1, 2, 36, 37, 72, 600, 5000] {
        for rows in [rows((0..count).map(scattered)), rows((0..count).map(alike))] {
            for loaded in [rows.len(), rows.len() / 2, rows.len().saturating_sub(1)] {
                check_load(&rows, loaded);
            }
        }
    }
}

#[test]
fn versions_of_few_keys_are_loaded_newest_first() {
    let rows = rows((0..800_u64).map(|n| vec![b'k'; n as usize % 12]));
    check_load(&rows, rows.len());
    check_load(&rows, 400);
}

#[test]
fn an_entry_that_comes_again_counts_once() {
    let all = rows((0..100_u64).map(|n| n.to_be_bytes().to_vec()));
    let twice = [&all[..], &all[..]].concat();
    check_load(&twice, twice.len());
}

#[test]
fn memory_is_counted_as_for_a_table_that_was_filled() {
    let (mut loader, filled) = (BTreeLoader::default(), BTreeMemTable::new());
    for n in 0..20_000_u64 {
        loader.add(&n.to_be_bytes(), Trailer::new(SeqNo::new(n), EntryKind::Put), &[7; 100]);
        filled.insert(&n.to_be_bytes(), Trailer::new(SeqNo::new(n), EntryKind::Put), &[7; 100]);
    }
    let (at_once, filled) = (loader.finish(true).memory_used(), filled.memory_used());
    assert!(at_once <= filled && at_once > filled * 9 / 10, "{at_once} {filled}");
}

proptest! {
    #[test]
    fn loading_is_inserting(
        keys in vec(vec(prop_oneof![Just(0_u8), Just(b'a'), any::<u8>()], 0..20), 0..300),
        shared in vec(any::<u8>(), 0..20),
        loaded in 0.0..=1.0,
    ) {
        let rows = rows(keys.iter().map(|key| [&shared[..], key].concat()));
        check_load(&rows, (rows.len() as f64 * loaded) as usize);
    }
}
