//! One behaviour a test, in the order in which one would ask for them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use slice_memtable::MemTable;
use slice_types::{EntryIterator, EntryKind, MAX_KEY_LEN, SeqNo, Trailer};

fn seqno(n: u64) -> SeqNo {
    SeqNo::new(n)
}

fn put(n: u64) -> Trailer {
    Trailer::new(seqno(n), EntryKind::Put)
}

fn delete(n: u64) -> Trailer {
    Trailer::new(seqno(n), EntryKind::Delete)
}

pub(crate) fn an_empty_table_has_nothing<M: MemTable>() {
    let table = Arc::new(M::new());
    assert!(table.is_empty());
    assert_eq!((table.len(), table.tombstones(), table.max_seqno()), (0, 0, SeqNo::ZERO));
    assert_eq!(table.get(b"", SeqNo::MAX), None);
    let mut iter = table.iter();
    assert_eq!(iter.entry(), None);
    iter.seek_to_first().unwrap();
    assert_eq!(iter.entry(), None);
    iter.seek_to_last().unwrap();
    assert_eq!(iter.entry(), None);
}

pub(crate) fn the_newest_version_at_or_below_a_seqno_is_found<M: MemTable>() {
    let table = M::new();
    for n in [20, 10, 30] {
        table.insert(b"key", put(n), n.to_string().as_bytes());
    }
    table.insert(b"ke", put(15), b"before");
    table.insert(b"key\0", put(15), b"behind");
    for (at, expected) in [
        (9, None),
        (10, Some(10)),
        (19, Some(10)),
        (20, Some(20)),
        (29, Some(20)),
        (30, Some(30)),
        (99, Some(30)),
    ] {
        let found = table.get(b"key", seqno(at));
        assert_eq!(found, expected.map(|n: u64| (put(n), n.to_string().into())), "as of {at}");
    }
}

pub(crate) fn a_tombstone_is_an_answer<M: MemTable>() {
    let table = M::new();
    table.insert(b"key", put(1), b"value");
    table.insert(b"key", delete(2), b"");
    assert_eq!(table.get(b"key", SeqNo::MAX), Some((delete(2), "".into())));
    assert_eq!(table.get(b"key", seqno(1)), Some((put(1), "value".into())));
}

pub(crate) fn keys_and_values_of_every_length_come_back<M: MemTable>() {
    let table = M::new();
    let lengths = [0, 1, 7, 8, 15, 16, 17, 100, 4096, 5000, MAX_KEY_LEN];
    for (n, &len) in lengths.iter().enumerate() {
        table.insert(&vec![b'k'; len], put(n as u64), &vec![n as u8; len * 5]);
    }
    for (n, &len) in lengths.iter().enumerate() {
        let (trailer, value) = table.get(&vec![b'k'; len], SeqNo::MAX).unwrap();
        assert_eq!((trailer, &value[..]), (put(n as u64), &vec![n as u8; len * 5][..]));
    }
}

pub(crate) fn a_value_outlives_its_table<M: MemTable>() {
    let table = M::new();
    table.insert(b"key", put(1), b"value");
    let (_, value) = table.get(b"key", SeqNo::MAX).unwrap();
    drop(table);
    assert_eq!(value, "value");
}

pub(crate) fn an_iterator_keeps_its_table_alive<M: MemTable>() {
    let table = Arc::new(M::new());
    table.insert(b"key", put(1), b"value");
    let mut iter = table.iter();
    drop(table);
    // It may cross threads as well.
    std::thread::scope(|scope| {
        scope.spawn(move || {
            iter.seek_to_first().unwrap();
            assert_eq!(iter.entry().unwrap().value, b"value");
        });
    });
}

pub(crate) fn an_iterator_stays_on_none_off_either_end<M: MemTable>() {
    let table = Arc::new(M::new());
    table.insert(b"a", put(1), b"");
    table.insert(b"b", put(2), b"");
    let mut iter = table.iter();
    iter.next().unwrap();
    assert_eq!(iter.entry(), None, "next before the first movement");
    iter.prev().unwrap();
    assert_eq!(iter.entry(), None, "prev before the first movement");
    iter.seek_to_last().unwrap();
    assert_eq!(iter.entry().unwrap().key, b"b");
    iter.next().unwrap();
    iter.prev().unwrap();
    assert_eq!(iter.entry(), None, "prev behind the end");
    iter.seek_to_first().unwrap();
    assert_eq!(iter.entry().unwrap().key, b"a");
    iter.prev().unwrap();
    iter.next().unwrap();
    assert_eq!(iter.entry(), None, "next before the start");
}

