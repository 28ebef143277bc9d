//! A whole tree in memory, with data: flushes, jobs that overlap in time and end in any order, snapshots that come and
//! go, strategies that change. After every step the tree keeps its invariant and every reader reads what was written;
//! in the end it comes to rest.
//!
//! What jobs hold is tracked here a second time, by plain lists, so that a mistake in `Busy` shows.

mod common;
#[path = "common/reads.rs"]
mod reads;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{Entry, VecIter, VecSink, meta_of, sort};
use proptest::collection::vec;
use proptest::prelude::*;
use reads::read;
use slice_compaction::{
    Busy, CompactionStrategy, DeeperKeys, Grandparent, Leveled, Levels, MergeOptions, Raise, StrategyOptions,
    TableMeta, Task, Tiered, merge, pick_full, split_ranges,
};
use slice_types::{EntryKind, Level, SeqNo, TableId};

const KEYS: u8 = 24;

#[derive(Clone, Debug)]
enum Op {
    /// Writes to keys from the first on, and a flush of them.
    Flush { first: u8, writes: Vec<(u8, EntryKind)> },
    /// Starts a job of the strategy of this number, if there is one.
    Start(u8),
    /// Ends one of the running jobs; every fourth fails and changes nothing.
    End(usize),
    /// Takes a snapshot.
    Snapshot,
    /// Lets one go.
    Release(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let kind =
        prop_oneof![5 => Just(EntryKind::Put), 3 => Just(EntryKind::Delete), 1 => Just(EntryKind::Merge)];
    // Few keys side by side, so that tables are disjoint as often as not.
    let flush =
        (0..KEYS, vec((0..8_u8, kind), 1..12)).prop_map(|(first, writes)| Op::Flush { first, writes });
    prop_oneof![
        5 => flush,
        5 => (0..5_u8).prop_map(Op::Start),
        4 => any::<usize>().prop_map(Op::End),
        1 => Just(Op::Snapshot),
        1 => any::<usize>().prop_map(Op::Release),
    ]
}

fn options() -> impl Strategy<Value = StrategyOptions> {
    (2..8_usize, 1..5_usize, 20..200_u64, 2..5_u64, 10..60_u64, 1..8_usize, 1..12_u64).prop_map(
        |(
            levels,
            l0_trigger,
            level_base_bytes,
            level_multiplier,
            target_table_bytes,
            max_sstables_per_job,
            tombstones_min,
        )| {
            StrategyOptions {
                levels,
                l0_trigger,
                level_base_bytes,
                level_multiplier,
                target_table_bytes,
                max_sstables_per_job,
                tombstones_min,
                ..StrategyOptions::default()
            }
        },
    )
}

/// A job as it was when it started: what it may drop was decided then.
struct Job {
    task: Task,
    snapshots: Vec<SeqNo>,
    visible: SeqNo,
    deeper: DeeperKeys,
    raise: Raise,
    grandparents: Vec<Grandparent>,
    bounds: (Arc<[u8]>, Arc<[u8]>),
}

struct Tree {
    options: StrategyOptions,
    levels: Levels,
    data: BTreeMap<TableId, Vec<Entry>>,
    /// What tables held that are gone: a crash may have kept any of their files.
    replaced: Vec<Vec<Entry>>,
    busy: Busy,
    jobs: Vec<Job>,
    snapshots: Vec<SeqNo>,
    history: Vec<Entry>,
    next_table: u64,
}

impl Tree {
    fn new(options: StrategyOptions) -> Self {
        Self {
            levels: Levels::new(vec![Vec::new(); options.levels]),
            options,
            data: BTreeMap::new(),
            replaced: Vec::new(),
            busy: Busy::new(),
            jobs: Vec::new(),
            snapshots: Vec::new(),
            history: Vec::new(),
            next_table: 1,
        }
    }

    fn visible(&self) -> SeqNo {
        SeqNo::new(self.history.len() as u64)
    }

    fn oldest_snapshot(&self) -> SeqNo {
        self.snapshots.first().copied().unwrap_or_else(|| self.visible())
    }

    fn store(&mut self, entries: Vec<Entry>) -> Arc<TableMeta> {
        let meta = meta_of(self.next_table, &entries);
        self.next_table += 1;
        self.data.insert(meta.id, entries);
        meta
    }

