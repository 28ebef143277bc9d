//! The core workloads of the [YCSB](https://doi.org/10.1145/1807128.1807152) that need no scans: Zipfian, 0.99.

use criterion::Criterion;
use slice::Options;
use slice_benches::workload::Workload;

use crate::rounds::{Group, usual};

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "YCSB");
    for (name, workload) in [
        ("A, 50 % reads", Workload::YcsbA),
        ("B, 95 % reads", Workload::YcsbB),
        ("C, 100 % reads", Workload::YcsbC),
    ] {
        group.rounds(name, &usual(workload), &Options::default());
    }
}
