//! What deleting a range costs, by how many keys are in it; and what range tombstones cost who reads beside them.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use slice::Background;
use slice::blocking::LSMTree;
use slice::vfs::MemFs;

const KEYS: u32 = 100_000;

fn key(n: u32) -> [u8; 4] {
    n.to_be_bytes()
}

/// A store in memory with all keys in tables.
fn store() -> LSMTree {
    let builder = LSMTree::builder("/db").fs(Arc::new(MemFs::new())).background(Background::Inline);
    let lsm = builder.memtable_size(256 << 20).open_blocking().expect("a disk in memory");
    for n in 0..KEYS {
        lsm.put(&key(n), &[7; 32]).expect("a disk in memory");
    }
    lsm.flush().expect("a disk in memory");
    lsm
}

fn delete(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delete_range, by keys covered");
    for count in [1, 1000, KEYS] {
        let lsm = store();
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| lsm.delete_range(key(0)..key(count)).expect("a disk in memory"));
        });
    }
}

/// Of a key that is in a table and not deleted.
fn get(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("get, by range tombstones in memory");
    for count in [0, 1, 1000] {
        let lsm = store();
        for n in 0..count {
            lsm.delete_range(key(2 * n)..key(2 * n + 1)).expect("a disk in memory");
        }
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| lsm.get(black_box(&key(KEYS / 2 + 1))));
        });
    }
}

criterion_group!(benches, delete, get);
criterion_main!(benches);
