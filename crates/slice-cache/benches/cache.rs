//! Both caches: hit, miss and insert, by one thread and by two at once.
#![expect(clippy::disallowed_methods, reason = "threads are timed here")]

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slice_cache::{BlockCache, Charge, RowCache, Shelf};
use xxhash_rust::xxh3::xxh3_64;

/// The rows that there are.
const ENTRIES: u64 = 100_000;
/// The blocks that there are, each with memory of its own: a shared one would be a contended count.
const BLOCKS: u64 = 10_000;
type Block = Arc<Vec<u8>>;

/// What a row cache is asked for: the key and its hash, which the engine has computed before.
type Key = ([u8; 16], u64);

fn keys(first: u64) -> Vec<Key> {
    let key = |n: u64| u128::from(xxh3_64(&n.to_le_bytes())).to_be_bytes();
    (first..first + ENTRIES).map(key).map(|key| (key, xxh3_64(&key))).collect()
}

/// The time that `rounds` calls of `op` take in each of `threads` threads; it is given numbers below [`ENTRIES`], in an order
/// without locality.
fn timed(threads: u64, rounds: u64, op: impl Fn(u64) + Sync) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let op = &op;
            // Coprime strides: each walks all entries, and not in step with the other.
            scope.spawn(move || (0..rounds).for_each(|i| op(i * (48_271 + 2 * thread) % ENTRIES)));
        }
    });
    start.elapsed()
}

fn measure(c: &mut Criterion, group: &str, name: &str, op: impl Fn(u64) + Sync) {
    let mut group = c.benchmark_group(group);
    group.sample_size(20).measurement_time(Duration::from_secs(1));
    for threads in [1, 2] {
        group.throughput(Throughput::Elements(threads));
        group.bench_function(BenchmarkId::new(name, format!("{threads} threads")), |b| {
            b.iter_custom(|rounds| timed(threads, rounds, &op));
        });
    }
    group.finish();
}

fn rows(c: &mut Criterion) {
    let (present, absent) = (keys(0), keys(ENTRIES));
    for (group, capacity) in [("row cache, 1 shard", 1000), ("row cache, sharded", ENTRIES as usize)] {
        let cache = RowCache::new(capacity);
        let value = Bytes::from_static(&[7; 100]);
        let fill = |n: u64| {
            let (key, hash) = &present[n as usize];
            cache.insert(1, key, *hash, value.clone());
        };
        (0..ENTRIES).for_each(fill);
        let held = capacity as u64 / 2;
        let first = ENTRIES - held;
        measure(c, group, "hit", |n| {
            let (key, hash) = &present[(first + n % held) as usize];
            black_box(cache.get(1, key, *hash));
        });
        measure(c, group, "miss", |n| {
            let (key, hash) = &absent[n as usize];
            black_box(cache.get(1, key, *hash));
        });
        measure(c, group, "insert", fill);
    }
}

fn blocks(c: &mut Criterion) {
    let blocks: Vec<_> = (0..BLOCKS).map(|_| Arc::new(vec![7; 4096])).collect();
    let insert = |shelf: &Shelf<Block>, n: u64| {
        let number = (n % BLOCKS) as usize;
        shelf.insert(number, Arc::clone(&blocks[number]));
    };
    let share = blocks[0].charge() + BlockCache::<Block>::ENTRY_OVERHEAD;
    // Shards are filled evenly, but for one block.
    let cache = Arc::new(BlockCache::new(BLOCKS as usize * 51 / 50 * share));
    let (shelf, empty) = (cache.shelf(BLOCKS as usize), cache.shelf(BLOCKS as usize));
    (0..BLOCKS).for_each(|n| insert(&shelf, n));
    measure(c, "block cache", "hit", |n| {
        black_box(shelf.get((n % BLOCKS) as usize));
    });
    measure(c, "block cache", "miss", |n| {
        black_box(empty.get((n % BLOCKS) as usize));
    });
    let small = Arc::new(BlockCache::new(BLOCKS as usize / 2 * share)).shelf(BLOCKS as usize);
    measure(c, "block cache", "insert and evict", |n| insert(&small, n));
}

criterion_group!(benches, rows, blocks);
criterion_main!(benches);
