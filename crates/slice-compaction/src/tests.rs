//! Configuration, the shape of a tree, and the gate that jobs pass.

use std::sync::Arc;

use slice_types::{ErrorKind, Level, SeqNo, TableId};

use crate::{Busy, CompactionConfig, Levels, Reason, StrategyOptions, TableMeta, Task, TaskKind};

fn table(id: u64, smallest: &str, largest: &str) -> Arc<TableMeta> {
    Arc::new(TableMeta {
        id: TableId(id),
        smallest: smallest.as_bytes().into(),
        largest: largest.as_bytes().into(),
        bytes: 10,
        entries: 10,
        tombstones: 0,
        min_seqno: SeqNo::ZERO,
        max_seqno: SeqNo::new(id),
        purged: SeqNo::ZERO,
    })
}

fn task(inputs: &[(u8, &[u64])], output: u8) -> Task {
    let ids = |ids: &[u64]| ids.iter().copied().map(TableId).collect();
    Task {
        inputs: inputs.iter().map(|(level, tables)| (Level(*level), ids(tables))).collect(),
        output: Level(output),
        kind: TaskKind::Merge,
        reason: Reason::Manual,
        score: 1.0,
    }
}

fn ids(levels: &Levels, level: usize) -> Vec<u64> {
    levels.level(level).iter().map(|table| table.id.0).collect()
}

#[test]
fn the_configuration_has_the_documented_defaults() {
    let config = CompactionConfig {
        max_concurrent_compactions: 2,
        merge_parallelism: 4,
        max_sstables_per_job: 10,
        enable_parallel_merge: true,
    };
    assert_eq!(CompactionConfig::default(), config);
    config.validate().unwrap();
    StrategyOptions::default().validate().unwrap();
}

