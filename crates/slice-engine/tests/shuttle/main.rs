//! The whole engine, its background threads included, under shuttle: one thread runs at a time, and at each use of a
//! lock, a condition or an atomic the scheduler decides who goes on. `cargo xtask shuttle` builds and runs it; in any
//! other build there is nothing here.
//!
//! Each program runs under thousands of schedules: some at random, which find what is common, and some by priorities
//! with few changes (PCT; Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs",
//! 2010), which find what needs one thread to be left behind for long. The seeds are fixed, and the clock stands still,
//! so a run finds the same as the one before. A thread that waits for what never comes is reported as a deadlock; the
//! store's timer never wakes it, since no time passes.
//!
//! A failure prints its schedule. To run it again: `SLICE_SCHEDULE=... cargo xtask shuttle <test>`.
#![cfg(slice_shuttle)]

mod bites;
mod close;
mod reads;
mod writes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};
use slice::blocking::LSMTree;
use slice::compaction::CompactionConfig;
use slice::vfs::{Fs, MemFs};
use slice::{Builder, WriteBatch};

/// Schedules of each program, for each scheduler.
const SCHEDULES: usize = 2000;
const SEED: u64 = 0x51_1CE;
/// How many times PCT changes who comes first.
const CHANGES: usize = 3;
/// Bytes of stack of each thread: building a table needs more than shuttle gives.
const STACK_BYTES: usize = 256 << 10;

/// Runs a program under all its schedules, or under the one that `SLICE_SCHEDULE` says.
fn check(program: impl Fn() + Send + Sync + Copy + 'static) {
    if let Ok(schedule) = std::env::var("SLICE_SCHEDULE") {
        return run(ReplayScheduler::new_from_encoded(&schedule), FailurePersistence::None, program);
    }
    run(RandomScheduler::new_from_seed(SEED, SCHEDULES), FailurePersistence::Print, program);
    run(PctScheduler::new_from_seed(SEED, CHANGES, SCHEDULES), FailurePersistence::Print, program);
}

fn run(
    scheduler: impl Scheduler + 'static,
    failure_persistence: FailurePersistence,
    program: impl Fn() + Send + Sync + Copy + 'static,
) {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = failure_persistence;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(program);
}

/// What the first schedule says under which a program with a planted bug fails.
///
/// # Panics
///
/// When there is none.
fn caught(program: impl Fn() + Send + Sync + Copy + 'static) -> String {
    let all = || run(RandomScheduler::new_from_seed(SEED, SCHEDULES), FailurePersistence::None, program);
    let failure = catch_unwind(AssertUnwindSafe(all)).expect_err("no schedule made it fail");
    let text = failure.downcast_ref::<String>().cloned();
    text.or_else(|| failure.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Threads of a program. They are joined by [`join`], so that a panic is the program's.
fn start(body: impl FnOnce() + Send + 'static) -> shuttle::thread::JoinHandle<()> {
    shuttle::thread::spawn(body)
}

fn join(threads: impl IntoIterator<Item = shuttle::thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("a panic ends the program");
    }
}

/// A disk with a directory for the store.
fn disk() -> Arc<dyn Fs> {
    Arc::new(MemFs::new())
}

/// A store with its threads, small in everything.
fn builder(fs: &Arc<dyn Fs>) -> Builder {
    let compaction = CompactionConfig { max_concurrent_compactions: 1, ..CompactionConfig::default() };
    LSMTree::builder("/db")
        .fs(Arc::clone(fs))
        .memtable_size(1 << 10)
        .l0_compaction_trigger(2)
        .compaction(compaction)
}

fn open(fs: &Arc<dyn Fs>) -> LSMTree {
    builder(fs).open_blocking().expect("it opens")
}

/// Sets all keys to the same number, in one batch.
fn write_all(store: &LSMTree, keys: &[&str], number: u32) -> slice::Result<()> {
    let mut batch = WriteBatch::new();
    for key in keys {
        batch.put(key.as_bytes(), number.to_string().as_bytes())?;
    }
    store.write(batch)
}

/// The number that a key is set to, if any.
fn number(store: &LSMTree, key: &str) -> Option<u32> {
    let value = store.get(key.as_bytes()).expect("it reads")?;
    Some(std::str::from_utf8(&value).expect("a number").parse().expect("a number"))
}
