//! Mistakes that stores of this kind have made, each under the name of the mistake.

mod common;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{Entry, VecIter, VecSink, meta_of};
use slice_compaction::{
    Busy, CompactionStrategy, Leveled, Levels, MergeOptions, Raise, StrategyOptions, TableMeta, Task, Tiered,
    merge, pick_full,
};
use slice_types::{EntryKind, Level, SeqNo};

fn delete(key: &str, seqno: u64) -> Entry {
    Entry::new(key.as_bytes(), seqno, EntryKind::Delete, b"")
}

fn put(key: &str, seqno: u64) -> Entry {
    Entry::new(key.as_bytes(), seqno, EntryKind::Put, b"value")
}

fn tree(tables: &[(usize, Arc<TableMeta>)]) -> Levels {
    let mut levels = vec![Vec::new(); 7];
    for (level, table) in tables {
        levels[*level].push(table.clone());
    }
    let levels = Levels::new(levels);
    levels.check().unwrap();
    levels
}

fn run(task: &Task, levels: &Levels, inputs: Vec<Vec<Entry>>) -> Vec<Entry> {
    let options = MergeOptions {
        snapshots: &[],
        visible: SeqNo::new(100),
        range_tombstones: Arc::default(),
        deeper: task.deeper_keys(levels),
        raise: Raise::default(),
        target_table_bytes: u64::MAX,
        grandparents: Vec::new(),
        range: (None, None),
        cancel: &AtomicBool::new(false),
    };
    let mut sink = VecSink::default();
    merge(inputs.into_iter().map(VecIter::new).collect(), &options, &mut sink).unwrap();
    sink.tables.concat()
}

#[test]
fn tombstones_are_not_dropped_while_deeper_levels_still_hold_the_key() {
    let newest = vec![delete("a", 20), delete("m", 21)];
    let older = vec![put("a", 10), put("m", 11)];
    let oldest = vec![put("a", 1), put("b", 2)];
    let levels = tree(&[(0, meta_of(3, &newest)), (5, meta_of(2, &older)), (6, meta_of(1, &oldest))]);
    let strategy = Leveled::new(StrategyOptions { l0_trigger: 1, ..StrategyOptions::default() });
    let task = strategy.pick(&levels, &Busy::new()).unwrap();
    assert_eq!(task.output, Level(5), "the job must end above the oldest table to be of use here");
    // "a" is also in level 6, "m" is not.
    assert_eq!(run(&task, &levels, vec![newest, older]), vec![delete("a", 20)]);
}

#[test]
fn tombstones_are_not_dropped_while_older_runs_of_level_0_still_hold_the_key() {
    let oldest = vec![put("a", 1), put("b", 2)];
    let older = vec![delete("a", 10), delete("x", 11)];
    let newest = vec![put("c", 20)];
    let levels = tree(&[(0, meta_of(1, &oldest)), (0, meta_of(2, &older)), (0, meta_of(3, &newest))]);
    let ids = levels.level(0)[1..].iter().map(|table| table.id).collect();
    let task = Task {
        inputs: vec![(Level::ZERO, ids)],
        output: Level::ZERO,
        kind: slice_compaction::TaskKind::Merge,
        reason: slice_compaction::Reason::Level0Fold,
        score: 1.0,
    };
    assert!(Busy::new().admits(&task, &levels));
    assert_eq!(run(&task, &levels, vec![newest, older]), vec![delete("a", 10), put("c", 20)]);
}

/// Starts all jobs that can run at once.
fn start_all(levels: &Levels, pick: impl Fn(&Busy) -> Option<Task>) -> usize {
    let mut busy = Busy::new();
    let mut taken = HashSet::new();
    let mut tasks = Vec::new();
    while let Some(task) = pick(&busy) {
        assert!(task.table_ids().count() > 0);
        for id in task.table_ids() {
            assert!(taken.insert(id), "table {id} is in two jobs: {task:?} and one of {tasks:?}");
            assert!(!busy.is_busy(id));
        }
        busy.start(&task, levels);
        tasks.push(task);
    }
    assert_eq!(busy.len(), tasks.len());
    for task in &tasks {
        busy.finish(task);
    }
    assert!(busy.is_empty());
    assert_eq!(pick(&busy).as_ref(), tasks.first(), "an idle tree is asked the same and answers the same");
    tasks.len()
}

