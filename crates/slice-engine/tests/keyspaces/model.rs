//! Keyspaces are ordered maps of their own, whatever is made, cleared, dropped, flushed and reopened in between.
//!
//! Random steps are done to a store and to a map of maps, and after each that moves data all of it is compared. A
//! failure is shrunk to the few steps that matter; its seed is kept beside this file, and tried first ever after.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use slice::blocking::LSMTree;
use slice::vfs::MemFs;
use slice::{Background, KeyspaceOptions, Strategy as Compaction, WriteBatch};

use crate::support::at;

const NAMES: [&str; 4] = ["default", "a", "b", "c"];
const KEYS: u8 = 12;

/// A step. The first number is a keyspace's place in [`NAMES`].
#[derive(Clone, Debug)]
enum Op {
    Put(usize, u8),
    Delete(usize, u8),
    /// Puts and deletes, in the order of a history that no two writes share.
    Batch(Vec<(usize, u8, bool)>),
    Flush(usize),
    Compact(usize),
    Clear(usize),
    Drop(usize),
    Reopen,
    /// The process ends, and the disk has what it was given.
    Kill,
}

type Contents = BTreeMap<usize, BTreeMap<u8, Vec<u8>>>;

fn op() -> impl Strategy<Value = Op> {
    let name = || 0..NAMES.len();
    prop_oneof![
        12 => (name(), 0..KEYS).prop_map(|(name, key)| Op::Put(name, key)),
        4 => (name(), 0..KEYS).prop_map(|(name, key)| Op::Delete(name, key)),
        8 => prop::collection::vec((name(), 0..KEYS, any::<bool>()), 0..8).prop_map(Op::Batch),
        4 => name().prop_map(Op::Flush),
        2 => name().prop_map(Op::Compact),
        2 => name().prop_map(Op::Clear),
        2 => (1..NAMES.len()).prop_map(Op::Drop),
        2 => Just(Op::Reopen),
        1 => Just(Op::Kill),
    ]
}

/// The store under test, and what it has to hold.
struct Run {
    fs: MemFs,
    background: Background,
    lsm: LSMTree,
    contents: Contents,
    writes: u32,
}

fn open(fs: &MemFs, background: Background) -> LSMTree {
    let small = KeyspaceOptions::new().memtable_size(8 << 10).strategy(Compaction::Tiered);
    let store = at(fs).background(background).memtable_size(16 << 10).l0_compaction_trigger(2);
    let lsm = store.keyspace("a", small).open_blocking().unwrap();
    assert!(lsm.keyspaces().iter().any(|name| name == "a"), "it was declared");
    lsm
}

impl Run {
    fn new(background: Background) -> Self {
        let fs = MemFs::new();
        let lsm = open(&fs, background);
        Self { fs, background, lsm, contents: Contents::new(), writes: 0 }
    }

    fn keyspace(&self, name: usize) -> LSMTree {
        self.lsm.keyspace(NAMES[name]).unwrap()
    }

    /// A value that is written once, large enough that some dozens fill a memtable.
    fn value(&mut self) -> Vec<u8> {
        self.writes += 1;
        [&self.writes.to_be_bytes()[..], &[7; 400]].concat()
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Put(name, key) => {
                let value = self.value();
                self.keyspace(*name).put(&[*key], &value).unwrap();
                self.contents.entry(*name).or_default().insert(*key, value);
            }
            Op::Delete(name, key) => {
                self.keyspace(*name).delete(&[*key]).unwrap();
                self.contents.entry(*name).or_default().remove(key);
            }
            Op::Batch(writes) => self.batch(writes),
            Op::Flush(name) => self.keyspace(*name).flush().unwrap(),
            Op::Compact(name) => self.keyspace(*name).compact().unwrap(),
            Op::Clear(name) => {
                self.keyspace(*name).clear().unwrap();
                self.contents.remove(name);
            }
            Op::Drop(name) => {
                self.keyspace(*name);
                self.lsm.drop_keyspace(NAMES[*name]).unwrap();
                self.contents.remove(name);
            }
            Op::Reopen => {
                self.lsm.close().unwrap();
                self.lsm = open(&self.fs, self.background);
            }
            Op::Kill => {
                self.fs = self.fs.killed_image();
                self.lsm = open(&self.fs, self.background);
            }
        }
    }

    fn batch(&mut self, writes: &[(usize, u8, bool)]) {
        let mut batch = WriteBatch::new();
        for (name, key, is_put) in writes {
            let (keyspace, value) = (self.keyspace(*name), self.value());
            let keys = self.contents.entry(*name).or_default();
            if *is_put {
                batch.put_in(&keyspace, &[*key], &value).unwrap();
                keys.insert(*key, value);
            } else {
                batch.delete_in(&keyspace, &[*key]).unwrap();
                keys.remove(key);
            }
        }
        // Through any handle: each write names its keyspace.
        self.keyspace(writes.len() % NAMES.len()).write(batch).unwrap();
    }

    fn compare(&self) {
        for (place, name) in NAMES.iter().enumerate() {
            if !self.lsm.keyspaces().iter().any(|other| other == name) {
                assert!(self.contents.get(&place).is_none_or(BTreeMap::is_empty), "{name} is gone");
                continue;
            }
            let keyspace = self.keyspace(place);
            for key in 0..KEYS {
                let expected = self.contents.get(&place).and_then(|keys| keys.get(&key));
                assert!(keyspace.get(&[key]).unwrap().as_ref() == expected, "key {key} of {name}");
            }
        }
    }
}

fn hold(background: Background, ops: &[Op]) {
    let mut run = Run::new(background);
    for op in ops {
        run.apply(op);
        if !matches!(op, Op::Put(..) | Op::Delete(..)) {
            run.compare();
        }
    }
    run.compare();
    let report = run.lsm.verify().unwrap();
    assert!(report.is_clean(), "{report}");
}

fn config(cases: u32) -> ProptestConfig {
    let kept = FileFailurePersistence::Direct("tests/keyspaces/model.regressions");
    ProptestConfig { failure_persistence: Some(Box::new(kept)), ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn each_keyspace_is_an_ordered_map(ops in prop::collection::vec(op(), 20..120)) {
        hold(Background::Inline, &ops);
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn each_keyspace_of_a_store_with_threads_is_an_ordered_map(ops in prop::collection::vec(op(), 20..120)) {
        hold(Background::Threads, &ops);
    }
}
