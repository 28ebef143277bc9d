//! The block cache: never over its capacity, and within a shard a clock.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use slice_cache::{BlockCache, CacheStats, Charge, Shelf};
use xxhash_rust::xxh3::xxh3_64;

type Block = Arc<Vec<u8>>;

/// What a block takes beside its bytes.
const OVERHEAD: usize = BlockCache::<Block>::ENTRY_OVERHEAD + size_of::<Vec<u8>>() + 2 * size_of::<usize>();

fn block(len: usize) -> Block {
    Arc::new(vec![0x5a; len])
}

/// A cache that fits so many blocks of 1,000 bytes, to the byte, and a shelf in it.
fn cache_of(blocks: usize) -> (Arc<BlockCache<Block>>, Shelf<Block>) {
    let cache = Arc::new(BlockCache::new(blocks * (1000 + OVERHEAD)));
    let shelf = cache.shelf(100);
    (cache, shelf)
}

/// Which blocks a shelf has. Asking marks them.
fn held(shelf: &Shelf<Block>) -> Vec<usize> {
    (0..100).filter(|&block| shelf.get(block).is_some()).collect()
}

#[test]
fn it_is_filled_to_the_byte_and_not_beyond() {
    let (cache, shelf) = cache_of(3);
    for number in 0..10 {
        shelf.insert(number, block(1000));
        assert!(cache.stats().size <= cache.capacity());
    }
    assert_eq!((cache.len(), cache.stats().size), (3, cache.capacity()));
    assert_eq!(held(&shelf), [7, 8, 9]);
}

#[test]
fn a_block_that_was_used_is_spared_once() {
    let (_cache, shelf) = cache_of(3);
    (0..3).for_each(|number| shelf.insert(number, block(1000)));
    assert!(shelf.get(0).is_some());
    shelf.insert(3, block(1000)); // passes 0, which was used, and takes out 1
    shelf.insert(4, block(1000)); // takes out 2
    shelf.insert(5, block(1000)); // 0 was not used since
    assert_eq!(held(&shelf), [3, 4, 5]);
}

#[test]
fn where_all_blocks_were_used_the_oldest_goes() {
    let (_cache, shelf) = cache_of(3);
    (0..3).for_each(|number| shelf.insert(number, block(1000)));
    assert_eq!(held(&shelf), [0, 1, 2]);
    shelf.insert(3, block(1000));
    assert_eq!(held(&shelf), [1, 2, 3]);
}

#[test]
fn one_large_block_takes_the_place_of_several() {
    let (cache, shelf) = cache_of(4);
    (0..4).for_each(|number| shelf.insert(number, block(1000)));
    shelf.insert(9, block(3001 + 2 * OVERHEAD));
    assert_eq!(held(&shelf), [9]);
    assert_eq!(cache.stats().evictions, 4);
}

/// How many of these blocks a cache wants, asked so many times.
fn wanted(shelf: &Shelf<Block>, times: usize) -> usize {
    (0..times).filter(|time| shelf.wants(time % 100)).count()
}

#[test]
fn while_there_is_room_every_block_is_wanted_and_then_about_one_in_eight() {
    let (_cache, shelf) = cache_of(3);
    shelf.insert(0, block(1000));
    assert_eq!(wanted(&shelf, 1000), 1000);
    (1..3).for_each(|number| shelf.insert(number, block(1000)));
    let wanted = wanted(&shelf, 10_000);
    assert!((1000..1500).contains(&wanted), "{wanted}");
}

#[test]
fn a_cache_of_nothing_wants_nothing_and_no_shelf_what_it_has_no_place_for() {
    let nothing = Arc::new(BlockCache::<Block>::new(0));
    assert_eq!(wanted(&nothing.shelf(100), 1000), 0);
    assert!(!cache_of(3).1.wants(100));
}

#[test]
fn what_is_read_again_and_again_is_soon_in_a_full_cache_and_stays_there() {
    let (cache, shelf) = cache_of(10);
    let mut hits = 0;
    for round in 0..1000 {
        // A few blocks, each in its turn, among many that are read once in a while.
        for number in [0, 1, 2, 3, 10 + round % 90] {
            hits += usize::from(number < 4 && shelf.get(number).is_some());
            if shelf.get(number).is_none() && shelf.wants(number) {
                shelf.insert(number, block(1000));
            }
        }
    }
    assert!(hits > 3500, "{hits} hits of 4000");
    assert_eq!(cache.len(), 10);
}

#[test]
fn a_block_that_never_fits_pushes_nothing_out() {
    let (cache, shelf) = cache_of(2);
    shelf.insert(0, block(1000));
    shelf.insert(1, block(3000));
    assert_eq!(held(&shelf), [0]);
    assert_eq!((cache.stats().insertions, cache.stats().evictions), (1, 0));
}

#[test]
fn a_block_that_comes_again_is_charged_once_and_the_first_one_stays() {
    let (cache, shelf) = cache_of(2);
    for len in [500, 1000, 700] {
        shelf.insert(0, block(len));
        assert_eq!(cache.stats().size, 500 + OVERHEAD);
        assert_eq!(shelf.get(0).unwrap().len(), 500);
    }
    assert_eq!((cache.len(), cache.stats().insertions, cache.stats().evictions), (1, 1, 0));
}

