//! What loom checks: every order in which the writer's and a reader's accesses may come, and every value that the memory
//! model lets a load see. `cargo xtask loom` runs them.
//!
//! Nodes are small in this build, so that few inserts fill them.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use slice_types::{EntryIterator, EntryKind, SeqNo, Trailer};

use super::BTreeMemTable;
use super::chunk::Chunk;
use super::target::Target;
use crate::MemTable;

fn insert(table: &BTreeMemTable, key: u8, seqno: u64) {
    table.insert(&[key], Trailer::new(SeqNo::new(seqno), EntryKind::Put), &[key]);
}

/// Runs `read` beside a writer that inserts these keys, numbered from 1 on behind those that are there, and publishes each
/// number as the engine does. `read` gets the number that it was told.
fn beside_a_writer(
    there: &'static [u8],
    more: &'static [u8],
    read: impl Fn(&Arc<BTreeMemTable>, &[u8]) + Sync + Send + Copy + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 10_000;
    builder.check(move || {
        let table = Arc::new(BTreeMemTable::new());
        for (seqno, key) in (1..).zip(there) {
            insert(&table, *key, seqno);
        }
        let published = Arc::new(AtomicU64::new(there.len() as u64));
        let reader = {
            let (table, published) = (Arc::clone(&table), Arc::clone(&published));
            thread::spawn(move || {
                let count = published.load(Ordering::Acquire) as usize;
                let keys: Vec<_> = there.iter().chain(more).copied().take(count).collect();
                read(&table, &keys);
            })
        };
        for (n, key) in (1 + there.len() as u64..).zip(more) {
            insert(&table, *key, n);
            published.store(n, Ordering::Release);
        }
        reader.join().unwrap();
    });
}

/// Down the tree, without the index.
fn all_are_found(table: &Arc<BTreeMemTable>, keys: &[u8]) {
    for key in keys {
        let target = Target { key: &[*key], trailer: Trailer::FIRST };
        let (id, _) = table.newest(&target).expect("it was published");
        assert_eq!(table.entries.get(id).value[0], *key);
    }
}

fn all_are_looked_up(table: &Arc<BTreeMemTable>, keys: &[u8]) {
    for key in keys {
        let (_, value) = table.get(&[*key], SeqNo::MAX).expect("it was published");
        assert_eq!(value[0], *key);
    }
}

fn the_last_is_found(table: &Arc<BTreeMemTable>, keys: &[u8]) {
    all_are_found(table, &keys[keys.len().saturating_sub(1)..]);
}

fn the_first_is_found(table: &Arc<BTreeMemTable>, keys: &[u8]) {
    all_are_found(table, &keys[..1]);
}

fn a_scan_meets_all(table: &Arc<BTreeMemTable>, keys: &[u8]) {
    let (mut iter, mut met) = (table.iter(), Vec::new());
    iter.seek_to_first().unwrap();
    while let Some(entry) = iter.entry() {
        met.push(entry.key[0]);
        iter.next().unwrap();
    }
    assert!(met.is_sorted_by(|one, other| one < other), "{met:?}");
    assert!(keys.iter().all(|key| met.contains(key)), "{keys:?} in {met:?}");
}

fn a_scan_backward_meets_all(table: &Arc<BTreeMemTable>, keys: &[u8]) {
    let (mut iter, mut met) = (table.iter(), Vec::new());
    iter.seek_to_last().unwrap();
    while let Some(entry) = iter.entry() {
        met.push(entry.key[0]);
        iter.prev().unwrap();
    }
    assert!(met.is_sorted_by(|one, other| one > other), "{met:?}");
    assert!(keys.iter().all(|key| met.contains(key)), "{keys:?} in {met:?}");
}

#[test]
fn a_published_entry_is_found() {
    beside_a_writer(&[], &[5, 3], all_are_found);
    beside_a_writer(&[], &[5, 3], all_are_looked_up);
}

#[test]
fn entries_are_found_while_the_only_leaf_is_split() {
    beside_a_writer(&[1, 3], &[2], all_are_found);
}

#[test]
fn entries_are_found_while_a_leaf_below_a_node_is_split() {
    // [1 3] [5]: the 2 makes two leaves out of the first.
    beside_a_writer(&[1, 3, 5], &[2], all_are_found);
}

#[test]
fn entries_are_found_while_a_node_is_split() {
    beside_a_writer(&[1, 3, 5, 7, 9, 11, 13], &[8, 6], the_last_is_found);
    beside_a_writer(&[1, 3, 5, 7, 9], &[11], all_are_found);
}

#[test]
fn a_scan_meets_all_while_a_leaf_is_split() {
    beside_a_writer(&[1, 3, 5], &[2], a_scan_meets_all);
    beside_a_writer(&[1, 3, 5], &[2], a_scan_backward_meets_all);
}

#[test]
fn an_entry_is_found_while_the_leaf_that_it_was_in_is_used_again() {
    // The 2 replaces the leaf of the 1, and the 6, which divides the next leaf, takes it.
    beside_a_writer(&[1, 3, 5, 7], &[2, 6], the_first_is_found);
}

/// A reader at a number that was published finds the version of that number, whatever comes meanwhile.
#[test]
fn a_version_is_found_while_a_newer_one_comes() {
    loom::model(|| {
        let table = Arc::new(BTreeMemTable::new());
        insert(&table, 7, 1);
        let reader = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.get(&[7], SeqNo::new(1)).expect("it was published").0.seqno())
        };
        insert(&table, 7, 2);
        assert_eq!(reader.join().unwrap(), SeqNo::new(1));
    });
}

#[test]
fn a_scan_beside_an_append_meets_no_slot_before_it_is_written() {
    beside_a_writer(&[3], &[5], a_scan_meets_all);
}

#[test]
fn what_is_read_of_a_chunk_was_written_before() {
    loom::model(|| {
        let (chunk, mut appender) = Chunk::new(32);
        let reader = thread::spawn(move || {
            let filled = chunk.filled();
            assert!(filled.chunks(8).all(|granule| granule == b"12345678"));
        });
        appender.append([b"12345678", b"", b""]);
        appender.append([b"1234", b"5678", b""]);
        reader.join().unwrap();
    });
}
