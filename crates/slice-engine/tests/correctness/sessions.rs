//! What one client may count on, whatever the others do: its own writes, and that nothing it has seen is taken back.
//!
//! The four guarantees are those of Terry and others, "Session Guarantees for Weakly Consistent Replicated Data" (1994).
//! Each key has one writer here, and its values grow, so that "older" is "smaller". A client's reads then have, for each
//! key, a floor that they may not fall below; a guarantee is what raises the floor:
//!
//! ```text
//!   read your writes      my write of v                        floor of its key: v
//!   monotonic reads       my read of v                         floor of its key: v
//!   monotonic writes      my read of w                         what w's writer had written before w
//!   writes follow reads   my read of w                         what w's writer had read before w
//! ```

use std::collections::{BTreeMap, HashMap};

use slice::planted::Bug;
use slice_crash::linearizability::{Action, Operation, timeline, verify_sequential};

use crate::clients::{Plan, run};
use crate::histories::plan;
use crate::store::{Face, Setup};
use crate::tally;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guarantee {
    ReadYourWrites,
    MonotonicReads,
    MonotonicWrites,
    WritesFollowReads,
}

/// Of each key the least that may be read.
type Floors = BTreeMap<usize, u64>;

fn raise(floors: &mut Floors, key: usize, value: u64) {
    let floor = floors.entry(key).or_default();
    *floor = value.max(*floor);
}

/// The first read that a client could not count on.
fn broken(history: &[Operation<Action>], guarantee: Guarantee) -> Option<Operation<Action>> {
    let mut in_order = history.to_vec();
    in_order.sort_by_key(|operation| operation.called);
    let before = before_each_write(&in_order, guarantee);
    let mut floors: HashMap<usize, Floors> = HashMap::new();
    in_order.into_iter().find(|operation| {
        let floors = floors.entry(operation.client).or_default();
        match &operation.action {
            Action::Get { key, found } => {
                let found = found.unwrap_or(0);
                let is_broken = found < floors.get(key).copied().unwrap_or(0);
                if guarantee == Guarantee::MonotonicReads {
                    raise(floors, *key, found);
                }
                for (key, floor) in before.get(&(*key, found)).into_iter().flatten() {
                    raise(floors, *key, *floor);
                }
                is_broken
            }
            Action::Write(entries) if operation.certain && guarantee == Guarantee::ReadYourWrites => {
                for (key, value) in entries {
                    raise(floors, *key, value.unwrap_or(0));
                }
                false
            }
            _ => false,
        }
    })
}

/// Of each write what its writer had written, or read, before it: nothing when the guarantee does not ask.
fn before_each_write(in_order: &[Operation<Action>], guarantee: Guarantee) -> HashMap<(usize, u64), Floors> {
    let mut sessions: HashMap<usize, Floors> = HashMap::new();
    let mut before = HashMap::new();
    for operation in in_order {
        let session = sessions.entry(operation.client).or_default();
        match &operation.action {
            Action::Write(entries) => {
                let written = entries.iter().map(|(key, value)| (*key, value.unwrap_or(0)));
                before.extend(written.clone().map(|entry| (entry, session.clone())));
                if operation.certain && guarantee == Guarantee::MonotonicWrites {
                    written.for_each(|(key, value)| raise(session, key, value));
                }
            }
            Action::Get { key, found } if guarantee == Guarantee::WritesFollowReads => {
                raise(session, *key, found.unwrap_or(0));
            }
            _ => {}
        }
    }
    before
}

/// Clients with two keys each of their own, which read everybody's.
fn sessions(seed: u64, bug: Option<Bug>) -> Vec<Operation<Action>> {
    let plan = plan(seed, [Face::Threads, Face::Tasks][seed as usize % 2]);
    let clients = 2 + seed as usize % 4;
    let setup = Setup { bug, ..plan.setup };
    let plan = Plan { own_keys: true, clients, keys: 2 * clients, operations: 60, setup, ..plan };
    let history = tally::bounded(move || run(plan));
    tally::history(history.len());
    history
}

#[track_caller]
fn assert_kept(guarantee: Guarantee, test: &str) {
    for seed in tally::seeds(0..10) {
        let history = sessions(seed, None);
        if let Some(read) = broken(&history, guarantee) {
            let again = format!("SLICE_SEED={seed} cargo test --test correctness_tests {test}");
            panic!("{guarantee:?} is broken by {read:?} in\n{}\nagain: {again}", timeline(&history));
        }
    }
    tally::report();
}

#[test]
fn clients_read_their_own_writes() {
    assert_kept(Guarantee::ReadYourWrites, "clients_read_their_own_writes");
}

#[test]
fn reads_are_monotonic() {
    assert_kept(Guarantee::MonotonicReads, "reads_are_monotonic");
}

#[test]
fn writes_are_monotonic() {
    assert_kept(Guarantee::MonotonicWrites, "writes_are_monotonic");
}

#[test]
fn writes_follow_reads() {
    assert_kept(Guarantee::WritesFollowReads, "writes_follow_reads");
}

/// A short history over all keys; the search for such an order is the hardest of all.
fn short(seed: u64, bug: Option<Bug>) -> Vec<Operation<Action>> {
    let plan = plan(seed, [Face::Threads, Face::Tasks][seed as usize % 2]);
    let setup = Setup { bug, ..plan.setup };
    let plan = Plan { clients: 2 + seed as usize % 3, keys: 2, operations: 12, batches: 20, setup, ..plan };
    let history = tally::bounded(move || run(plan));
    tally::history(history.len());
    history
}

#[test]
fn histories_are_sequentially_consistent_over_all_keys() {
    for seed in tally::seeds(0..40) {
        let checked = verify_sequential(&short(seed, None));
        assert!(checked.is_ok(), "SLICE_SEED={seed}: {}", checked.unwrap_err());
    }
    tally::report();
}

#[test]
fn a_store_whose_reads_lag_behind_breaks_its_sessions() {
    let found = (0..10)
        .any(|seed| broken(&sessions(seed, Some(Bug::ReadBehind)), Guarantee::ReadYourWrites).is_some());
    assert!(found, "nobody missed a write of its own");
    let found = (0..40).any(|seed| verify_sequential(&short(seed, Some(Bug::ReadBehind))).is_err());
    assert!(found, "every client's order could be kept");
}

#[test]
fn each_guarantee_is_missed_where_it_is_broken_and_only_there() {
    use Guarantee::{MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads};
    let put = |client, key, value| (client, Action::put(key, value));
    let get = |client, key, found| (client, Action::get(key, found));
    let cases = [
        (ReadYourWrites, vec![put(0, 0, 5), get(0, 0, Some(4))]),
        (MonotonicReads, vec![get(1, 0, Some(5)), get(1, 0, Some(4))]),
        (MonotonicWrites, vec![put(0, 0, 5), put(0, 1, 6), get(1, 1, Some(6)), get(1, 0, None)]),
        (WritesFollowReads, vec![get(1, 0, Some(5)), put(1, 2, 7), get(2, 2, Some(7)), get(2, 0, Some(4))]),
    ];
    for (expected, actions) in cases {
        let operation = |(n, (client, action)): (u64, _)| Operation::done(client, 2 * n, 2 * n + 1, action);
        let history: Vec<_> = (0..).zip(actions).map(operation).collect();
        for guarantee in [ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads] {
            assert_eq!(
                broken(&history, guarantee).is_some(),
                guarantee == expected,
                "{guarantee:?}: {history:?}"
            );
        }
    }
}
