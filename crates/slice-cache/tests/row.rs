//! The row cache: what it holds is exactly what an LRU list of its capacity would.

use std::collections::VecDeque;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use slice_cache::{CacheStats, RowCache};
use xxhash_rust::xxh3::xxh3_64;

fn insert<V: Clone>(cache: &RowCache<V>, table: u64, key: &[u8], value: V) {
    cache.insert(table, key, xxh3_64(key), value);
}

fn get<V: Clone>(cache: &RowCache<V>, table: u64, key: &[u8]) -> Option<V> {
    cache.get(table, key, xxh3_64(key))
}

#[test]
fn a_cache_of_50_holds_50_after_200_reads() {
    let cache = RowCache::new(50);
    for i in 0..200_u32 {
        let key = i.to_be_bytes();
        assert_eq!(get(&cache, 1, &key), None);
        insert(&cache, 1, &key, i);
    }
    assert_eq!((cache.len(), cache.stats().size, cache.stats().capacity), (50, 50, 50));
    for i in 0..200_u32 {
        assert_eq!(get(&cache, 1, &i.to_be_bytes()), (i >= 150).then_some(i));
    }
}

#[test]
fn every_capacity_is_filled_to_the_entry_and_not_beyond() {
    // The last three have one shard, two, and sixteen; of the latter, the shares differ by one.
    for capacity in [1, 2, 3, 1000, 4096, 8191, 8193, 70_001] {
        let cache = RowCache::new(capacity);
        for i in 0..capacity as u64 * 2 {
            insert(&cache, 1, &i.to_be_bytes(), ());
        }
        assert_eq!(cache.len(), capacity);
        assert_eq!(cache.capacity(), capacity);
    }
}

#[test]
fn the_least_recently_used_row_goes_first() {
    let cache = RowCache::new(3);
    for key in ["a", "b", "c"] {
        insert(&cache, 1, key.as_bytes(), key);
    }
    assert_eq!(get(&cache, 1, b"a"), Some("a")); // a read renews
    insert(&cache, 1, b"b", "B"); // so does a write
    insert(&cache, 1, b"d", "d");
    assert_eq!(get(&cache, 1, b"c"), None);
    assert_eq!(get(&cache, 1, b"a"), Some("a"));
    assert_eq!(get(&cache, 1, b"b"), Some("B"));
    assert_eq!(get(&cache, 1, b"d"), Some("d"));
}

#[test]
fn a_key_has_a_row_in_each_table() {
    let cache = RowCache::new(10);
    insert(&cache, 1, b"key", "old");
    insert(&cache, 2, b"key", "new");
    assert_eq!(get(&cache, 1, b"key"), Some("old"));
    assert_eq!(get(&cache, 2, b"key"), Some("new"));
    assert_eq!(get(&cache, 3, b"key"), None);
}

#[test]
fn keys_with_the_same_hash_are_not_confused() {
    let cache = RowCache::new(10);
    cache.insert(1, b"one", 42, 1);
    assert_eq!(cache.get(1, b"two", 42), None);
    cache.insert(1, b"two", 42, 2);
    assert_eq!(cache.get(1, b"one", 42), Some(1));
    assert_eq!(cache.get(1, b"two", 42), Some(2));
    assert_eq!(cache.get(1, b"", 42), None);
    assert_eq!(cache.len(), 2);
}

#[test]
fn clearing_empties_it_and_keeps_the_counters() {
    let cache = RowCache::new(100_000);
    for i in 0..1000_u32 {
        insert(&cache, 1, &i.to_be_bytes(), i);
    }
    assert_eq!(get(&cache, 1, &7_u32.to_be_bytes()), Some(7));
    cache.clear();
    assert!(cache.is_empty());
    assert_eq!(get(&cache, 1, &7_u32.to_be_bytes()), None);
    let stats = cache.stats();
    assert_eq!((stats.size, stats.hits, stats.insertions, stats.evictions), (0, 1, 1000, 0));
    insert(&cache, 1, b"again", 1);
    assert_eq!(cache.len(), 1);
}

#[test]
fn the_statistics_count_what_happened() {
    let cache = RowCache::new(2);
    assert_eq!(cache.stats(), CacheStats { capacity: 2, ..CacheStats::default() });
    for key in [b"a", b"b", b"b", b"c"] {
        insert(&cache, 1, key, ());
    }
    let found = [b"a", b"b", b"c", b"c"].map(|key| get(&cache, 1, key).is_some());
    assert_eq!(found, [false, true, true, true]);
    let expected =
        CacheStats { size: 2, capacity: 2, hit_ratio: 0.75, hits: 3, misses: 1, insertions: 4, evictions: 1 };
    assert_eq!(cache.stats(), expected);
}

#[test]
fn a_capacity_of_zero_stores_and_counts_nothing() {
    let cache = RowCache::new(0);
    insert(&cache, 1, b"key", 1);
    assert_eq!(get(&cache, 1, b"key"), None);
    cache.clear();
    assert!(!cache.is_enabled() && cache.is_empty());
    assert_eq!(cache.stats(), CacheStats::default());
}

#[test]
fn threads_that_share_it_read_their_own_keys_values() {
    let cache = RowCache::new(10_000);
    std::thread::scope(|scope| {
        for seed in 0..4_u64 {
            let cache = &cache;
            scope.spawn(move || {
                for i in 0..20_000_u64 {
                    let key = (xxh3_64(&(i + seed).to_le_bytes()) % 30_000).to_be_bytes();
                    match get(cache, 1, &key) {
                        Some(value) => assert_eq!(value, Bytes::copy_from_slice(&key)),
                        None => insert(cache, 1, &key, Bytes::copy_from_slice(&key)),
                    }
                }
            });
        }
    });
    let stats = cache.stats();
    assert_eq!(stats.hits + stats.misses, 80_000);
    assert_eq!(stats.misses, stats.insertions);
    assert!(stats.size <= 10_000 && stats.hits > 0, "{stats:?}");
}

proptest! {
    #[test]
    fn it_behaves_as_a_list_with_the_latest_use_in_front(
        capacity in 1..8_usize,
        ops in vec((any::<bool>(), 0..2_u64, 0..8_u8), 1..200),
    ) {
        let cache = RowCache::new(capacity);
        let mut model: VecDeque<((u64, u8), usize)> = VecDeque::new();
        for (n, (reads, table, key)) in ops.into_iter().enumerate() {
            let hash = u64::from(key % 3); // collides all the time
            let id = (table, key);
            let known = model.iter().position(|entry| entry.0 == id).and_then(|at| model.remove(at));
            if reads {
                prop_assert_eq!(cache.get(table, &[key], hash), known.map(|(_, value)| value));
                if let Some(entry) = known {
                    model.push_front(entry);
                }
            } else {
                cache.insert(table, &[key], hash, n);
                model.push_front((id, n));
                model.truncate(capacity);
            }
            prop_assert_eq!(cache.len(), model.len());
        }
    }
}
