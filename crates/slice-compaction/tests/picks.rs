//! What the strategies and the full compaction ask for, as text: `tests/data/{leveled,tiered,full}.txt`.
//!
//! ```text
//!   L0 1:a-m,64 2:c-z,10     tables of level 0, oldest first: number, bounds, bytes (10 if left out)
//!   L6 3:b-k,t6,@9           t: how many of its 10 entries are tombstones; @: its highest sequence number
//!   busy L0 1 -> L6          a job that runs: its level and tables, and where it writes
//!   leveled trigger=2        ask a strategy: options, then its task and debt come out
//!   run leveled trigger=2    ask, apply and ask again, until nothing is left; each task comes out, then the tree
//! ```

mod common;
#[path = "common/text.rs"]
mod text;

use std::fmt::Write as _;
use std::sync::Arc;

use slice_compaction::{
    Busy, CompactionStrategy, Leveled, Levels, Reason, StrategyOptions, TableMeta, Task, TaskKind, Tiered,
    pick_full,
};
use slice_types::{Level, SeqNo, TableId};

#[test]
fn leveled_picks_as_written() {
    text::run_file("leveled.txt", run);
}

#[test]
fn tiered_picks_as_written() {
    text::run_file("tiered.txt", run);
}

#[test]
fn a_full_compaction_steps_as_written() {
    text::run_file("full.txt", run);
}

#[test]
fn a_tree_that_changes_its_strategy_settles_as_written() {
    text::run_file("switch.txt", run);
}

fn run(lines: &[&str]) -> String {
    let mut levels = Levels::new(vec![Vec::new(); 7]);
    let mut busy = Busy::new();
    let mut out = String::new();
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[0] {
            "busy" => busy.start(&running_task(&words[1..]), &levels),
            "run" => levels = run_until_quiet(&words[1..], levels, &mut out),
            level if level.starts_with('L') => levels = with_level(&levels, index(level), &words[1..]),
            _ => ask(&words, &levels, &busy, &mut out),
        }
        levels.check().unwrap();
    }
    out
}

fn ask(words: &[&str], levels: &Levels, busy: &Busy, out: &mut String) {
    let task = pick(words, levels, busy);
    out.push_str(&task.map_or_else(|| "nothing".to_owned(), |task| show_task(&task)));
    if let Some(strategy) = strategy(words) {
        let _ = write!(out, ", debt {}", strategy.debt_bytes(levels));
    }
    out.push('\n');
}

fn run_until_quiet(words: &[&str], mut levels: Levels, out: &mut String) -> Levels {
    let mut next_id = 100;
    while let Some(task) = pick(words, &levels, &Busy::new()) {
        let _ = writeln!(out, "{}", show_task(&task));
        let outputs = outputs(&task, &levels, &mut next_id, &options(words));
        levels = levels.apply(&task, outputs);
        levels.check().unwrap();
        assert!(next_id < 200, "no end in sight:\n{out}");
    }
    for level in 0..levels.len() {
        for table in levels.level(level) {
            let _ = writeln!(out, "L{level} {}", show_table(table));
        }
    }
    levels
}

/// One table for each `target` bytes of the inputs, cut at the inputs' bounds; tombstones go at the bottom.
fn outputs(
    task: &Task,
    levels: &Levels,
    next_id: &mut u64,
    options: &StrategyOptions,
) -> Vec<Arc<TableMeta>> {
    if task.kind == TaskKind::TrivialMove {
        return Vec::new();
    }
    let mut inputs = task.tables(levels);
    inputs.sort_by(|left, right| left.smallest.cmp(&right.smallest));
    let drops = task.deeper_keys(levels).is_empty();
    let mut merged: Vec<TableMeta> = Vec::new();
    for table in inputs {
        let mut table = TableMeta::clone(&table);
        if drops {
            table.entries -= table.tombstones;
            table.bytes = table.bytes * table.entries / (table.entries + table.tombstones);
            table.tombstones = 0;
        }
        match merged.last_mut() {
            Some(last) if last.bytes < task.target_table_bytes(options) || last.largest >= table.smallest => {
                join(last, &table);
            }
            _ => merged.push(table),
        }
    }
    merged.retain(|table| table.entries > 0);
    for table in &mut merged {
        table.id = TableId(*next_id);
        *next_id += 1;
    }
    merged.into_iter().map(Arc::new).collect()
}

