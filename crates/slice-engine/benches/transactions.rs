//! What transactions cost: `cargo bench -p slice-engine --bench transactions`.
//!
//! 100,000 keys of 16 bytes in memory, values of 100 bytes, one thread: nobody is in the way. A transaction's `get` is to
//! be within 150 ns of a plain one.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use slice::blocking::LSMTree;
use slice::vfs::MemFs;
use slice::{Background, Isolation};

const KEYS: u64 = 100_000;
/// Reads of one transaction before the next begins: what they note is forgotten then.
const READS: u32 = 1000;

fn key(n: u64) -> [u8; 16] {
    let mut key = *b"user000000000000";
    key[8..].copy_from_slice(&n.to_be_bytes());
    key
}

fn filled() -> LSMTree {
    let builder = LSMTree::builder("/db").fs(Arc::new(MemFs::new())).background(Background::Inline);
    let lsm = builder.open_blocking().expect("a store in memory opens");
    for n in 0..KEYS {
        lsm.put(&key(n), &[7; 100]).expect("a write to memory");
    }
    lsm
}

fn gets(c: &mut Criterion) {
    let lsm = filled();
    let mut random = SmallRng::seed_from_u64(1);
    let mut group = c.benchmark_group("get");
    group.bench_function("plain", |b| b.iter(|| black_box(lsm.get(&key(random.random_range(0..KEYS))))));
    for (name, isolation) in [("snapshot", Isolation::Snapshot), ("serializable", Isolation::Serializable)] {
        let (mut reads, mut transaction) = (0, lsm.begin(isolation));
        group.bench_function(name, |b| {
            b.iter(|| {
                reads += 1;
                if reads % READS == 0 {
                    transaction = lsm.begin(isolation);
                }
                black_box(transaction.get(&key(random.random_range(0..KEYS))))
            });
        });
    }
}

fn writes(c: &mut Criterion) {
    let lsm = filled();
    let mut random = SmallRng::seed_from_u64(2);
    let mut next = || key(random.random_range(0..KEYS));
    let mut group = c.benchmark_group("transaction");
    group.bench_function("begin and rollback", |b| b.iter(|| lsm.begin(Isolation::Serializable).rollback()));
    group.bench_function("plain put", |b| b.iter(|| lsm.put(&next(), &[8; 100])));
    group.bench_function("put and commit", |b| {
        b.iter(|| {
            let transaction = lsm.begin(Isolation::Snapshot);
            transaction.put(&next(), &[8; 100])?;
            transaction.commit()
        });
    });
    group.bench_function("fetch_update", |b| b.iter(|| lsm.fetch_update(&next(), |_| Some(vec![8; 100]))));
    let beside = lsm.begin(Isolation::Snapshot);
    group.bench_function("plain put beside a transaction", |b| b.iter(|| lsm.put(&next(), &[8; 100])));
    beside.rollback();
}

criterion_group!(benches, gets, writes);
criterion_main!(benches);
