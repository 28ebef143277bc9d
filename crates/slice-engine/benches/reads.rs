//! Scans and snapshots of a compacted store whose blocks are cached: `cargo bench -p slice-engine --bench reads`.
//!
//! 200,000 keys of 16 bytes, values of 100 bytes. Times of `readseq` and `readreverse` are for each entry; `_ref` is with
//! keys and values where they lie.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use slice::Background;
use slice::blocking::{LSMTree, Scan};
use slice::vfs::MemFs;

const KEYS: u64 = 200_000;
const TOMBSTONES: u64 = 1_000_000;
/// Keys that are read again and again.
const HOT: u64 = 1000;

fn key(n: u64) -> [u8; 16] {
    let mut key = *b"user000000000000";
    key[8..].copy_from_slice(&n.to_be_bytes());
    key
}

fn empty() -> LSMTree {
    let builder = LSMTree::builder("/db").fs(Arc::new(MemFs::new())).background(Background::Inline);
    builder.block_cache_bytes(256 << 20).open_blocking().expect("a store in memory opens")
}

fn values() -> impl Iterator<Item = [u8; 100]> {
    let mut random = SmallRng::seed_from_u64(7);
    std::iter::repeat_with(move || random.random())
}

fn filled() -> LSMTree {
    let lsm = empty();
    for (n, value) in (0..KEYS).zip(values()) {
        lsm.put(&key(n), &value).expect("a write to memory");
    }
    lsm.compact().expect("a compaction in memory");
    assert_eq!(lsm.iter().count() as u64, KEYS);
    // A long scan leaves the cache to others, so it is these that fill it.
    for n in 0..KEYS {
        black_box(lsm.get_pinned(&key(n)).expect("a read from memory"));
    }
    lsm
}

fn walk(mut scan: Scan, limit: usize) {
    for _ in 0..limit {
        let Some(entry) = scan.next_ref() else { return };
        black_box(entry.expect("an entry"));
    }
}

fn walk_back(mut scan: Scan) {
    while let Some(entry) = scan.next_back_ref() {
        black_box(entry.expect("an entry"));
    }
}

fn scans(c: &mut Criterion) {
    let lsm = filled();
    let mut random = SmallRng::seed_from_u64(8);
    let mut group = c.benchmark_group("reads");
    group.bench_function("seekrandom", |b| {
        b.iter(|| lsm.range(key(random.random_range(0..KEYS))..).next());
    });
    group.bench_function("scan100", |b| {
        b.iter(|| {
            lsm.range(key(random.random_range(0..KEYS - 100))..)
                .take(100)
                .filter(|entry| black_box(entry).is_ok())
                .count()
        });
    });
    for (name, limit) in [("seekrandom_ref", 11), ("scan100_ref", 100)] {
        group.bench_function(name, |b| {
            b.iter(|| walk(lsm.range(key(random.random_range(0..KEYS - 100))..), limit));
        });
    }
    group.bench_function("seek_within", |b| {
        let mut scan = lsm.iter();
        b.iter(|| {
            scan.seek(key(random.random_range(0..KEYS)));
            scan.next()
        });
    });
    group.bench_function("get", |b| b.iter(|| lsm.get_pinned(&key(random.random_range(0..KEYS)))));
    group.bench_function("snapshot", |b| b.iter(|| lsm.snapshot()));
    group.throughput(Throughput::Elements(KEYS)).sample_size(20);
    group.bench_function("readseq", |b| {
        b.iter(|| lsm.iter().filter(|entry| black_box(entry).is_ok()).count());
    });
    group.bench_function("readreverse", |b| {
        b.iter(|| lsm.iter().rev().filter(|entry| black_box(entry).is_ok()).count());
    });
    group.bench_function("readseq_ref", |b| b.iter(|| walk(lsm.iter(), usize::MAX)));
    group.bench_function("readreverse_ref", |b| b.iter(|| walk_back(lsm.iter())));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let lsm = runtime.block_on(async_store());
    group.bench_function("readseq_async", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let mut scan = lsm.iter();
                while let Some(entry) = scan.next().await {
                    black_box(entry).expect("an entry");
                }
            });
        });
    });
    group.finish();
}

/// A `get` of a cached key by a thread, and by a task that never has to wait: their difference is the price of the async
/// face. Each is timed within one loop, without the way into the runtime.
#[expect(clippy::disallowed_methods, reason = "loops are timed here")]
fn faces(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (threads, tasks) = (filled(), runtime.block_on(async_store()));
    let mut group = c.benchmark_group("faces");
    group.bench_function("get_blocking", |b| {
        b.iter_custom(|rounds| {
            let start = Instant::now();
            for n in 0..rounds {
                black_box(threads.get(&key(n % HOT))).expect("a value");
            }
            start.elapsed()
        });
    });
    group.bench_function("get_async", |b| {
        b.iter_custom(|rounds| {
            runtime.block_on(async {
                let start = Instant::now();
                for n in 0..rounds {
                    black_box(tasks.get(&key(n % HOT)).await).expect("a value");
                }
                start.elapsed()
            })
        });
    });
    group.finish();
}

/// As [`filled`].
async fn async_store() -> slice::LSMTree {
    let builder = slice::LSMTree::builder("/db").fs(Arc::new(MemFs::new())).background(Background::Inline);
    let lsm = builder.block_cache_bytes(256 << 20).open().await.expect("a store in memory opens");
    for (n, value) in (0..KEYS).zip(values()) {
        lsm.put(&key(n), &value).await.expect("a write to memory");
    }
    lsm.compact().await.expect("a compaction in memory");
    for n in 0..KEYS {
        black_box(lsm.get_pinned(&key(n)).await.expect("a read from memory"));
    }
    lsm
}

/// A queue whose million entries were all taken, and one that came since.
fn tombstones(c: &mut Criterion) {
    let lsm = empty();
    for n in 0..TOMBSTONES {
        lsm.delete(&key(n)).expect("a write to memory");
    }
    lsm.put(&key(TOMBSTONES), b"last").expect("a write to memory");
    let mut group = c.benchmark_group("tombstones");
    group.sample_size(10);
    group.bench_function("first_of_a_million", |b| b.iter(|| lsm.first_key_value()));
    group.finish();
}

criterion_group!(benches, scans, faces, tombstones);
criterion_main!(benches);
