//! One thing at a time: the number of writers, the caches, the filters.

use criterion::Criterion;
use slice::Options;
use slice_benches::workload::Workload;

use crate::rounds::{Group, KEYS, VALUE_BYTES, plan, usual};

pub(crate) fn all(criterion: &mut Criterion) {
    writers(criterion);
    caching(criterion);
    negative_lookups(criterion);
}

fn writers(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Concurrent writers");
    for writers in [1, 2, 4, 8, 16] {
        let fill = plan(Workload::FillRandomDistinct, KEYS, writers, VALUE_BYTES);
        group.fills(&writers.to_string(), &fill, &Options::default());
    }
}

/// Without the store's caches, blocks come from the system's page cache, and are checked and decompressed each time.
fn caching(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Caching");
    let reads = usual(Workload::ReadRandom);
    let mut options = Options::default();
    options.row_cache_entries = KEYS as usize;
    group.rounds("rows and blocks", &reads, &options);
    options.row_cache_entries = 0;
    group.rounds("blocks", &reads, &options);
    options.block_cache_bytes = 0;
    group.rounds("none", &reads, &options);
}

fn negative_lookups(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Negative lookups");
    let reads = usual(Workload::ReadMissing);
    let mut options = Options::default();
    group.rounds("with filters", &reads, &options);
    options.filter_bits_per_key = 0.0;
    group.rounds("without filters", &reads, &options);
}
