//! The core workloads of the [YCSB](https://doi.org/10.1145/1807128.1807152): Zipfian, 0.99, and of D the latest keys.

use criterion::Criterion;
use slice::Options;
use slice_benches::workload::Workload;

use crate::rounds::{Group, ROUND, usual};

/// Scans of a round, each of 50 entries on average.
const SCANS: u64 = 2000;

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "YCSB");
    for (name, workload, ops) in [
        ("A, 50 % reads, 50 % updates", Workload::YcsbA, ROUND),
        ("B, 95 % reads, 5 % updates", Workload::YcsbB, ROUND),
        ("C, 100 % reads", Workload::YcsbC, ROUND),
        ("D, 95 % reads of the latest, 5 % inserts", Workload::YcsbD, ROUND),
        ("E, 95 % scans, 5 % inserts", Workload::YcsbE, SCANS),
        ("F, 50 % reads, 50 % reads and updates", Workload::YcsbF, ROUND),
    ] {
        group.rounds(name, &usual(workload), ops, &Options::default());
    }
}
