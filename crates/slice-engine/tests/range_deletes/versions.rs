//! Ranges, keys and batches at random, with everything that moves data, against an ordered map for each moment that
//! somebody still looks at.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use slice::blocking::{LSMTree, Scan, Snapshot};
use slice::planted::Bug;
use slice::vfs::MemFs;
use slice::{Background, Builder, Strategy as Shape, WriteBatch};

use crate::support::key;

const KEYS: u32 = 40;

#[derive(Clone, Debug)]
enum Write {
    Put(u32),
    Delete(u32),
    /// From a key to so many behind it; 0 for all.
    DeleteRange(u32, u32),
}

#[derive(Clone, Debug)]
enum Op {
    Write(Write),
    Batch(Vec<Write>),
    Snapshot,
    /// Ends one of the snapshots.
    Release(usize),
    Flush,
    Compact,
    Reopen,
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        6 => (0..KEYS).prop_map(Write::Put),
        1 => (0..KEYS).prop_map(Write::Delete),
        2 => (0..KEYS, 0..KEYS / 3).prop_map(|(start, len)| Write::DeleteRange(start, len)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        24 => write().prop_map(Op::Write),
        4 => vec(write(), 1..6).prop_map(Op::Batch),
        4 => Just(Op::Snapshot),
        3 => any::<usize>().prop_map(Op::Release),
        5 => Just(Op::Flush),
        1 => Just(Op::Compact),
        1 => Just(Op::Reopen),
    ]
}

/// Small tables, so that a few writes make levels.
fn builders() -> impl Strategy<Value = Builder> {
    let shape = prop_oneof![Just(Shape::Leveled), Just(Shape::Tiered)];
    (shape, 1..4_usize, 2..4_usize, 0..2_usize).prop_map(|(shape, trigger, levels, rows)| {
        LSMTree::builder("/db")
            .background(Background::Inline)
            .strategy(shape)
            .l0_compaction_trigger(trigger)
            .max_levels(levels)
            .memtable_size(4 << 10)
            .level_base_bytes(1 << 10)
            .level_multiplier(2)
            .target_table_bytes(1 << 10)
            .merge_part_bytes(1 << 10)
            .block_size(64)
            .row_cache_entries(rows * 100)
    })
}

type Contents = BTreeMap<u32, u32>;

/// A store beside its model.
struct Pair {
    fs: MemFs,
    builder: Builder,
    lsm: LSMTree,
    contents: Contents,
    snapshots: Vec<(Snapshot, Contents)>,
    /// The number of the write, and its value.
    writes: u32,
}

impl Pair {
    fn new(builder: Builder) -> Self {
        let fs = MemFs::new();
        let builder = builder.fs(Arc::new(fs.clone()));
        let lsm = builder.clone().open_blocking().unwrap();
        Self { fs, builder, lsm, contents: Contents::new(), snapshots: Vec::new(), writes: 0 }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Write(write) => self.write(std::slice::from_ref(write)),
            Op::Batch(writes) => self.write(writes),
            Op::Snapshot => self.snapshots.push((self.lsm.snapshot(), self.contents.clone())),
            Op::Release(n) if !self.snapshots.is_empty() => {
                drop(self.snapshots.remove(n % self.snapshots.len()));
            }
            Op::Release(_) => {}
            Op::Flush => self.lsm.flush().unwrap(),
            Op::Compact => self.lsm.compact().unwrap(),
            Op::Reopen => self.reopen(),
        }
    }

    fn write(&mut self, writes: &[Write]) {
        let mut batch = WriteBatch::new();
        for write in writes {
            self.writes += 1;
            match write {
                Write::Put(n) => {
                    batch.put(&key(*n), &Self::value(self.writes)).unwrap();
                    self.contents.insert(*n, self.writes);
                }
                Write::Delete(n) => {
                    batch.delete(&key(*n)).unwrap();
                    self.contents.remove(n);
                }
                Write::DeleteRange(_, 0) => {
                    batch.delete_range::<&[u8], _>(..).unwrap();
                    self.contents.clear();
                }
                Write::DeleteRange(start, len) => {
                    batch.delete_range(key(*start)..key(start + len)).unwrap();
                    self.contents.retain(|n, _| !(*start..start + len).contains(n));
                }
            }
        }
        self.lsm.write(batch).unwrap();
    }

    /// Some values are longer than a block.
    fn value(n: u32) -> Vec<u8> {
        n.to_le_bytes().repeat(1 + n as usize % 20)
    }

    /// Snapshots are of one open store.
    fn reopen(&mut self) {
        self.snapshots.clear();
        self.lsm.close().unwrap();
        self.lsm = self.builder.clone().fs(Arc::new(self.fs.clone())).open_blocking().unwrap();
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for n in 0..KEYS {
            let expected = self.contents.get(&n).map(|n| Self::value(*n));
            prop_assert_eq!(self.lsm.get(&key(n)).unwrap(), expected, "key {}", n);
            for (snapshot, contents) in &self.snapshots {
                let expected = contents.get(&n).map(|n| Self::value(*n));
                prop_assert_eq!(snapshot.get(&key(n)).unwrap(), expected, "key {} at {:?}", n, snapshot);
            }
        }
        self.check_scans()
    }

    fn check_scans(&self) -> Result<(), TestCaseError> {
        let now = self.lsm.snapshot();
        let all = self.snapshots.iter().map(|(snapshot, contents)| (snapshot, contents));
        for (snapshot, contents) in all.chain([(&now, &self.contents)]) {
            let pairs = contents.iter().map(|(n, value)| (key(*n), Self::value(*value)));
            let expected: Vec<_> = pairs.collect();
            prop_assert_eq!(pairs_of(snapshot.iter()), expected.clone(), "at {:?}", snapshot);
            let mut backward = pairs_of(snapshot.iter().rev());
            backward.reverse();
            prop_assert_eq!(backward, expected, "backward at {:?}", snapshot);
        }
        Ok(())
    }
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn pairs_of(scan: impl Iterator<Item = <Scan as Iterator>::Item>) -> Pairs {
    scan.map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}

fn run(builder: Builder, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(builder);
    for op in ops {
        pair.apply(op);
        if matches!(op, Op::Flush | Op::Compact | Op::Reopen) {
            pair.check()?;
        }
    }
    pair.check()?;
    let report = pair.lsm.verify().unwrap();
    prop_assert!(report.is_clean(), "{report}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_moment_reads_as_it_was(builder in builders(), ops in vec(op(), 1..150)) {
        run(builder, &ops)?;
    }

    #[test]
    fn with_threads_as_well(builder in builders(), ops in vec(op(), 1..100)) {
        run(builder.background(Background::Threads), &ops)?;
    }
}

#[test]
fn range_tombstones_that_a_flush_forgets_are_noticed() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let found = runner.run(&(builders(), vec(op(), 1..150)), |(builder, ops)| {
        run(builder.plant(Bug::ForgetRangeTombstones), &ops)
    });
    assert!(found.is_err(), "a store that forgets range tombstones passes");
}

#[test]
fn a_compaction_that_keeps_what_is_covered_and_denies_it_is_noticed() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let found = runner
        .run(&(builders(), vec(op(), 1..150)), |(builder, ops)| run(builder.plant(Bug::KeepCovered), &ops));
    assert!(found.is_err(), "a store that brings deleted ranges back passes");
}