#[test]
fn the_same_table_is_never_in_two_jobs() {
    let mut tables = Vec::new();
    let mut id = 0;
    for (level, step) in [(6, 1), (5, 2), (4, 4)] {
        for start in (0..96_u8).step_by(step) {
            id += 1;
            let keys =
                [[b' ' + start].to_vec(), [b' ' + start + step as u8 - 1].to_vec(), vec![b' ' + start, 0]];
            let mut entries: Vec<_> =
                keys.iter().map(|key| Entry::new(key, id, EntryKind::Put, &[0; 50])).collect();
            common::sort(&mut entries);
            entries.dedup();
            tables.push((level, meta_of(id, &entries)));
        }
    }
    for _ in 0..8 {
        id += 2;
        tables.push((0, meta_of(id, &[put("a", id - 1), put("z", id)])));
    }
    let levels = tree(&tables);
    let options = StrategyOptions {
        level_base_bytes: 400,
        level_multiplier: 2,
        target_table_bytes: 150,
        max_sstables_per_job: 6,
        ..StrategyOptions::default()
    };
    let leveled = Leveled::new(options.clone());
    assert!(start_all(&levels, |busy| leveled.pick(&levels, busy)) > 2);
    let tiered = Tiered::new(options.clone());
    assert!(start_all(&levels, |busy| tiered.pick(&levels, busy)) > 0);
    assert!(start_all(&levels, |busy| pick_full(&levels, busy, &options, SeqNo::MAX)) > 2);
}

#[test]
fn a_job_of_tombstones_only_is_not_scheduled_for_ever() {
    let options = StrategyOptions { l0_trigger: 1, ..StrategyOptions::default() };
    let tombstones = vec![delete("a", 5), delete("b", 6)];
    let levels = tree(&[(6, meta_of(1, &tombstones))]);
    let leveled = Leveled::new(options.clone());
    let tiered = Tiered::new(options.clone());
    let idle = Busy::new();
    assert_eq!(leveled.pick(&levels, &idle), None);
    assert_eq!(tiered.pick(&levels, &idle), None);
    // A reader at 5 still needs one of them, so a rewrite is not sure to drop anything.
    assert_eq!(pick_full(&levels, &idle, &options, SeqNo::new(5)), None);
    let task = pick_full(&levels, &idle, &options, SeqNo::new(6)).unwrap();
    assert_eq!(run(&task, &levels, vec![tombstones]), vec![]);
    let levels = levels.apply(&task, Vec::new());
    assert_eq!(levels.tables().count(), 0);
    assert_eq!(pick_full(&levels, &idle, &options, SeqNo::new(6)), None);
}

#[test]
fn a_table_of_tombstones_that_a_snapshot_needs_sinks_to_the_last_level_and_stays() {
    let tombstones = vec![delete("a", 5), delete("b", 6)];
    let mut levels = tree(&[(3, meta_of(1, &tombstones)), (6, meta_of(2, &[put("x", 1)]))]);
    let leveled = Leveled::new(StrategyOptions::default());
    let mut tasks = 0;
    while let Some(task) = leveled.pick(&levels, &Busy::new()) {
        tasks += 1;
        assert!(tasks <= 3, "the table can sink by three levels: {task:?}");
        let outputs = if task.is_move() { Vec::new() } else { task.tables(&levels) };
        levels = levels.apply(&task, outputs);
        levels.check().unwrap();
    }
    assert_eq!(levels.level(6).len(), 2);
}
