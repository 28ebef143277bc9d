//! Workloads by the names that they have in LevelDB's and RocksDB's `db_bench`.

use criterion::Criterion;
use slice::Options;
use slice_benches::workload::Workload;

use crate::rounds::{Group, usual};

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "DBBench");
    for (name, workload) in [("fillseq", Workload::FillSeq), ("fillrandom", Workload::FillRandom)] {
        group.fills(name, &usual(workload), &Options::default());
    }
    for (name, workload) in [
        ("overwrite", Workload::Overwrite),
        ("readrandom", Workload::ReadRandom),
        ("readmissing", Workload::ReadMissing),
        ("readhot", Workload::ReadHot),
    ] {
        group.rounds(name, &usual(workload), &Options::default());
    }
}
