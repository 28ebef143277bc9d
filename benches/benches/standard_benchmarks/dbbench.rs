//! Workloads by the names that they have in LevelDB's and RocksDB's `db_bench`.

use criterion::Criterion;
use slice::{Durability, Options};
use slice_benches::workload::Workload;

use crate::rounds::{CLIENTS, Group, KEYS, ROUND, VALUE_BYTES, plan, usual};

/// Writes that each wait for the disk.
const SYNCED: u64 = 200;
/// Seeks of a round, each with the reads of 11 entries.
const SEEKS: u64 = 10_000;

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "DBBench");
    fills(&mut group);
    for (name, workload) in [
        ("overwrite", Workload::Overwrite),
        ("deleterandom", Workload::DeleteRandom),
        ("readrandom", Workload::ReadRandom),
        ("readmissing", Workload::ReadMissing),
        ("readhot", Workload::ReadHot),
        ("readwhilewriting", Workload::ReadWhileWriting),
    ] {
        group.rounds(name, &usual(workload), ROUND, &Options::default());
    }
    group.rounds("seekrandom", &usual(Workload::SeekRandom), SEEKS, &Options::default());
    for (name, workload) in [("readseq", Workload::ReadSeq), ("readreverse", Workload::ReadReverse)] {
        group.rounds(name, &plan(workload, KEYS, 1, VALUE_BYTES), KEYS, &Options::default());
    }
}

fn fills(group: &mut Group<'_>) {
    let mut options = Options::default();
    for (name, workload) in [("fillseq", Workload::FillSeq), ("fillrandom", Workload::FillRandom)] {
        group.fills(name, &plan(workload, KEYS, CLIENTS, VALUE_BYTES), &options);
    }
    options.durability = Durability::Fsync;
    group.fills("fillsync", &plan(Workload::FillSync, SYNCED, 1, VALUE_BYTES), &options);
}
