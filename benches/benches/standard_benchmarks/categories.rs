//! One thing at a time: writers, readers, mixes of both, the caches, the filters.

use criterion::Criterion;
use slice::Options;
use slice_benches::workload::Workload;

use crate::rounds::{Group, KEYS, ROUND, VALUE_BYTES, plan, usual};

pub(crate) fn all(criterion: &mut Criterion) {
    writers(criterion);
    readers(criterion);
    mixes(criterion);
    caching(criterion);
    eviction(criterion);
    negative_lookups(criterion);
}

fn writers(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Sequential writes");
    group.fills("1", &plan(Workload::FillSeq, KEYS, 1, VALUE_BYTES), &Options::default());
    drop(group);
    let mut group = Group::new(criterion, "Concurrent writers");
    for writers in [1, 2, 4, 8, 16] {
        let fill = plan(Workload::FillRandomDistinct, KEYS, writers, VALUE_BYTES);
        group.fills(&writers.to_string(), &fill, &Options::default());
    }
}

fn readers(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Reads");
    for readers in [1, 2, 4] {
        let reads = plan(Workload::ReadRandom, KEYS, readers, VALUE_BYTES);
        group.rounds(&readers.to_string(), &reads, ROUND, &Options::default());
    }
}

/// One task, so that what a mix costs is not hidden by what tasks cost.
fn mixes(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Mixed");
    for (name, workload) in [
        ("5 % updates", Workload::YcsbB),
        ("20 % updates", Workload::Mix8020),
        ("50 % updates", Workload::YcsbA),
    ] {
        group.rounds(name, &plan(workload, KEYS, 1, VALUE_BYTES), ROUND, &Options::default());
    }
}

/// Without the store's caches, blocks come from the system's page cache, and are checked and decompressed each time.
fn caching(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Caching");
    let reads = usual(Workload::ReadRandom);
    let mut options = Options::default();
    options.row_cache_entries = KEYS as usize;
    group.rounds("rows and blocks", &reads, ROUND, &options);
    options.row_cache_entries = 0;
    group.rounds("blocks", &reads, ROUND, &options);
    options.block_cache_bytes = 0;
    group.rounds("none", &reads, ROUND, &options);
}

/// Caches that hold a part of what is read, so that most reads put something in and something out.
fn eviction(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "LRU eviction");
    let mut rows = Options::default();
    rows.row_cache_entries = KEYS as usize / 10;
    group.rounds("rows, a tenth, even", &usual(Workload::ReadRandom), ROUND, &rows);
    group.rounds("rows, a tenth, Zipfian", &usual(Workload::YcsbC), ROUND, &rows);
    let mut blocks = Options::default();
    blocks.row_cache_entries = 0;
    blocks.block_cache_bytes = KEYS as usize * VALUE_BYTES / 10;
    group.rounds("blocks, a tenth, even", &usual(Workload::ReadRandom), ROUND, &blocks);
}

fn negative_lookups(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Negative lookups");
    let reads = usual(Workload::ReadMissing);
    let mut options = Options::default();
    group.rounds("with filters", &reads, ROUND, &options);
    options.filter_bits_per_key = 0.0;
    group.rounds("without filters", &reads, ROUND, &options);
}
