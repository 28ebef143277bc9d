//! The two shapes that all benchmarks have: rounds on a store with keys, and fills of an empty one.

use std::cell::{Cell, LazyCell};
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use slice::Options;
use slice_benches::plan::Plan;
use slice_benches::workload::Workload;

use crate::store::Store;

/// Keys in a store, unless a workload says otherwise.
pub(crate) const KEYS: u64 = 100_000;
/// Bytes of a value, unless a workload says otherwise.
pub(crate) const VALUE_BYTES: usize = 100;
/// Tasks, unless a workload says otherwise.
pub(crate) const CLIENTS: u64 = 4;

/// Operations of a round, unless a workload says otherwise. Starting the clients is timed as well, and shared among so
/// many.
pub(crate) const ROUND: u64 = 50_000;
const SEED: u64 = 42;

/// Benchmarks of one name.
pub(crate) struct Group<'a>(BenchmarkGroup<'a, WallTime>);

/// The usual number of keys, clients and bytes for a workload.
pub(crate) fn usual(workload: Workload) -> Plan {
    plan(workload, KEYS, CLIENTS, VALUE_BYTES)
}

/// A workload with these numbers, and the seed of all benchmarks.
pub(crate) fn plan(workload: Workload, keys: u64, clients: u64, value_bytes: usize) -> Plan {
    Plan::new(workload, keys, clients, value_bytes, SEED)
}

impl<'a> Group<'a> {
    /// A group. Its name is what filters look for.
    pub(crate) fn new(criterion: &'a mut Criterion, name: &str) -> Self {
        let mut group = criterion.benchmark_group(name);
        group.sampling_mode(SamplingMode::Flat);
        Self(group)
    }

    /// Rounds of so many operations, each with choices of its own, on a store with the keys of the plan.
    pub(crate) fn rounds(&mut self, name: &str, plan: &Plan, ops: u64, options: &Options) {
        let store = LazyCell::new(|| Store::loaded(options, plan));
        let rounds = Cell::new(0);
        let round = || {
            rounds.set(rounds.get() + 1);
            store.run(&plan.round(rounds.get()), ops)
        };
        self.measure(name, ops, round);
    }

    /// Fills, each of an empty store, up to when everything is in tables. Opening and removing it does not count.
    pub(crate) fn fills(&mut self, name: &str, plan: &Plan, options: &Options) {
        let fill = || {
            let store = Store::empty(options);
            store.run(plan, plan.keys) + store.flush()
        };
        self.measure(name, plan.keys, fill);
    }

    /// Calls `once` as often as criterion wants, each time for so many operations. It says how long it took.
    pub(crate) fn measure(&mut self, name: &str, ops: u64, once: impl Fn() -> Duration) {
        self.0.throughput(Throughput::Elements(ops));
        self.0.bench_function(name, |bencher| bencher.iter_custom(|times| (0..times).map(|_| once()).sum()));
    }
}
