//! A mix that is typical of services: mostly reads, of values that are larger than those of the classic benchmarks.

use criterion::Criterion;
use slice::Options;
use slice_benches::workload::Workload;

use crate::rounds::{CLIENTS, Group, ROUND, plan};

const KEYS: u64 = 50_000;
const VALUE_BYTES: usize = 800;

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Industry");
    let mix = plan(Workload::Mix8020, KEYS, CLIENTS, VALUE_BYTES);
    group.rounds("80 % reads, 20 % updates", &mix, ROUND, &Options::default());
}