#[test]
fn each_table_has_its_own_blocks() {
    let cache = Arc::new(BlockCache::<Block>::new(1 << 30));
    let (left, right) = (cache.shelf(3), cache.shelf(3));
    left.insert(1, block(10));
    right.insert(1, block(20));
    right.insert(2, block(30));
    assert_eq!([&left, &right].map(|shelf| shelf.get(1).map(|kept| kept.len())), [Some(10), Some(20)]);
    assert!(left.get(2).is_none() && left.get(0).is_none());
    assert_eq!(cache.len(), 3);
}

#[test]
fn a_block_that_no_table_of_so_many_has_is_neither_kept_nor_found() {
    let (cache, _) = cache_of(3);
    let shelf = cache.shelf(2);
    shelf.insert(2, block(1));
    assert!(shelf.get(2).is_none() && shelf.get(usize::MAX).is_none());
    assert_eq!(cache.stats(), CacheStats { capacity: cache.capacity(), ..CacheStats::default() });
}

#[test]
fn what_a_table_kept_goes_with_it() {
    let cache = Arc::new(BlockCache::new(64 << 20));
    let (left, right) = (cache.shelf(1000), cache.shelf(1000));
    for number in 0..1000 {
        left.insert(number, block(100));
        right.insert(number, block(200));
    }
    drop(left);
    assert_eq!((cache.len(), cache.stats().size), (1000, 1000 * (200 + OVERHEAD)));
    drop(right);
    assert_eq!((cache.len(), cache.stats().size, cache.stats().evictions), (0, 0, 0));
}

#[test]
fn tables_that_come_and_go_leave_room_for_others() {
    let (cache, stays) = cache_of(10);
    (0..4).for_each(|number| stays.insert(number, block(1000)));
    for _ in 0..100 {
        let goes = cache.shelf(3);
        (0..3).for_each(|number| goes.insert(number, block(1000)));
        assert!(cache.stats().size <= cache.capacity());
    }
    assert_eq!((held(&stays), cache.stats().evictions), (vec![0, 1, 2, 3], 0));
    (10..20).for_each(|number| stays.insert(number, block(1000)));
    assert_eq!((cache.len(), cache.stats().size), (10, cache.capacity()));
}

#[test]
fn what_is_held_outlives_its_place_in_the_cache() {
    let (cache, shelf) = cache_of(1);
    shelf.insert(0, block(1000));
    let kept = shelf.get(0).unwrap();
    shelf.insert(1, block(1000));
    drop((shelf, cache));
    assert_eq!(**kept, vec![0x5a; 1000]);
}

#[test]
fn clearing_gives_all_bytes_back() {
    let cache = Arc::new(BlockCache::new(64 << 20));
    let shelf = cache.shelf(1000);
    (0..1000).for_each(|number| shelf.insert(number, block(100)));
    assert_eq!(cache.stats().size, 1000 * (100 + OVERHEAD));
    cache.clear();
    assert_eq!((cache.stats().size, cache.len(), cache.stats().insertions), (0, 0, 1000));
    assert!(shelf.get(1).is_none());
    shelf.insert(1, block(100));
    assert_eq!(cache.len(), 1);
}

#[test]
fn the_statistics_count_what_happened() {
    let (cache, shelf) = cache_of(1);
    shelf.insert(0, block(1000));
    shelf.insert(1, block(1000));
    let found = [0, 1, 1, 1].map(|number| shelf.get(number).is_some());
    assert_eq!(found, [false, true, true, true]);
    let size = 1000 + OVERHEAD;
    let expected =
        CacheStats { size, capacity: size, hit_ratio: 0.75, hits: 3, misses: 1, insertions: 2, evictions: 1 };
    assert_eq!(cache.stats(), expected);
}

#[test]
fn shrinking_drops_the_oldest_and_growing_makes_room() {
    let (cache, shelf) = cache_of(4);
    (0..4).for_each(|number| shelf.insert(number, block(1000)));
    cache.resize(2 * (1000 + OVERHEAD) + 1);
    assert_eq!(held(&shelf), [2, 3]);
    assert_eq!((cache.stats().capacity, cache.stats().evictions), (2 * (1000 + OVERHEAD) + 1, 2));
    cache.resize(3 * (1000 + OVERHEAD));
    shelf.insert(5, block(1000));
    assert_eq!(held(&shelf), [2, 3, 5]);
    cache.resize(0);
    shelf.insert(6, block(1));
    assert_eq!((cache.len(), cache.stats().size), (0, 0));
}

#[test]
fn a_shrunk_cache_of_many_shards_holds_no_more_than_it_may() {
    let cache = Arc::new(BlockCache::new(64 << 20));
    let (first, second) = (cache.shelf(8000), cache.shelf(8000));
    (0..8000).for_each(|number| first.insert(number, block(4096)));
    for capacity in [20 << 20, 1 << 20, 40 << 20] {
        cache.resize(capacity);
        (0..8000).for_each(|number| second.insert(number, block(4096)));
        let size = cache.stats().size;
        assert!(size <= capacity && size > capacity / 2, "{size} of {capacity}");
    }
}