pub(crate) fn a_seek_sees_what_came_since_the_last<M: MemTable>() {
    let table = Arc::new(M::new());
    table.insert(b"a", put(1), b"");
    table.insert(b"c", put(2), b"");
    let mut iter = table.iter();
    iter.seek_to_first().unwrap();
    table.insert(b"b", put(3), b"");
    table.insert(b"d", put(4), b"");
    iter.seek(b"b", Trailer::FIRST).unwrap();
    assert_eq!(iter.entry().unwrap().key, b"b");
    iter.seek_to_last().unwrap();
    assert_eq!(iter.entry().unwrap().key, b"d");
}

pub(crate) fn the_counters_follow_the_entries<M: MemTable>() {
    let table = M::new();
    table.insert(b"a", put(5), b"1");
    table.insert(b"a", delete(9), b"");
    table.insert(b"b", Trailer::new(seqno(7), EntryKind::RangeDelete), b"c");
    table.insert(b"c", Trailer::new(seqno(8), EntryKind::Merge), b"+1");
    assert!(!table.is_empty());
    assert_eq!((table.len(), table.tombstones(), table.max_seqno()), (4, 2, seqno(9)));
}

pub(crate) fn a_range_tombstone_is_no_entry_of_its_start<M: MemTable>() {
    let table = Arc::new(M::new());
    table.insert(b"b", put(1), b"value");
    table.insert(b"b", Trailer::new(seqno(2), EntryKind::RangeDelete), b"d");
    assert_eq!(table.get(b"b", SeqNo::MAX), Some((put(1), "value".into())));
    assert_eq!(table.covering(b"b", SeqNo::MAX), Some(seqno(2)));
    assert_eq!((table.covering(b"b", seqno(1)), table.covering(b"d", SeqNo::MAX)), (None, None));
    let mut iter = table.iter();
    iter.seek_to_last().unwrap();
    assert_eq!(iter.entry().unwrap().trailer, put(1));
}

pub(crate) fn a_table_of_nothing_but_a_range_tombstone_is_not_empty<M: MemTable>() {
    let table = Arc::new(M::new());
    let empty = table.memory_used();
    // Without an end.
    table.insert(b"b", Trailer::new(seqno(2), EntryKind::RangeDelete), b"");
    assert!(!table.is_empty());
    assert_eq!((table.len(), table.tombstones(), table.max_seqno()), (1, 1, seqno(2)));
    assert!(table.memory_used() > empty);
    // A log that is replayed twice brings it twice.
    table.insert(b"b", Trailer::new(seqno(2), EntryKind::RangeDelete), b"");
    assert_eq!((table.len(), table.tombstones()), (1, 1));
}

pub(crate) fn memory_grows_by_at_least_what_is_stored<M: MemTable>() {
    let table = M::new();
    let empty = table.memory_used();
    let mut stored = 0;
    for n in 0..500_u64 {
        let before = table.memory_used();
        let value = vec![1; n as usize * 97];
        table.insert(&n.to_be_bytes(), put(n), &value);
        stored += 8 + value.len();
        assert!(table.memory_used() >= before);
        assert!(table.memory_used() - empty >= stored);
    }
}

pub(crate) fn an_entry_that_could_not_be_read_back_is_refused<M: MemTable>() {
    let table = M::new();
    let refused =
        |key: &[u8], trailer| catch_unwind(AssertUnwindSafe(|| table.insert(key, trailer, b""))).is_err();
    assert!(refused(b"key", Trailer::seek(seqno(7))));
    assert!(refused(&vec![0; MAX_KEY_LEN + 1], put(7)));
    let reversed = Trailer::new(seqno(7), EntryKind::RangeDelete);
    assert!(catch_unwind(AssertUnwindSafe(|| table.insert(b"c", reversed, b"b"))).is_err());
    assert!(table.is_empty());
    assert!(!refused(b"key", put(7)));
    assert_eq!(table.len(), 1);
}
