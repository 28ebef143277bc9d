//! Building a filter of a million keys with 10 bits each, and asking it about keys that are and are not there.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slice_bloom::{FilterBuilder, hash_key};

const KEYS: u64 = 1_000_000;
const BITS_PER_KEY: f64 = 10.0;

fn builder() -> FilterBuilder {
    let mut builder = FilterBuilder::with_bits_per_key(BITS_PER_KEY);
    (0..KEYS).for_each(|key| builder.add(&key.to_be_bytes()));
    builder
}

fn build(c: &mut Criterion) {
    let mut group = c.benchmark_group("filter/build");
    group.throughput(Throughput::Elements(KEYS)).sample_size(20);
    group.bench_function("1M keys", |b| b.iter(|| builder().build()));
    group.finish();
}

/// One question an iteration. The keys jump about, so that each question is about another line.
fn query(c: &mut Criterion) {
    let filter = builder().build_filter();
    let mut group = c.benchmark_group("filter/query");
    for (name, first) in [("hit", 0), ("miss", KEYS)] {
        let mut n = 0;
        let mut next_key = move || {
            n = (n + 618_033) % KEYS;
            (first + n).to_be_bytes()
        };
        group.bench_function(name, |b| b.iter(|| filter.may_contain(black_box(&next_key()))));
        group.bench_function(format!("{name}, hashed before"), |b| {
            b.iter_batched_ref(
                || hash_key(&next_key()),
                |hash| filter.may_contain_hash(black_box(*hash)),
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, build, query);
criterion_main!(benches);
