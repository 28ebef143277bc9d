//! The row cache under loom: threads that meet in a shard find whole rows, count every lookup, and never wait for each
//! other in a circle.

use std::sync::Arc;

use loom::thread;

use crate::RowCache;

const TABLE: u64 = 7;
const HASH: u64 = 1;

fn explore(program: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(program);
}

/// A value that asks its cache when it is dropped.
#[derive(Clone)]
struct AsksWhenDropped(Arc<RowCache<Self>>);

impl Drop for AsksWhenDropped {
    fn drop(&mut self) {
        self.0.len();
    }
}

/// A value that asks its cache when it is cloned, which is under the lock.
struct AsksWhenCloned(Arc<RowCache<Self>>);

impl Clone for AsksWhenCloned {
    fn clone(&self) -> Self {
        self.0.len();
        Self(Arc::clone(&self.0))
    }
}

#[test]
fn threads_that_meet_find_whole_rows_and_every_lookup_counts() {
    explore(|| {
        let cache = Arc::new(RowCache::new(1));
        let meets = |key: &'static [u8]| {
            let cache = Arc::clone(&cache);
            thread::spawn(move || {
                cache.insert(TABLE, key, HASH, (key, key));
                if let Some((first, second)) = cache.get(TABLE, key, HASH) {
                    assert_eq!((first, second), (key, key));
                }
            })
        };
        for thread in [meets(b"a"), meets(b"b")] {
            thread.join().expect("a panic ends the model");
        }
        let stats = cache.stats();
        assert_eq!((stats.insertions, stats.evictions, stats.hits + stats.misses), (2, 1, 2));
        assert_eq!(stats.size, 1);
    });
}

/// Two threads put values in each other's place.
fn displace<V: Clone + Send + 'static>(value: fn(Arc<RowCache<V>>) -> V) {
    let cache = Arc::new(RowCache::new(1));
    let displaces = || {
        let cache = Arc::clone(&cache);
        thread::spawn(move || {
            cache.insert(TABLE, b"key", HASH, value(Arc::clone(&cache)));
            drop(cache.get(TABLE, b"key", HASH));
        })
    };
    for thread in [displaces(), displaces()] {
        thread.join().expect("a panic ends the model");
    }
    // The values hold the cache: they have to go for it to go.
    cache.clear();
}

#[test]
fn what_is_displaced_is_dropped_outside_of_the_lock() {
    explore(|| displace(AsksWhenDropped));
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_value_that_asks_while_the_lock_is_held_is_caught() {
    explore(|| displace(AsksWhenCloned));
}
