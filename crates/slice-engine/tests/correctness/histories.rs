//! Histories of clients that run at the same time, with flushes, compactions and reopens beside them, are linearizable;
//! and a store with a planted bug gives histories that are not.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use slice::planted::Bug;
use slice::{Background, Durability, Strategy};
use slice_crash::linearizability::{Violation, verify};

use crate::clients::{Plan, run};
use crate::store::{Face, Setup};
use crate::tally;

/// A plan by a seed: who, how many, and on what.
pub(crate) fn plan(seed: u64, face: Face) -> Plan {
    let mut random = SmallRng::seed_from_u64(seed);
    let durability =
        [Durability::Buffered, Durability::Fsync, Durability::Interval(Duration::from_millis(1))]
            [seed as usize % 3];
    let strategy = [Strategy::Leveled, Strategy::Tiered][random.random_range(0..2)];
    Plan {
        seed,
        face,
        setup: Setup { durability, strategy, background: Background::Threads, bug: None },
        clients: random.random_range(2..=16),
        keys: random.random_range(1..=4),
        operations: random.random_range(20..60),
        batches: 0,
        own_keys: false,
        crashes: false,
    }
}

/// Batches tie keys together, so the search is over all of them: shorter histories.
fn batch_plan(seed: u64, face: Face) -> Plan {
    let long = plan(seed, face);
    Plan { batches: 40, keys: 2 + seed as usize % 3, clients: 2 + seed as usize % 5, operations: 30, ..long }
}

/// After a power failure the search has to remember all that may be lost: shorter histories again.
fn crash_plan(seed: u64, face: Face) -> Plan {
    let batches = batch_plan(seed, face);
    Plan { crashes: true, batches: 30, clients: 2 + seed as usize % 4, operations: 20, ..batches }
}

fn violation(plan: Plan) -> Option<Violation> {
    let history = tally::bounded(move || run(plan));
    tally::history(history.len());
    verify(&history, plan.setup.promise()).err()
}

fn assert_linearizable(test: &str, plan: Plan) {
    if let Some(violation) = violation(plan) {
        panic!(
            "{plan:?}\n{violation}\nagain, as far as threads do things again: \
             SLICE_SEED={} cargo test --test correctness_tests {test}",
            plan.seed
        );
    }
}

#[test]
fn histories_of_threads_are_linearizable() {
    for seed in tally::seeds(0..30) {
        assert_linearizable("histories_of_threads", plan(seed, Face::Threads));
    }
    tally::report();
}

#[test]
fn histories_of_tasks_are_linearizable() {
    for seed in tally::seeds(100..130) {
        assert_linearizable("histories_of_tasks", plan(seed, Face::Tasks));
    }
    tally::report();
}

#[test]
fn sixteen_tasks_on_one_key_are_linearizable() {
    for seed in tally::seeds(200..206) {
        let plan = Plan { clients: 16, keys: 1, operations: 40, ..plan(seed, Face::Tasks) };
        assert_linearizable("sixteen_tasks", plan);
    }
    tally::report();
}

#[test]
fn histories_with_batches_are_linearizable_over_all_keys() {
    for seed in tally::seeds(300..340) {
        let face = [Face::Threads, Face::Tasks][seed as usize % 2];
        assert_linearizable("histories_with_batches", batch_plan(seed, face));
    }
    tally::report();
}

#[test]
fn histories_with_power_failures_lose_only_what_was_not_promised_from_the_end() {
    for seed in tally::seeds(400..440) {
        let face = [Face::Threads, Face::Tasks][seed as usize % 2];
        assert_linearizable("histories_with_power_failures", crash_plan(seed, face));
    }
    tally::report();
}

/// Looks for a violation in at most `rounds` histories of a store with a bug.
fn find(bug: Bug, rounds: u64, plan: impl Fn(u64) -> Plan) -> Violation {
    let with_bug = |plan: Plan| Plan { setup: Setup { bug: Some(bug), ..plan.setup }, ..plan };
    let found = (0..rounds).find_map(|seed| violation(with_bug(plan(seed))));
    let found = found.unwrap_or_else(|| panic!("{bug:?} was not found in {rounds} histories"));
    assert!(!found.minimal.is_empty(), "{found}");
    found
}

#[test]
fn a_store_whose_reads_lag_behind_is_found_out() {
    let found = find(Bug::ReadBehind, 10, |seed| plan(seed, Face::Threads));
    assert!(found.minimal.len() <= 10, "this can be seen in fewer operations: {found}");
    find(Bug::ReadBehind, 10, |seed| plan(seed, Face::Tasks));
}

#[test]
fn a_store_that_splits_batches_is_found_out() {
    let found = find(Bug::SplitBatch, 60, |seed| Plan { batches: 90, ..batch_plan(seed, Face::Threads) });
    assert!(found.minimal.iter().any(|operation| operation.action.keys().len() > 1), "{found}");
}

#[test]
fn a_store_that_acknowledges_before_the_fsync_is_found_out_by_a_power_failure() {
    let fsync = |seed| {
        let plan = crash_plan(seed, Face::Threads);
        Plan { setup: Setup { durability: Durability::Fsync, ..plan.setup }, ..plan }
    };
    find(Bug::AckBeforeSync, 40, fsync);
}
