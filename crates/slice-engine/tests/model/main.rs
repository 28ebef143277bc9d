//! The store is an ordered map: whatever the options, whatever is flushed, compacted, reopened or crashed in between.
//!
//! Random sequences of steps ([`ops`]) with random options ([`settings`]) are done to a store ([`store`]) and to a
//! `BTreeMap` ([`reference`]), and each answer is compared. Pairs of stores ([`pairs`]) are compared with each other,
//! without a map. A failure is shrunk to the few steps that matter, and printed with the command that replays it
//! ([`runner`]); seeds of failures that were real are kept beside this file, and tried first.
//!
//! The harness is shown to bite: bugs that the engine keeps for this purpose are found, and shrunk to a few steps.

mod alphabet;
mod ops;
mod pairs;
mod reference;
mod runner;
mod settings;
mod store;

use std::ops::RangeInclusive;

use proptest::strategy::Strategy;
use proptest::test_runner::Config;
use proptest_state_machine::StateMachineTest;
use slice::Background;
use slice::planted::Bug;

use crate::pairs::{Agree, Pairs, pairs};
use crate::reference::{Machine, machine};
use crate::runner::{Property, find_failure};
use crate::store::Compare;

const STEPS: RangeInclusive<usize> = 20..=120;

fn compare((model, ops, seen): <Machine as Strategy>::Value) {
    Compare::test_sequential(Config::default(), model, ops, seen);
}

fn agree((pair, ops, seen): <Pairs as Strategy>::Value) {
    Agree::test_sequential(Config::default(), pair, ops, seen);
}

#[test]
fn a_store_is_an_ordered_map() {
    let property = Property {
        test: "a_store_is_an_ordered_map",
        cases: 120,
        regressions: "tests/model/ordered_map.regressions",
    };
    property.hold(|| machine(Background::Inline, None, STEPS), compare);
}

#[test]
fn a_store_with_threads_is_an_ordered_map() {
    let property = Property {
        test: "a_store_with_threads_is_an_ordered_map",
        cases: 40,
        regressions: "tests/model/threads.regressions",
    };
    property.hold(|| machine(Background::Threads, None, STEPS), compare);
}

#[test]
fn two_sets_of_options_give_the_same_answers() {
    let property = Property {
        test: "two_sets_of_options_give_the_same_answers",
        cases: 60,
        regressions: "tests/model/pairs.regressions",
    };
    property.hold(|| pairs(None, STEPS), agree);
}

/// Asserts that the model finds a bug, and says so in no more steps than this.
fn model_finds(bug: Bug, steps_max: usize) {
    let found = find_failure(move || machine(Background::Inline, Some(bug), STEPS), compare, 400);
    let (_, ops, _) = found.unwrap_or_else(|| panic!("{bug:?} is not noticed"));
    assert!(ops.len() <= steps_max, "{bug:?} takes {} steps: {ops:#?}", ops.len());
}

#[test]
fn a_compaction_that_drops_tombstones_is_found_by_the_model() {
    model_finds(Bug::DropTombstones, 20);
}

#[test]
fn a_read_that_misses_the_newest_commit_is_found_by_the_model() {
    model_finds(Bug::ReadBehind, 20);
}

#[test]
fn a_write_acknowledged_before_its_fsync_is_found_by_the_model() {
    model_finds(Bug::AckBeforeSync, 20);
}

#[test]
fn a_load_behind_unflushed_memtables_is_found_by_the_model() {
    model_finds(Bug::IngestUnflushed, 20);
}

#[test]
fn a_flush_that_forgets_deleted_ranges_is_found_by_the_model() {
    model_finds(Bug::ForgetRangeTombstones, 20);
}

#[test]
fn a_compaction_that_drops_tombstones_is_found_by_a_pair() {
    let found = find_failure(|| pairs(Some(Bug::DropTombstones), STEPS), agree, 20);
    assert!(found.is_some(), "the two sides differ in what is deleted");
}