    fn flush(&mut self, first: u8, writes: &[(u8, EntryKind)]) {
        let mut entries = Vec::new();
        for (offset, kind) in writes {
            let seqno = self.visible().get() + 1;
            let key = [b'a' + (first + offset) % KEYS];
            let value = if *kind == EntryKind::Delete { String::new() } else { seqno.to_string() };
            let entry = Entry::new(&key, seqno, *kind, value.as_bytes());
            self.history.push(entry.clone());
            entries.push(entry);
        }
        sort(&mut entries);
        let meta = self.store(entries);
        let mut all: Vec<_> = (0..self.levels.len()).map(|level| self.levels.level(level).to_vec()).collect();
        all[0].push(meta);
        self.levels = Levels::new(all);
    }

    fn pick(&self, strategy: u8) -> Option<Task> {
        match strategy {
            0 | 1 => Leveled::new(self.options.clone()).pick(&self.levels, &self.busy),
            2 | 3 => Tiered::new(self.options.clone()).pick(&self.levels, &self.busy),
            _ => pick_full(&self.levels, &self.busy, &self.options, self.oldest_snapshot()),
        }
    }

    fn start(&mut self, task: Task) {
        let tables = task.tables(&self.levels);
        let bounds = (
            tables.iter().map(|table| table.smallest.clone()).min().expect("a task has tables"),
            tables.iter().map(|table| table.largest.clone()).max().expect("a task has tables"),
        );
        for other in &self.jobs {
            assert!(!task.table_ids().any(|id| other.task.table_ids().any(|busy| busy == id)), "{task:?}");
            let is_apart = task.output != other.task.output
                || task.output == Level::ZERO
                || bounds.1 < other.bounds.0
                || other.bounds.1 < bounds.0;
            assert!(is_apart, "{task:?} writes where {:?} does", other.task);
        }
        self.busy.start(&task, &self.levels);
        self.jobs.push(Job {
            snapshots: self.snapshots.clone(),
            visible: self.visible(),
            deeper: task.deeper_keys(&self.levels),
            raise: task.raise(&self.levels),
            grandparents: task.grandparents(&self.levels),
            bounds,
            task,
        });
    }

    fn end(&mut self, place: usize, succeeds: bool) {
        let job = self.jobs.remove(place);
        self.busy.finish(&job.task);
        if !succeeds {
            return;
        }
        let outputs = if job.task.is_move() { Vec::new() } else { self.run(&job) };
        self.levels = self.levels.apply(&job.task, outputs);
        if !job.task.is_move() {
            self.replaced.extend(job.task.table_ids().filter_map(|id| self.data.remove(&id)));
        }
    }

    /// Runs a job as the store does: newest input first, in ranges where it may be split.
    fn run(&mut self, job: &Job) -> Vec<Arc<TableMeta>> {
        let mut inputs: Vec<(Level, &Vec<Entry>)> = Vec::new();
        for (level, ids) in &job.task.inputs {
            let tables = ids.iter().map(|id| (*level, &self.data[id]));
            if *level == Level::ZERO { inputs.extend(tables.rev()) } else { inputs.extend(tables) }
        }
        let samples: Vec<Vec<_>> =
            inputs.iter().map(|(_, run)| run.iter().map(|entry| (entry.key.clone(), 1)).collect()).collect();
        let parts = if job.task.output == Level::ZERO { 1 } else { 3 };
        let keys = split_ranges(&samples, parts);
        let mut tables = Vec::new();
        for part in 0..=keys.len() {
            let options = MergeOptions {
                snapshots: &job.snapshots,
                visible: job.visible,
                range_tombstones: Arc::default(),
                deeper: job.deeper.clone(),
                raise: job.raise.clone(),
                target_table_bytes: job.task.target_table_bytes(&self.options),
                grandparents: job.grandparents.clone(),
                range: (
                    part.checked_sub(1).map(|before| keys[before].as_slice()),
                    keys.get(part).map(Vec::as_slice),
                ),
                cancel: &AtomicBool::new(false),
            };
            let mut sink = VecSink::default();
            let cursors = inputs.iter().map(|(_, run)| VecIter::new((*run).clone())).collect();
            merge(cursors, &options, &mut sink).expect("memory does not fail");
            tables.extend(sink.tables);
        }
        assert!(job.task.output != Level::ZERO || tables.len() <= 1, "level 0 got more than a run");
        tables.into_iter().map(|entries| self.store(entries)).collect()
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Flush { first, writes } => self.flush(*first, writes),
            Op::Start(strategy) => {
                if let Some(task) = self.pick(*strategy) {
                    self.start(task);
                }
            }
            Op::End(place) if !self.jobs.is_empty() => self.end(place % self.jobs.len(), place % 4 != 3),
            Op::Snapshot => self.snapshots.push(self.visible()),
            Op::Release(place) if !self.snapshots.is_empty() => {
                self.snapshots.remove(place % self.snapshots.len());
            }
            Op::End(_) | Op::Release(_) => {}
        }
    }

