//! Readers beside the writer. The writer publishes a count after each insert, as the engine publishes its sequence number;
//! a reader loads the count and must find all up to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use slice_memtable::MemTable;
use slice_types::{EntryIterator, EntryKind, SeqNo, Trailer};

const ENTRIES: u64 = 20_000;
/// Fewer keys than entries: each gets several versions.
const KEYS: u64 = 5_000;

/// The key of the n-th entry: all of them in turn, in an order that jumps about.
fn key(n: u64) -> [u8; 8] {
    (n * 2_654_435_761 % KEYS).to_be_bytes()
}

/// The n-th entry has sequence number n and says so.
fn insert<M: MemTable>(table: &M, n: u64) {
    table.insert(&key(n), Trailer::new(SeqNo::new(n), EntryKind::Put), &n.to_le_bytes());
}

/// Runs `read` in two threads beside a writer, again and again until all is written, with a count of entries that were
/// published (numbers 1 up to it) and the number of the round.
fn beside_a_writer<M: MemTable>(read: impl Fn(&Arc<M>, u64, u64) + Sync) {
    let table = Arc::new(M::new());
    let published = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for round in 0.. {
                    let count = published.load(Ordering::Acquire);
                    read(&table, count, round);
                    if count == ENTRIES {
                        break;
                    }
                }
            });
        }
        scope.spawn(|| {
            for n in 1..=ENTRIES {
                insert(&*table, n);
                published.store(n, Ordering::Release);
            }
        });
    });
}

pub(crate) fn readers_see_every_published_entry<M: MemTable>() {
    beside_a_writer::<M>(|table, count, round| {
        assert!(table.len() as u64 >= count);
        // The newest, which the writer has just left, and one from anywhere.
        for n in [count, round * 7919 % (count + 1)].into_iter().filter(|&n| n > 0) {
            let (trailer, value) = table.get(&key(n), SeqNo::new(n)).expect("it was published");
            assert_eq!((trailer.seqno(), &value[..]), (SeqNo::new(n), &n.to_le_bytes()[..]));
        }
        if count == ENTRIES {
            for n in 1..=ENTRIES {
                assert_eq!(table.get(&key(n), SeqNo::new(n)).unwrap().0.seqno(), SeqNo::new(n));
            }
        }
    });
}

pub(crate) fn scans_beside_a_writer_are_sorted_and_complete<M: MemTable>() {
    beside_a_writer::<M>(|table, count, round| {
        let seen = if round % 2 == 0 { scan_forward(table, count) } else { scan_backward(table, count) };
        assert_eq!(seen, count, "entries of those that were published before the scan");
    });
}

/// How many entries up to seqno `count` a forward scan meets. The whole scan must be in order.
fn scan_forward<M: MemTable>(table: &Arc<M>, count: u64) -> u64 {
    let (mut iter, mut seen, mut last) = (table.iter(), 0, None);
    iter.seek_to_first().unwrap();
    while let Some(entry) = iter.entry() {
        let place = (entry.key.to_vec(), std::cmp::Reverse(entry.trailer.to_u64()));
        assert!(last.is_none_or(|last| last < place));
        seen += u64::from(entry.seqno() <= SeqNo::new(count));
        last = Some(place);
        iter.next().unwrap();
    }
    seen
}

/// The same from the end.
fn scan_backward<M: MemTable>(table: &Arc<M>, count: u64) -> u64 {
    let (mut iter, mut seen, mut last) = (table.iter(), 0, None);
    iter.seek_to_last().unwrap();
    while let Some(entry) = iter.entry() {
        let place = (entry.key.to_vec(), std::cmp::Reverse(entry.trailer.to_u64()));
        assert!(last.is_none_or(|last| last > place));
        seen += u64::from(entry.seqno() <= SeqNo::new(count));
        last = Some(place);
        iter.prev().unwrap();
    }
    seen
}

pub(crate) fn two_writers_at_once_lose_nothing<M: MemTable>() {
    let table = M::new();
    let put = |n| Trailer::new(SeqNo::new(n), EntryKind::Put);
    thread::scope(|scope| {
        for writer in 0..2_u64 {
            let table = &table;
            scope.spawn(move || {
                for i in 0..1000_u64 {
                    table.insert(&i.to_be_bytes(), put(2 * i + writer), &[writer as u8]);
                }
            });
        }
    });
    assert_eq!(table.len(), 2000);
    assert_eq!(table.max_seqno(), SeqNo::new(1999));
    for i in 0..1000_u64 {
        assert_eq!(&table.get(&i.to_be_bytes(), SeqNo::new(2 * i)).unwrap().1[..], [0]);
        assert_eq!(&table.get(&i.to_be_bytes(), SeqNo::MAX).unwrap().1[..], [1]);
    }
}
