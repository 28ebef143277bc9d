//! The merge of runs in memory: nanoseconds a key, by the number of runs. `cargo bench -p slice-compaction`.
//!
//! Keys are 16 bytes, random in their first eight; values are 100 bytes. `iter` is the merging iterator alone,
//! `merge` the whole: versions, cuts, and a sink that only counts. Criterion reports the elements a second.
#![allow(missing_docs, reason = "criterion's macros make public items")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use common::{Entry, VecIter, sort};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slice_compaction::{DeeperKeys, MergeOptions, MergingIter, Raise, TableSink, merge};
use slice_types::{EntryIterator, EntryKind, EntryRef, Result, SeqNo, hash_key};

const ENTRIES: u64 = 64 * 1024;

/// Entries spread over `count` runs; each key once.
fn runs(count: u64) -> Vec<Arc<[Entry]>> {
    let run_of = |run: u64| {
        let numbers = (0..ENTRIES).filter(|number| number % count == run);
        let mut entries: Vec<_> = numbers.map(entry_of).collect();
        sort(&mut entries);
        entries.into()
    };
    (0..count).map(run_of).collect()
}

fn entry_of(number: u64) -> Entry {
    let hash = hash_key(&number.to_le_bytes());
    let key = [hash.to_be_bytes(), number.to_be_bytes()].concat();
    Entry::new(&key, number, EntryKind::Put, &[7; 100])
}

/// Counts what it gets.
#[derive(Default)]
struct CountingSink {
    table: u64,
    total: u64,
}

impl TableSink for CountingSink {
    fn add(&mut self, entry: EntryRef<'_>) -> Result<()> {
        self.table += (entry.key.len() + entry.value.len()) as u64;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.table
    }

    fn cut(&mut self) -> Result<()> {
        self.total += std::mem::take(&mut self.table);
        Ok(())
    }
}

fn cursors(runs: &[Arc<[Entry]>]) -> Vec<VecIter> {
    runs.iter().map(|run| VecIter::new(run.clone())).collect()
}

fn iterate(runs: &[Arc<[Entry]>]) -> u64 {
    let mut iter = MergingIter::new(cursors(runs));
    let mut bytes = 0;
    iter.seek_to_first().expect("memory does not fail");
    while let Some(entry) = iter.entry() {
        bytes += entry.value.len() as u64;
        iter.next().expect("memory does not fail");
    }
    bytes
}

fn merge_all(runs: &[Arc<[Entry]>]) -> u64 {
    let options = MergeOptions {
        snapshots: &[],
        visible: SeqNo::MAX,
        range_tombstones: Arc::default(),
        deeper: DeeperKeys::default(),
        raise: Raise::default(),
        target_table_bytes: 1 << 20,
        grandparents: Vec::new(),
        range: (None, None),
        cancel: &AtomicBool::new(false),
    };
    let mut sink = CountingSink::default();
    merge(cursors(runs), &options, &mut sink).expect("memory does not fail");
    sink.total
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge");
    group.throughput(Throughput::Elements(ENTRIES));
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for count in [2, 4, 8, 32] {
        let runs = runs(count);
        group.bench_with_input(BenchmarkId::new("iter", count), &runs, |bencher, runs| {
            bencher.iter(|| black_box(iterate(runs)));
        });
        group.bench_with_input(BenchmarkId::new("merge", count), &runs, |bencher, runs| {
            bencher.iter(|| black_box(merge_all(runs)));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