fn join(left: &mut TableMeta, right: &TableMeta) {
    left.largest = left.largest.clone().max(right.largest.clone());
    left.bytes += right.bytes;
    left.entries += right.entries;
    left.tombstones += right.tombstones;
    left.min_seqno = left.min_seqno.min(right.min_seqno);
    left.max_seqno = left.max_seqno.max(right.max_seqno);
}

fn pick(words: &[&str], levels: &Levels, busy: &Busy) -> Option<Task> {
    match strategy(words) {
        Some(strategy) => strategy.pick(levels, busy),
        None => pick_full(levels, busy, &options(words), SeqNo::new(number(words, "snapshot", 1000))),
    }
}

fn strategy(words: &[&str]) -> Option<Box<dyn CompactionStrategy>> {
    match words[0] {
        "leveled" => Some(Box::new(Leveled::new(options(words)))),
        "tiered" => Some(Box::new(Tiered::new(options(words)))),
        "full" => None,
        other => panic!("{other} is no command"),
    }
}

fn options(words: &[&str]) -> StrategyOptions {
    let options = StrategyOptions {
        levels: number(words, "levels", 7) as usize,
        l0_trigger: number(words, "trigger", 4) as usize,
        level_base_bytes: number(words, "base", 100),
        level_multiplier: number(words, "multiplier", 10),
        target_table_bytes: number(words, "target", 50),
        max_sstables_per_job: number(words, "max", 10) as usize,
        tombstones_min: number(words, "dead", 4096),
        ..StrategyOptions::default()
    };
    options.validate().unwrap();
    options
}

/// `L0 1 2 -> L6`
fn running_task(words: &[&str]) -> Task {
    let arrow = words.iter().position(|word| *word == "->").expect("a job has an output");
    let mut inputs: Vec<(Level, Vec<TableId>)> = Vec::new();
    for word in &words[..arrow] {
        match (word.strip_prefix('L'), inputs.last_mut()) {
            (Some(level), _) => inputs.push((Level(level.parse().unwrap()), Vec::new())),
            (None, last) => last.expect("a level comes first").1.push(TableId(word.parse().unwrap())),
        }
    }
    let output = Level(index(words[arrow + 1]) as u8);
    Task { inputs, output, kind: TaskKind::Merge, reason: Reason::Manual, score: 1.0 }
}

fn index(level: &str) -> usize {
    level.trim_start_matches('L').parse().unwrap_or_else(|_| panic!("{level} is no level"))
}

fn with_level(levels: &Levels, index: usize, words: &[&str]) -> Levels {
    let mut all: Vec<_> = (0..levels.len()).map(|level| levels.level(level).to_vec()).collect();
    all[index] = words.iter().map(|word| Arc::new(parse_table(word))).collect();
    Levels::new(all)
}

/// `3:a-f,64,t5,@9`
fn parse_table(word: &str) -> TableMeta {
    let (id, rest) = word.split_once(':').expect("a table has a number");
    let id: u64 = id.parse().unwrap();
    let mut parts = rest.split(',');
    let (smallest, largest) = parts.next().and_then(|bounds| bounds.split_once('-')).expect("bounds");
    let mut table = TableMeta {
        id: TableId(id),
        smallest: smallest.as_bytes().into(),
        largest: largest.as_bytes().into(),
        bytes: 10,
        entries: 10,
        tombstones: 0,
        min_seqno: SeqNo::ZERO,
        max_seqno: SeqNo::new(id),
        purged: SeqNo::ZERO,
    };
    for part in parts {
        if let Some(tombstones) = part.strip_prefix('t') {
            table.tombstones = tombstones.parse().unwrap();
        } else if let Some(seqno) = part.strip_prefix('@') {
            table.max_seqno = SeqNo::new(seqno.parse().unwrap());
        } else {
            table.bytes = part.parse().unwrap();
        }
    }
    table
}

fn show_table(table: &TableMeta) -> String {
    let (smallest, largest) = (table.smallest.escape_ascii(), table.largest.escape_ascii());
    format!("{}:{smallest}-{largest},{},t{}", table.id, table.bytes, table.tombstones)
}

fn show_task(task: &Task) -> String {
    let kind = if task.is_move() { "move" } else { "merge" };
    let show = |(level, ids): &(Level, Vec<TableId>)| {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        format!("L{level}[{}]", ids.join(" "))
    };
    let inputs: Vec<_> = task.inputs.iter().map(show).collect();
    format!("{kind} {} -> L{}, {} {:.2}", inputs.join(" "), task.output, task.reason, task.score)
}

/// The value of `name=value` among some words, or a default.
fn number(words: &[&str], name: &str, default: u64) -> u64 {
    let value = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    value.map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}
