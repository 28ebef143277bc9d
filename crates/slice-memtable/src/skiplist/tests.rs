//! What is particular to the skip list; what holds for every memtable is in `tests/conformance`.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use slice_types::{EntryIterator, EntryKind, SeqNo, Trailer, internal_cmp};

use super::position::{Place, Position};
use super::{NODE_BYTES, SkipListMemTable};
use crate::MemTable;

fn put(n: u64) -> Trailer {
    Trailer::new(SeqNo::new(n), EntryKind::Put)
}

#[test]
fn an_entry_that_comes_again_changes_nothing() {
    let table = SkipListMemTable::new();
    table.insert(b"key", put(7), b"first");
    table.insert(b"key", put(7), b"again");
    assert_eq!(table.len(), 1);
    assert_eq!(&table.get(b"key", SeqNo::MAX).unwrap().1[..], b"first");
}

#[test]
fn each_entry_is_charged_its_node() {
    let table = SkipListMemTable::new();
    table.insert(b"a", put(1), b"");
    let before = table.memory_used();
    table.insert(b"b", put(2), b"");
    assert_eq!(table.memory_used() - before, NODE_BYTES);
}

#[test]
fn an_iterator_crosses_the_ends_of_its_batches_in_both_directions() {
    let table = Arc::new(SkipListMemTable::new());
    for i in 0..2000_u64 {
        table.insert(&i.to_be_bytes(), put(i), b"");
    }
    let mut iter = table.iter();
    iter.seek_to_first().unwrap();
    for i in 0..2000_u64 {
        // One step back and forth at each place: at the front of a batch it is a search.
        iter.prev().unwrap();
        match i.checked_sub(1) {
            Some(before) => assert_eq!(iter.entry().unwrap().key, before.to_be_bytes()),
            None => iter.seek_to_first().unwrap(),
        }
        if i > 0 {
            iter.next().unwrap();
        }
        assert_eq!(iter.entry().unwrap().key, i.to_be_bytes());
        iter.next().unwrap();
    }
    assert_eq!(iter.entry(), None);
}

/// Keys that agree up to around the length of a head, and end there, in zeros or in other bytes.
fn near_heads() -> impl Strategy<Value = Vec<u8>> {
    (vec(Just(b'p'), 0..18), vec(prop_oneof![Just(0_u8), Just(1), Just(255)], 0..4))
        .prop_map(|(front, back)| [front, back].concat())
}

proptest! {
    #[test]
    fn heads_order_as_the_keys_do(left in near_heads(), right in near_heads(), a in 0..3_u64, b in 0..3_u64) {
        let (a, b) = (put(a), put(b));
        let places: (&dyn Position, &dyn Position) = (&Place::new(&left, a), &Place::new(&right, b));
        prop_assert_eq!(places.0.cmp(places.1), internal_cmp((&left, a), (&right, b)));
        prop_assert_eq!(places.0.place().same_key(&places.1.place()), left == right);
    }
}
