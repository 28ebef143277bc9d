//! `memory_used` against the allocator, which is the one who knows; and what a lookup allocates, which is nothing.
//!
//! One test only: the allocator counts for the whole process.
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use slice_memtable::{BTreeMemTable, MemTable, SkipListMemTable, mapped_bytes};
use slice_types::{EntryIterator, EntryKind, SeqNo, Trailer};

/// The system's allocator, with what is live and how often it was called.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on unchanged to `System`, which keeps the contract; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `ptr` came from `alloc` above with this layout, so from `System`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn put(n: u64) -> Trailer {
    Trailer::new(SeqNo::new(n), EntryKind::Put)
}

fn key(n: u64) -> [u8; 16] {
    u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes()
}

/// A table of `entries` entries, and what it holds of memory, in bytes.
fn filled<M: MemTable>(entries: u64, value: &[u8]) -> (Arc<M>, usize) {
    let before = live();
    let table = Arc::new(M::new());
    for n in 0..entries {
        table.insert(&key(n), put(n), value);
    }
    (table, live() - before)
}

/// What the allocator gave and has not got back, and what was mapped beside it, in bytes.
fn live() -> usize {
    LIVE.load(Ordering::Relaxed) + mapped_bytes()
}

fn memory_used_is_within_a_fifth_of_the_truth<M: MemTable>() {
    for (entries, value_len) in [
        (20_000, 0),
        (20_000, 10),
        (20_000, 100),
        (5_000, 1_000),
        (2_000, 20_000),
        (500, 40_000),
        (20, 1_000_000),
    ] {
        let (table, truth) = filled::<M>(entries, &vec![7; value_len]);
        let used = table.memory_used();
        let ratio = used as f64 / truth as f64;
        assert!((0.8..1.2).contains(&ratio), "{entries} of {value_len} B: says {used}, holds {truth}");
    }
}

fn a_small_table_is_not_charged_a_large_chunk<M: MemTable>() {
    let (table, _) = filled::<M>(1, b"value");
    assert!(table.memory_used() < 8 * 1024, "{}", table.memory_used());
}

/// Lookups of what came first, `among` so many: what came last may be in memory that is not shared yet.
fn lookups_allocate_nothing<M: MemTable>(value_len: usize, among: u64) {
    let (table, _) = filled::<M>(1000, &vec![7; value_len]);
    let look_up = || {
        for n in 0..among {
            assert!(table.get(&key(n), SeqNo::MAX).is_some());
            assert!(table.get(&key(n)[..15], SeqNo::MAX).is_none());
        }
    };
    // The first lookup of a thread registers it with the list's collector; the first in a piece of a chunk makes it shared.
    look_up();
    let before = CALLS.load(Ordering::Relaxed);
    look_up();
    assert_eq!(CALLS.load(Ordering::Relaxed) - before, 0, "with values of {value_len} B");
}

/// What came last is copied, once a lookup.
fn a_lookup_allocates_no_more_than_its_value<M: MemTable>() {
    let (table, _) = filled::<M>(1000, &[7; 100]);
    let before = CALLS.load(Ordering::Relaxed);
    let values: Vec<_> = (0..1000).map(|n| table.get(&key(n), SeqNo::MAX).unwrap().1).collect();
    let calls = CALLS.load(Ordering::Relaxed) - before;
    assert!(calls < 500, "{calls} allocations");
    assert!(values.iter().all(|value| **value == [7; 100]));
}

fn a_scan_allocates_its_batch_and_nothing_an_entry<M: MemTable>() {
    let (table, _) = filled::<M>(10_000, &[7; 100]);
    let before = CALLS.load(Ordering::Relaxed);
    let mut iter = table.iter();
    iter.seek_to_first().unwrap();
    while iter.entry().is_some() {
        iter.next().unwrap();
    }
    let calls = CALLS.load(Ordering::Relaxed) - before;
    assert!(calls < 20, "{calls} allocations");
}

fn all_is_given_back<M: MemTable>() {
    for entries in [10_000, 100_000] {
        let before = live();
        drop(filled::<M>(entries, &[7; 100]));
        let left = live().saturating_sub(before);
        assert!(left < 4096, "{left} bytes of {entries} entries");
    }
}

fn check<M: MemTable>() {
    memory_used_is_within_a_fifth_of_the_truth::<M>();
    a_small_table_is_not_charged_a_large_chunk::<M>();
    lookups_allocate_nothing::<M>(100, 500);
    lookups_allocate_nothing::<M>(40_000, 1000);
    a_lookup_allocates_no_more_than_its_value::<M>();
    a_scan_allocates_its_batch_and_nothing_an_entry::<M>();
    all_is_given_back::<M>();
}

#[test]
fn memory_is_what_it_says_and_lookups_take_none() {
    check::<SkipListMemTable>();
    // The list's lookups never allocate, wherever the entry is.
    lookups_allocate_nothing::<SkipListMemTable>(100, 1000);
    check::<BTreeMemTable>();
}
