//! Both caches under loom: threads that meet in a shard find whole rows and blocks, count every lookup, and never wait for
//! each other in a circle.

use std::sync::Arc;

use loom::thread;

use crate::{BlockCache, Charge, RowCache};

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

/// A block that is not what it seems when it was dropped while somebody held it.
#[derive(Debug)]
struct Block(usize);

impl Charge for Block {
    fn charge(&self) -> usize {
        100
    }
}

/// A cache with room for one block.
fn one_block() -> Arc<BlockCache<Arc<Block>>> {
    let charge = Arc::new(Block(0)).charge() + BlockCache::<Arc<Block>>::ENTRY_OVERHEAD;
    Arc::new(BlockCache::new(charge))
}

#[test]
fn a_reader_finds_the_block_that_it_asks_for_or_none_while_others_take_its_place() {
    explore(|| {
        let cache = one_block();
        let shelf = Arc::new(cache.shelf(2));
        let writes = |number: usize| {
            let (cache, shelf) = (Arc::clone(&cache), Arc::clone(&shelf));
            thread::spawn(move || {
                shelf.insert(number, Arc::new(Block(number)));
                if let Some(kept) = shelf.get(number) {
                    assert_eq!(kept.0, number);
                }
                assert!(cache.stats().size <= cache.capacity());
            })
        };
        for thread in [writes(0), writes(1)] {
            thread.join().expect("a panic ends the model");
        }
        assert_eq!((cache.len(), cache.stats().evictions), (1, 1));
    });
}

#[test]
fn a_table_that_goes_while_another_makes_room_is_counted_once() {
    explore(|| {
        let cache = one_block();
        let (goes, stays) = (cache.shelf(1), cache.shelf(1));
        goes.insert(0, Arc::new(Block(0)));
        let dropping = thread::spawn(move || drop(goes));
        stays.insert(0, Arc::new(Block(1)));
        dropping.join().expect("a panic ends the model");
        assert_eq!((cache.len(), cache.stats().size), (1, cache.capacity()));
        assert_eq!(stays.get(0).expect("it was put in last").0, 1);
    });
}

#[test]
fn threads_that_put_in_one_block_charge_it_once() {
    explore(|| {
        let cache = one_block();
        let shelf = Arc::new(cache.shelf(1));
        let other = Arc::clone(&shelf);
        let inserting = thread::spawn(move || other.insert(0, Arc::new(Block(0))));
        shelf.insert(0, Arc::new(Block(0)));
        inserting.join().expect("a panic ends the model");
        assert_eq!((cache.len(), cache.stats().insertions, cache.stats().size), (1, 1, cache.capacity()));
    });
}