#[test]
fn a_zero_is_refused_by_the_name_of_its_field() {
    type Set = fn(&mut CompactionConfig);
    let fields: [(&str, Set); 3] = [
        ("max_concurrent_compactions", |config| config.max_concurrent_compactions = 0),
        ("merge_parallelism", |config| config.merge_parallelism = 0),
        ("max_sstables_per_job", |config| config.max_sstables_per_job = 0),
    ];
    for (field, set) in fields {
        let mut config = CompactionConfig::default();
        set(&mut config);
        let error = config.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn strategy_options_out_of_range_are_refused_by_name() {
    type Set = fn(&mut StrategyOptions);
    let fields: [(&str, Set); 7] = [
        ("levels", |options| options.levels = 1),
        ("levels", |options| options.levels = 257),
        ("l0_trigger", |options| options.l0_trigger = 0),
        ("level_base_bytes", |options| options.level_base_bytes = 0),
        ("level_multiplier", |options| options.level_multiplier = 1),
        ("target_table_bytes", |options| options.target_table_bytes = 0),
        ("max_sstables_per_job", |options| options.max_sstables_per_job = 0),
    ];
    for (field, set) in fields {
        let mut options = StrategyOptions::default();
        set(&mut options);
        let error = options.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn a_tree_out_of_order_is_told_with_its_tables() {
    let broken = [
        (vec![vec![table(2, "a", "b"), table(1, "c", "d")]], "table 2 [a..b] of level 0"),
        (vec![vec![], vec![table(1, "c", "d"), table(2, "a", "b")]], "table 1 [c..d] of level 1"),
        (vec![vec![], vec![table(1, "a", "c"), table(2, "c", "d")]], "table 1 [a..c] of level 1"),
        (vec![vec![table(1, "b", "a")]], "the wrong way round"),
        (vec![vec![table(1, "a", "b")], vec![table(1, "a", "b")]], "table 1 is in the tree twice"),
    ];
    for (levels, message) in broken {
        let error = Levels::new(levels).check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption);
        assert!(error.to_string().contains(message), "{error}");
    }
    let overlapping =
        vec![vec![table(1, "a", "z"), table(2, "a", "z")], vec![table(3, "a", "b"), table(4, "c", "d")]];
    Levels::new(overlapping).check().unwrap();
}

#[test]
fn the_output_of_a_fold_takes_the_place_of_its_inputs() {
    let before = Levels::new(vec![vec![
        table(1, "a", "b"),
        table(2, "a", "b"),
        table(3, "a", "b"),
        table(4, "a", "b"),
    ]]);
    let fold = task(&[(0, &[2, 3])], 0);
    // Level 0 has grown since the task was picked.
    let mut grown = before.level(0).to_vec();
    grown.push(table(5, "a", "b"));
    let mut output = TableMeta::clone(&table(9, "a", "b"));
    output.max_seqno = SeqNo::new(3);
    let after = Levels::new(vec![grown]).apply(&fold, vec![Arc::new(output)]);
    after.check().unwrap();
    assert_eq!(ids(&after, 0), [1, 9, 4, 5]);
}

#[test]
fn a_moved_table_arrives_in_key_order() {
    let before =
        Levels::new(vec![vec![], vec![table(1, "c", "d")], vec![table(2, "a", "b"), table(3, "x", "z")]]);
    let moved = Task { kind: TaskKind::TrivialMove, ..task(&[(1, &[1])], 2) };
    let after = before.apply(&moved, Vec::new());
    after.check().unwrap();
    assert_eq!((ids(&after, 1), ids(&after, 2)), (vec![], vec![2, 1, 3]));
}

#[test]
fn the_gate_refuses_what_would_bring_old_data_back() {
    let levels = Levels::new(vec![
        vec![table(11, "a", "c"), table(12, "b", "f"), table(13, "x", "z"), table(14, "a", "z")],
        vec![],
        vec![table(5, "a", "d"), table(6, "e", "f"), table(7, "x", "y")],
        vec![table(1, "a", "c"), table(2, "d", "m"), table(3, "w", "z")],
    ]);
    let idle = Busy::new();
    let refused: [(&str, Task); 7] = [
        ("an older overlapping table of level 0 stays", task(&[(0, &[12]), (2, &[5, 6])], 2)),
        ("a fold of tables that are not neighbours in age", task(&[(0, &[11, 13])], 0)),
        ("a table of the output level in the range stays", task(&[(0, &[11])], 2)),
        ("also in a gap between the inputs", task(&[(0, &[11, 13]), (2, &[5, 7])], 2)),
        ("a level is skipped that has a table in the range", task(&[(0, &[13]), (3, &[3])], 3)),
        ("a table is not in the tree", task(&[(2, &[99])], 3)),
        ("there is no table", task(&[], 3)),
    ];
    for (why, task) in &refused {
        assert!(!idle.admits(task, &levels), "{why}");
    }
    let admitted = [
        task(&[(0, &[11]), (2, &[5])], 2),
        task(&[(0, &[13]), (2, &[7])], 2),
        task(&[(0, &[12, 13])], 0),
        task(&[(2, &[6]), (3, &[2])], 3),
        task(&[(3, &[3])], 3),
    ];
    for task in &admitted {
        assert!(idle.admits(task, &levels), "{task:?}");
    }
}

#[test]
fn the_gate_refuses_what_is_in_the_way_of_a_running_job() {
    let levels = Levels::new(vec![
        vec![table(11, "a", "f"), table(12, "x", "z"), table(13, "c", "d")],
        vec![],
        vec![table(5, "g", "h"), table(6, "m", "n")],
        vec![table(2, "p", "q")],
    ]);
    let mut busy = Busy::new();
    // Skips level 1 and writes a..z, the gap between its tables included, to level 2.
    let running = task(&[(0, &[11, 12]), (2, &[5, 6])], 2);
    busy.start(&running, &levels);
    let refused: [(&str, Task); 4] = [
        ("the same table", task(&[(2, &[5])], 3)),
        ("newer data would overtake a busy table", task(&[(0, &[13])], 1)),
        ("the same range of the same level", task(&[(0, &[13])], 2)),
        ("a range that it writes to is skipped", task(&[(0, &[13])], 3)),
    ];
    for (why, task) in &refused {
        assert!(!busy.admits(task, &levels), "{why}");
    }
    assert!(busy.admits(&task(&[(3, &[2])], 3), &levels));
    assert!(busy.admits(&task(&[(0, &[13])], 0), &levels));
    busy.finish(&running);
    assert!(busy.is_empty() && !busy.is_busy(TableId(11)));
    assert!(busy.admits(&running, &levels));
}

#[test]
#[should_panic(expected = "is in the way of a running job")]
fn starting_a_task_twice_is_a_mistake() {
    let levels = Levels::new(vec![vec![table(1, "a", "b")], vec![]]);
    let mut busy = Busy::new();
    let task = task(&[(0, &[1])], 1);
    busy.start(&task, &levels);
    busy.start(&task, &levels);
}
