//! The block cache: never over its capacity, and within a shard an exact LRU list.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use slice_cache::{BlockCache, CacheStats, Charge};
use xxhash_rust::xxh3::xxh3_64;

const OVERHEAD: usize = BlockCache::<Bytes>::ENTRY_OVERHEAD;

fn block(len: usize) -> Bytes {
    Bytes::from(vec![0x5a; len])
}

/// A cache that fits so many blocks of 1,000 bytes, to the byte.
fn cache_of(blocks: usize) -> BlockCache<Bytes> {
    BlockCache::new(blocks * (1000 + OVERHEAD))
}

#[test]
fn it_is_filled_to_the_byte_and_not_beyond() {
    let cache = cache_of(3);
    for offset in 0..10 {
        cache.insert(1, offset, block(1000));
        assert!(cache.stats().size <= cache.capacity());
    }
    assert_eq!((cache.len(), cache.stats().size), (3, cache.capacity()));
    let held: Vec<_> = (0..10).filter(|&offset| cache.get(1, offset).is_some()).collect();
    assert_eq!(held, [7, 8, 9]);
}

#[test]
fn the_least_recently_used_block_goes_first() {
    let cache = cache_of(3);
    for offset in 0..3 {
        cache.insert(1, offset, block(1000));
    }
    assert!(cache.get(1, 0).is_some());
    cache.insert(1, 3, block(1000));
    assert!(cache.get(1, 1).is_none());
    assert!(cache.get(1, 0).is_some());
}

#[test]
fn one_large_block_takes_the_place_of_several() {
    let cache = cache_of(4);
    for offset in 0..4 {
        cache.insert(1, offset, block(1000));
    }
    cache.insert(1, 9, block(3001 + 2 * OVERHEAD));
    let held: Vec<_> = (0..10).filter(|&offset| cache.get(1, offset).is_some()).collect();
    assert_eq!(held, [9]);
    assert_eq!(cache.stats().evictions, 4);
}

#[test]
fn a_block_that_never_fits_pushes_nothing_out() {
    let cache = cache_of(2);
    cache.insert(1, 0, block(1000));
    cache.insert(1, 1, block(3000));
    assert!(cache.get(1, 1).is_none());
    assert!(cache.get(1, 0).is_some());
    assert_eq!((cache.stats().insertions, cache.stats().evictions), (1, 0));
}

#[test]
fn a_block_that_comes_again_is_charged_once() {
    let cache = cache_of(2);
    for len in [500, 1000, 700] {
        cache.insert(1, 0, block(len));
        assert_eq!(cache.stats().size, len + OVERHEAD);
        assert_eq!(cache.get(1, 0).unwrap().len(), len);
    }
    assert_eq!((cache.len(), cache.stats().evictions), (1, 0));
}

#[test]
fn tables_and_offsets_are_not_confused() {
    let cache = BlockCache::new(1 << 30);
    for (table, offset) in [(1, 2), (2, 1), (0, 1 << 32 | 2), (1 << 32, 2)] {
        assert!(cache.get(table, offset).is_none());
        cache.insert(table, offset, Bytes::from(format!("{table}/{offset}")));
    }
    assert_eq!(cache.get(2, 1).unwrap(), "2/1");
    assert_eq!(cache.get(1, 2).unwrap(), "1/2");
    assert_eq!(cache.len(), 4);
}

#[test]
fn clearing_gives_all_bytes_back() {
    let cache = BlockCache::new(64 << 20);
    for offset in 0..1000 {
        cache.insert(1, offset, block(100));
    }
    assert_eq!(cache.stats().size, 1000 * (100 + OVERHEAD));
    cache.clear();
    assert_eq!((cache.stats().size, cache.len(), cache.stats().insertions), (0, 0, 1000));
    assert!(cache.get(1, 1).is_none());
}

#[test]
fn the_statistics_count_what_happened() {
    let cache = cache_of(1);
    cache.insert(1, 0, block(1000));
    cache.insert(1, 1, block(1000));
    let found = [0, 1, 1, 1].map(|offset| cache.get(1, offset).is_some());
    assert_eq!(found, [false, true, true, true]);
    let size = 1000 + OVERHEAD;
    let expected =
        CacheStats { size, capacity: size, hit_ratio: 0.75, hits: 3, misses: 1, insertions: 2, evictions: 1 };
    assert_eq!(cache.stats(), expected);
}