#[test]
fn the_blocks_of_many_shards_fill_all_of_the_cache() {
    let count = 15_000;
    let cache = Arc::new(BlockCache::new(count * (4096 + OVERHEAD) + 64 * (4096 + OVERHEAD)));
    let shelf = cache.shelf(count);
    (0..count).for_each(|number| shelf.insert(number, block(4096)));
    assert_eq!((cache.len(), cache.stats().evictions), (count, 0));
}

#[test]
fn a_capacity_of_zero_stores_and_counts_nothing() {
    let cache = Arc::new(BlockCache::<Block>::new(0));
    let shelf = cache.shelf(10);
    shelf.insert(0, block(0));
    assert!(shelf.get(0).is_none());
    assert!(!cache.is_enabled() && cache.is_empty());
    assert_eq!((cache.stats(), shelf.memory_used()), (CacheStats::default(), 0));
}

#[test]
fn an_arc_is_charged_for_what_is_behind_it() {
    let header = size_of::<Vec<u8>>() + 2 * size_of::<usize>();
    assert_eq!(Arc::new(Vec::<u8>::with_capacity(100)).charge(), header + 100);
}

#[test]
fn threads_that_share_it_stay_within_its_capacity() {
    let cache = Arc::new(BlockCache::<Block>::new(8 << 20));
    let shelves = [cache.shelf(2000), cache.shelf(2000)];
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (cache, shelves) = (&cache, &shelves);
            scope.spawn(move || {
                for i in 0..4000_u64 {
                    let hash = xxh3_64(&(i << 8 | thread).to_le_bytes());
                    let (shelf, number) = (&shelves[(hash % 2) as usize], (hash / 2 % 2000) as usize);
                    let found = shelf.get(number);
                    match found {
                        Some(found) => assert_eq!(found.len(), number * 4),
                        None => shelf.insert(number, block(number * 4)),
                    }
                    if i % 100 == 0 {
                        assert!(cache.stats().size <= cache.capacity());
                    }
                }
            });
        }
    });
    let stats = cache.stats();
    assert_eq!(stats.hits + stats.misses, 16_000);
    assert!(stats.evictions > 0 && stats.hits > 0, "{stats:?}");
}

#[derive(Clone, Debug)]
enum Op {
    Get(usize, usize),
    Insert(usize, usize, usize),
    /// The table goes, and another one comes.
    Replace(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => (0..3_usize, 0..4_usize).prop_map(|(table, number)| Op::Get(table, number)),
        10 => (0..3_usize, 0..4_usize, 0..2000_usize).prop_map(|(t, n, len)| Op::Insert(t, n, len)),
        1 => (0..3_usize).prop_map(Op::Replace),
    ]
}

proptest! {
    #[test]
    fn it_behaves_as_a_clock(capacity in 1..6000_usize, ops in vec(op(), 1..200)) {
        let cache = Arc::new(BlockCache::<Block>::new(capacity));
        let mut shelves = [(); 3].map(|()| cache.shelf(4));
        let mut model = Model { capacity, ring: VecDeque::new() };
        for op in ops {
            match op {
                Op::Get(table, number) => {
                    let found = shelves[table].get(number).map(|kept| kept.len());
                    prop_assert_eq!(found, model.get((table, number)));
                }
                Op::Insert(table, number, len) => {
                    shelves[table].insert(number, block(len));
                    model.insert((table, number), len);
                }
                Op::Replace(table) => {
                    shelves[table] = cache.shelf(4);
                    model.ring.retain(|seat| seat.id.0 != table);
                }
            }
            prop_assert_eq!((cache.stats().size, cache.len()), (model.used(), model.ring.len()));
            prop_assert!(cache.stats().size <= capacity);
        }
    }
}

/// The clock, written down as plainly as it goes.
struct Model {
    capacity: usize,
    ring: VecDeque<Seat>,
}

struct Seat {
    id: (usize, usize),
    len: usize,
    marked: bool,
}

impl Model {
    fn used(&self) -> usize {
        self.ring.iter().map(|seat| seat.len + OVERHEAD).sum()
    }

    fn get(&mut self, id: (usize, usize)) -> Option<usize> {
        let seat = self.ring.iter_mut().find(|seat| seat.id == id)?;
        seat.marked = true;
        Some(seat.len)
    }

    fn insert(&mut self, id: (usize, usize), len: usize) {
        if len + OVERHEAD > self.capacity || self.ring.iter().any(|seat| seat.id == id) {
            return;
        }
        while self.used() + len + OVERHEAD > self.capacity {
            let first = self.ring.pop_front().expect("what is used is used by somebody");
            if first.marked {
                self.ring.push_back(Seat { marked: false, ..first });
            }
        }
        self.ring.push_back(Seat { id, len, marked: false });
    }
}
