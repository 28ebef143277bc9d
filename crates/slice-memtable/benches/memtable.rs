//! The memtable by itself, one thread: 16-byte keys, 100-byte values.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slice_memtable::{MemTable, SkipListMemTable};
use slice_types::{EntryIterator, EntryKind, SeqNo, Trailer};

/// About the entries of a 64 MiB memtable.
const ENTRIES: u64 = 300_000;
const VALUE: [u8; 100] = [0x5a; 100];

/// A bijection on the numbers below 2^64 (SplitMix64's finalizer): keys in an order without locality, none twice.
const fn scatter(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Keys whose first bytes differ: the best case for what compares fronts first.
fn binary(n: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&scatter(n).to_be_bytes());
    key[8..].copy_from_slice(&n.to_be_bytes());
    key
}

/// Keys that agree in their first bytes.
fn decimal(n: u64) -> [u8; 16] {
    let text = format!("user{:012}", scatter(n) % 1_000_000_000_000);
    text.into_bytes().try_into().expect("the width is fixed")
}

fn sequential(n: u64) -> [u8; 16] {
    u128::from(n).to_be_bytes()
}

fn trailer(n: u64) -> Trailer {
    Trailer::new(SeqNo::new(n), EntryKind::Put)
}

fn fill<M: MemTable>(keys: &[[u8; 16]]) -> M {
    let table = M::new();
    for (n, key) in keys.iter().enumerate() {
        table.insert(key, trailer(n as u64), &VALUE);
    }
    table
}

fn bench<M: MemTable>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group(name);
    group.sample_size(10).throughput(Throughput::Elements(ENTRIES));
    for (order, key) in
        [("random", binary as fn(u64) -> [u8; 16]), ("random_decimal", decimal), ("sequential", sequential)]
    {
        let keys: Vec<_> = (0..ENTRIES).map(key).collect();
        group.bench_function(BenchmarkId::new("insert", order), |b| {
            b.iter_batched(|| (), |()| fill::<M>(&keys), BatchSize::PerIteration);
        });
        let table = Arc::new(fill::<M>(&keys));
        group.bench_function(BenchmarkId::new("get", order), |b| {
            b.iter(|| {
                for n in 0..ENTRIES {
                    // Another order than they were inserted in, which the allocator has laid out.
                    let key = &keys[(scatter(n) % ENTRIES) as usize];
                    black_box(table.get(key, SeqNo::MAX));
                }
            });
        });
        group.bench_function(BenchmarkId::new("iterate", order), |b| b.iter(|| iterate(&table)));
    }
    group.finish();
}

/// What a flush does: every entry once, in order.
fn iterate<M: MemTable>(table: &Arc<M>) {
    let mut iter = table.iter();
    iter.seek_to_first().expect("memory does not fail");
    while let Some(entry) = iter.entry() {
        black_box((entry.key[0], entry.value[0]));
        iter.next().expect("memory does not fail");
    }
}

fn skiplist(c: &mut Criterion) {
    bench::<SkipListMemTable>(c, "skiplist");
}

criterion_group!(benches, skiplist);
criterion_main!(benches);
