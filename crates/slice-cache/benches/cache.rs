//! Both caches: hit, miss and insert, by one thread and by two at once.
#![expect(clippy::disallowed_methods, reason = "threads are timed here")]

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slice_cache::{BlockCache, RowCache};
use xxhash_rust::xxh3::xxh3_64;

/// The rows, or blocks, that are in the cache.
const ENTRIES: u64 = 100_000;
/// What a row cache is asked for: the key and its hash, which the engine has computed before.
type Key = ([u8; 16], u64);

fn keys(first: u64) -> Vec<Key> {
    let key = |n: u64| u128::from(xxh3_64(&n.to_le_bytes())).to_be_bytes();
    (first..first + ENTRIES).map(key).map(|key| (key, xxh3_64(&key))).collect()
}

/// The time that `rounds` calls of `op` take in each of `threads` threads; it is given numbers below [`ENTRIES`].
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
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(2));
    for threads in [1, 2] {
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
    let block = Bytes::from(vec![7; 4096]);
    // Shards are not filled evenly: with a tenth to spare, all of them fit.
    let cache = BlockCache::new((ENTRIES as usize * 11 / 10) * (4096 + BlockCache::<Bytes>::ENTRY_OVERHEAD));
    (0..ENTRIES).for_each(|n| cache.insert(1, n * 4096, block.clone()));
    measure(c, "block cache", "hit", |n| {
        black_box(cache.get(1, n * 4096));
    });
    measure(c, "block cache", "miss", |n| {
        black_box(cache.get(2, n * 4096));
    });
    let small = BlockCache::new(64 << 20);
    measure(c, "block cache", "insert and evict", |n| small.insert(1, n * 4096, block.clone()));
}

criterion_group!(benches, rows, blocks);
criterion_main!(benches);