#[test]
fn shrinking_drops_the_least_recently_used_and_growing_makes_room() {
    let cache = cache_of(4);
    for offset in 0..4 {
        cache.insert(1, offset, block(1000));
    }
    cache.resize(2 * (1000 + OVERHEAD) + 1);
    let held = |cache: &BlockCache<Bytes>| (0..9).filter(|&o| cache.get(1, o).is_some()).collect::<Vec<_>>();
    assert_eq!(held(&cache), [2, 3]);
    assert_eq!((cache.stats().capacity, cache.stats().evictions), (2 * (1000 + OVERHEAD) + 1, 2));
    cache.resize(3 * (1000 + OVERHEAD));
    cache.insert(1, 5, block(1000));
    assert_eq!(held(&cache), [2, 3, 5]);
    cache.resize(0);
    cache.insert(1, 6, block(1));
    assert_eq!((cache.len(), cache.stats().size), (0, 0));
}

#[test]
fn a_shrunk_cache_of_many_shards_holds_no_more_than_it_may() {
    let cache = BlockCache::new(64 << 20);
    for offset in 0..8000 {
        cache.insert(1, offset, block(4096));
    }
    for capacity in [20 << 20, 1 << 20, 40 << 20] {
        cache.resize(capacity);
        (0..8000).for_each(|offset| cache.insert(2, offset, block(4096)));
        let size = cache.stats().size;
        assert!(size <= capacity && size > capacity / 2, "{size} of {capacity}");
    }
}

#[test]
fn a_capacity_of_zero_stores_and_counts_nothing() {
    let cache = BlockCache::new(0);
    cache.insert(1, 0, block(0));
    assert!(cache.get(1, 0).is_none());
    assert!(!cache.is_enabled() && cache.is_empty());
    assert_eq!(cache.stats(), CacheStats::default());
}

#[test]
fn an_arc_is_charged_for_what_is_behind_it() {
    let header = size_of::<Vec<u8>>() + 2 * size_of::<usize>();
    assert_eq!(Arc::new(Vec::<u8>::with_capacity(100)).charge(), header + 100);
}

#[test]
fn threads_that_share_it_stay_within_its_capacity() {
    let cache = BlockCache::<Bytes>::new(8 << 20);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let cache = &cache;
            scope.spawn(move || {
                for i in 0..4000_u64 {
                    let hash = xxh3_64(&(i << 8 | thread).to_le_bytes());
                    let (table, offset) = (hash % 2, hash / 2 % 2000);
                    match cache.get(table, offset) {
                        Some(found) => assert_eq!(found.len() as u64, offset * 4),
                        None => cache.insert(table, offset, block(offset as usize * 4)),
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

proptest! {
    #[test]
    fn it_behaves_as_a_list_with_the_latest_use_in_front(
        capacity in 1..6000_usize,
        ops in vec((any::<bool>(), 0..3_u64, 0..4_u64, 0..2000_usize), 1..200),
    ) {
        let cache = BlockCache::<Bytes>::new(capacity);
        let mut model: VecDeque<((u64, u64), usize)> = VecDeque::new();
        for (reads, table, offset, len) in ops {
            let id = (table, offset);
            let known = model.iter().position(|entry| entry.0 == id);
            if reads {
                prop_assert_eq!(cache.get(table, offset).map(|found| found.len()), known.map(|at| model[at].1));
                if let Some(entry) = known.and_then(|at| model.remove(at)) {
                    model.push_front(entry);
                }
            } else {
                cache.insert(table, offset, block(len));
                model_insert(&mut model, capacity, id, len);
            }
            prop_assert_eq!(cache.stats().size, charged(&model));
            prop_assert!(cache.stats().size <= capacity);
        }
    }
}

fn charged(model: &VecDeque<((u64, u64), usize)>) -> usize {
    model.iter().map(|(_, len)| len + OVERHEAD).sum()
}

/// Takes from the back what must go, which may be the block's own former self, and puts the block in front.
fn model_insert(model: &mut VecDeque<((u64, u64), usize)>, capacity: usize, id: (u64, u64), len: usize) {
    if len + OVERHEAD > capacity {
        return;
    }
    let others = |model: &VecDeque<_>| {
        charged(model) - model.iter().find(|entry| entry.0 == id).map_or(0, |(_, len)| len + OVERHEAD)
    };
    while others(model) + len + OVERHEAD > capacity {
        model.pop_back();
    }
    model.retain(|entry| entry.0 != id);
    model.push_front((id, len));
}