    /// Every live snapshot and the present read what was written, from a tree in order.
    fn check(&self) {
        self.levels.check().unwrap();
        let mut written = self.history.clone();
        sort(&mut written);
        let newest_first = self
            .levels
            .level(0)
            .iter()
            .rev()
            .chain((1..self.levels.len()).flat_map(|level| self.levels.level(level)));
        let sources: Vec<&[Entry]> = newest_first.map(|table| self.data[&table.id].as_slice()).collect();
        for seqno in self.snapshots.iter().copied().chain([self.visible()]) {
            for key in b'a'..b'a' + KEYS {
                let (expected, found) = (read(&[&written], &[key], seqno), read(&sources, &[key], seqno));
                assert_eq!(found, expected, "{} at {seqno} of {:#?}", key as char, self.levels);
            }
        }
    }

    /// Of all files that there ever were, and nothing that tells which count, the highest number of a key has its newest
    /// version; but a tombstone may be gone, and with it what it hid be back.
    fn check_without_a_manifest(&self) {
        let tables = self.data.values().chain(&self.replaced);
        let mut found = BTreeMap::new();
        for entry in tables.flatten().filter(|entry| entry.trailer.kind() == EntryKind::Put) {
            let newest = found.entry(&entry.key).or_insert(entry);
            if newest.trailer.seqno() < entry.trailer.seqno() {
                *newest = entry;
            }
        }
        for (key, found) in found {
            let newest = self.history.iter().rfind(|entry| entry.key == *key).expect("it was written");
            let is_put = newest.trailer.kind() == EntryKind::Put;
            assert!(!is_put || newest.value == found.value, "{found:?} in place of {newest:?}");
        }
    }

    /// Does one task after the other until there is none.
    fn settle(&mut self, strategy: u8) {
        let tables = self.levels.tables().count();
        let limit = 50 + 20 * tables * self.levels.len();
        for _ in 0..limit {
            let Some(task) = self.pick(strategy) else { return };
            self.start(task);
            self.end(0, true);
            self.check();
        }
        panic!("after {limit} tasks there is still one: {:#?}", self.pick(strategy));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn whatever_jobs_run_every_reader_reads_what_was_written_and_the_tree_comes_to_rest(
        options in options(),
        ops in vec(op(), 1..80),
    ) {
        options.validate().unwrap();
        let mut tree = Tree::new(options);
        for op in &ops {
            tree.apply(op);
            tree.check();
        }
        while !tree.jobs.is_empty() {
            tree.end(0, true);
            tree.check();
        }
        tree.check_without_a_manifest();
        tree.settle(0);
        prop_assert_eq!(Leveled::new(tree.options.clone()).debt_bytes(&tree.levels), 0);
        tree.settle(2);
        prop_assert_eq!(Tiered::new(tree.options.clone()).debt_bytes(&tree.levels), 0);
        tree.settle(4);
        let used = tree.levels.tables().map(|(level, _)| level).collect::<std::collections::BTreeSet<_>>();
        prop_assert!(used.len() <= 1 && !used.contains(&0), "a full compaction left {:?}", used);
        tree.snapshots.clear();
        tree.settle(4);
        tree.check_without_a_manifest();
        let tombstones: u64 = tree.levels.tables().map(|(_, table)| table.tombstones).sum();
        prop_assert_eq!(tombstones, 0);
    }
}
