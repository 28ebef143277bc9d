//! A million sorted pairs into an empty store on a real disk: loaded in bulk, put one by one, and in batches.
//!
//! All three end with the pairs in durable tables. `cargo bench --bench bulk_load`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use slice::WriteBatch;
use slice::blocking::LSMTree;
use tempfile::TempDir;

/// How many pairs there are.
const PAIRS: u64 = 1_000_000;
/// How many of them a batch has.
const IN_A_BATCH: u64 = 1000;
/// The length of a value, in bytes; half of it can be compressed away.
const VALUE_LEN: usize = 100;

fn pair(n: u64) -> ([u8; 8], [u8; VALUE_LEN]) {
    let mut value = [0; VALUE_LEN];
    for (slot, at) in value[..VALUE_LEN / 2].chunks_mut(8).zip(0_u64..) {
        let word = (n ^ at << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).to_le_bytes();
        slot.copy_from_slice(&word[..slot.len()]);
    }
    (n.to_be_bytes(), value)
}

/// A store in a directory of its own; removed behind the measurement.
fn empty() -> (TempDir, LSMTree) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let lsm = LSMTree::new(dir.path().join("data")).expect("a new store");
    (dir, lsm)
}

fn load((dir, lsm): (TempDir, LSMTree), fill: impl FnOnce(&LSMTree)) -> (TempDir, LSMTree) {
    fill(&lsm);
    lsm.flush().expect("the disk is sound");
    black_box((dir, lsm))
}

fn ingest(lsm: &LSMTree) {
    lsm.ingest((0..PAIRS).map(pair)).expect("the disk is sound");
}

fn put(lsm: &LSMTree) {
    for (key, value) in (0..PAIRS).map(pair) {
        lsm.put(&key, &value).expect("the disk is sound");
    }
}

fn batches(lsm: &LSMTree) {
    for first in (0..PAIRS).step_by(IN_A_BATCH as usize) {
        let mut batch = WriteBatch::new();
        for (key, value) in (first..first + IN_A_BATCH).map(pair) {
            batch.put(&key, &value).expect("short keys and values");
        }
        lsm.write(batch).expect("the disk is sound");
    }
}

type Way = fn(&LSMTree);

fn bulk_load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a million sorted pairs");
    group.sample_size(10).throughput(Throughput::Elements(PAIRS));
    let ways: [(&str, Way); 3] = [("ingest", ingest), ("put", put), ("batches", batches)];
    for (name, fill) in ways {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(empty, |store| load(store, fill), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, bulk_load);
criterion_main!(benches);
