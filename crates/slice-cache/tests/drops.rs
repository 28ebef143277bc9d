//! What leaves a cache is dropped outside its lock. Here, dropping a value asks the cache for its length: under the lock,
//! the thread would wait for itself.
#![expect(clippy::disallowed_methods, reason = "a thread that may hang is waited for with a timeout")]

use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use slice_cache::{BlockCache, Charge, RowCache};

/// Runs a function when it is dropped.
#[derive(Clone)]
struct OnDrop(fn());

impl Drop for OnDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Charge for OnDrop {
    fn charge(&self) -> usize {
        100
    }
}

/// Fails when `work` does not end by itself.
fn ends(work: fn()) {
    let (done, wait) = channel();
    thread::spawn(move || {
        work();
        done.send(())
    });
    wait.recv_timeout(Duration::from_secs(30)).expect("it neither hangs nor panics");
}

#[test]
fn rows_that_are_replaced_evicted_or_cleared_are_dropped_outside_the_lock() {
    static CACHE: OnceLock<RowCache<OnDrop>> = OnceLock::new();
    CACHE.set(RowCache::new(2)).expect("set once");
    ends(|| {
        let cache = CACHE.get().unwrap();
        for key in [b"a", b"a", b"b", b"c"] {
            cache.insert(1, key, 1, OnDrop(|| assert!(CACHE.get().unwrap().len() <= 2)));
        }
        cache.clear();
        assert!(cache.is_empty());
    });
}

#[test]
fn blocks_that_are_refused_evicted_cleared_or_go_with_their_table_are_dropped_outside_the_lock() {
    type Block = Arc<OnDrop>;
    static CACHE: OnceLock<Arc<BlockCache<Block>>> = OnceLock::new();
    let capacity = 2 * (Arc::new(OnDrop(|| {})).charge() + BlockCache::<Block>::ENTRY_OVERHEAD);
    CACHE.set(Arc::new(BlockCache::new(capacity))).expect("set once");
    ends(|| {
        let cache = CACHE.get().unwrap();
        let (shelf, other) = (cache.shelf(3), cache.shelf(1));
        let block = || Arc::new(OnDrop(|| assert!(CACHE.get().unwrap().len() <= 2)));
        for number in [0, 0, 1, 2] {
            shelf.insert(number, block());
        }
        cache.clear();
        assert!(cache.is_empty());
        other.insert(0, block());
        drop(other);
        assert!(cache.is_empty());
    });
}
