//! The search for linearizations is itself held against histories known to be good or bad, and against brute force.

use slice_crash::linearizability::{
    Action, KeyValue, Operation, Promise, Verdict, check, minimize, timeline, verify, verify_sequential,
};

use crate::generated::{Shape, generate, mutate, permutation_explains};

type History = Vec<Operation<Action>>;

const PUT_1: fn() -> Action = || Action::put(0, 1);
const PUT_2: fn() -> Action = || Action::put(0, 2);
const DELETE: fn() -> Action = || Action::delete(0);

fn get(found: u64) -> Action {
    Action::get(0, Some(found))
}

fn get_nothing() -> Action {
    Action::get(0, None)
}

/// Both keys at once.
fn batch(value: u64) -> Action {
    Action::Write(vec![(0, Some(value)), (1, Some(value))])
}

fn history(operations: Vec<(usize, u64, u64, Action)>) -> History {
    operations
        .into_iter()
        .map(|(client, called, returned, action)| Operation::done(client, called, returned, action))
        .collect()
}

/// One client after the other.
fn in_turn(actions: Vec<Action>) -> History {
    let times = (0..).step_by(2);
    history(times.zip(actions).map(|(time, action)| (0, time, time + 1, action)).collect())
}

#[track_caller]
fn assert_good(history: &[Operation<Action>]) {
    if let Err(violation) = verify(history, Promise::Durable) {
        panic!("a good history is refused: {violation}");
    }
}

#[track_caller]
fn assert_bad(history: &[Operation<Action>]) {
    assert!(verify(history, Promise::Durable).is_err(), "a bad history is accepted:\n{}", timeline(history));
}

#[test]
fn the_checker_refuses_a_lost_write() {
    assert_bad(&in_turn(vec![PUT_1(), get_nothing()]));
    assert_bad(&in_turn(vec![PUT_1(), DELETE(), PUT_2(), get_nothing()]));
    assert_good(&in_turn(vec![get_nothing(), PUT_1(), get(1)]));
    assert_good(&history(vec![(0, 0, 3, PUT_1()), (1, 1, 2, get_nothing()), (1, 4, 5, get(1))]));
}

#[test]
fn the_checker_refuses_a_stale_read() {
    assert_bad(&in_turn(vec![PUT_1(), PUT_2(), get(1)]));
    assert_bad(&history(vec![(0, 0, 1, PUT_1()), (1, 2, 3, PUT_2()), (2, 4, 9, get(1)), (3, 5, 6, get(2))]));
    assert_good(&history(vec![(0, 0, 1, PUT_1()), (1, 2, 5, PUT_2()), (2, 3, 4, get(1))]));
    assert_good(&history(vec![(0, 0, 9, PUT_1()), (1, 0, 9, PUT_2()), (2, 10, 11, get(1))]));
}

#[test]
fn the_checker_refuses_a_resurrected_delete() {
    assert_bad(&in_turn(vec![PUT_1(), DELETE(), get(1)]));
    assert_bad(&in_turn(vec![PUT_1(), DELETE(), get_nothing(), get(1)]));
    assert_good(&in_turn(vec![PUT_1(), DELETE(), get_nothing(), PUT_2(), get(2)]));
    assert_good(&history(vec![
        (0, 0, 1, PUT_1()),
        (0, 2, 5, DELETE()),
        (1, 3, 4, get(1)),
        (1, 6, 7, get_nothing()),
    ]));
}

#[test]
fn the_checker_refuses_a_value_that_nobody_wrote() {
    assert_bad(&in_turn(vec![get(3)]));
    assert_bad(&history(vec![(0, 0, 9, PUT_1()), (1, 1, 2, get(3))]));
    assert_bad(&in_turn(vec![get(1), PUT_1()]));
    assert_good(&history(vec![(0, 0, 9, PUT_1()), (1, 1, 2, get(1))]));
}

#[test]
fn the_checker_refuses_reads_that_go_back() {
    assert_bad(&history(vec![(0, 0, 9, PUT_1()), (1, 1, 2, get(1)), (1, 3, 4, get_nothing())]));
    assert_bad(&history(vec![(0, 0, 9, PUT_1()), (1, 1, 2, get(1)), (2, 3, 4, get_nothing())]));
    assert_good(&history(vec![(0, 0, 9, PUT_1()), (1, 1, 3, get(1)), (2, 2, 4, get_nothing())]));
}

#[test]
fn the_checker_refuses_a_batch_seen_by_half() {
    let (first, second) = (|found| Action::get(0, found), |found| Action::get(1, found));
    assert_bad(&history(vec![(0, 0, 9, batch(1)), (1, 1, 2, first(Some(1))), (1, 3, 4, second(None))]));
    assert_bad(&history(vec![(0, 0, 9, batch(1)), (1, 1, 2, second(Some(1))), (1, 3, 4, first(None))]));
    let one_is_older =
        vec![(0, 0, 1, batch(1)), (0, 2, 9, batch(2)), (1, 3, 4, first(Some(2))), (2, 5, 6, second(Some(1)))];
    assert_bad(&history(one_is_older));
    assert_good(&history(vec![(0, 0, 9, batch(1)), (1, 1, 2, first(None)), (1, 3, 4, second(Some(1)))]));
    assert_good(&in_turn(vec![batch(1), second(Some(1)), first(Some(1))]));
}

#[test]
fn the_checker_refuses_that_an_acknowledged_write_is_gone_after_a_power_failure() {
    let lost = in_turn(vec![PUT_1(), Action::Crash, get_nothing()]);
    assert_bad(&lost);
    assert!(verify(&lost, Promise::Buffered).is_ok(), "nothing was promised");
    let synced = in_turn(vec![PUT_1(), Action::Sync, PUT_2(), Action::Crash, get_nothing()]);
    assert!(verify(&synced, Promise::Buffered).is_err());
    let rest_is_gone = in_turn(vec![PUT_1(), Action::Sync, PUT_2(), Action::Crash, get(1), PUT_2(), get(2)]);
    assert!(verify(&rest_is_gone, Promise::Buffered).is_ok());
}

#[test]
fn the_checker_refuses_that_a_power_failure_takes_the_older_and_leaves_the_newer() {
    let other = |value| Action::put(1, value);
    let hole = in_turn(vec![PUT_1(), other(2), Action::Crash, Action::get(1, Some(2)), get_nothing()]);
    assert!(verify(&hole, Promise::Buffered).is_err());
    let prefix = in_turn(vec![PUT_1(), other(2), Action::Crash, Action::get(1, None), get(1)]);
    assert!(verify(&prefix, Promise::Buffered).is_ok());
    let twice = in_turn(vec![PUT_1(), Action::Crash, get(1), Action::Crash, get_nothing()]);
    assert!(verify(&twice, Promise::Buffered).is_err(), "what one power failure left, the next may not take");
}

#[test]
fn a_write_without_an_answer_may_happen_once_while_it_is_under_way_or_never() {
    let with = |until, reads: Vec<(usize, u64, u64, Action)>| {
        let mut all = history(reads);
        all.push(Operation::maybe(0, 2, until, PUT_1()));
        all
    };
    assert_good(&with(u64::MAX, vec![(1, 10, 11, get_nothing())]));
    assert_good(&with(u64::MAX, vec![(1, 3, 4, get_nothing()), (1, 10, 11, get(1)), (1, 12, 13, get(1))]));
    assert_good(&with(5, vec![(1, 3, 9, get(1))]));
    assert_bad(&with(u64::MAX, vec![(1, 0, 1, get(1))]));
    assert_bad(&with(u64::MAX, vec![(1, 10, 11, get(1)), (1, 12, 13, get_nothing())]));
    assert_bad(&with(5, vec![(1, 6, 7, get_nothing()), (1, 8, 9, get(1))]));
    // A read that is answered already must not keep it from having happened before.
    let delete = (2, 0, 10, DELETE());
    assert_good(&with(4, vec![delete, (3, 5, 6, get_nothing()), (4, 0, 7, get(1))]));
}

#[test]
fn sequential_consistency_asks_for_an_order_that_the_clients_agree_with_and_not_the_clock() {
    let stale = history(vec![(0, 0, 1, PUT_1()), (1, 2, 3, get_nothing()), (1, 4, 5, get(1))]);
    assert_bad(&stale);
    assert!(verify_sequential(&stale).is_ok());
    let own = in_turn(vec![PUT_1(), get_nothing()]);
    assert!(verify_sequential(&own).is_err());
    let (x, y) = (|found| Action::get(0, found), |found| Action::get(1, found));
    let in_two_orders = history(vec![
        (0, 0, 1, PUT_1()),
        (1, 0, 1, Action::put(1, 1)),
        (2, 2, 3, x(Some(1))),
        (2, 4, 5, y(None)),
        (3, 2, 3, y(Some(1))),
        (3, 4, 5, x(None)),
    ]);
    let violation = verify_sequential(&in_two_orders).unwrap_err();
    assert_eq!(violation.minimal.len(), 6, "each key alone is in order: {violation}");
}

#[test]
fn histories_of_a_real_register_are_accepted_and_the_order_found_is_one() {
    for seed in 0..800 {
        let shape = Shape { operations: 4 + seed as usize % 40, ..Shape::small(seed) };
        let (history, promise) = generate(shape, seed);
        let model = KeyValue::of(&history, promise);
        let Verdict::Explained(order) = check(&model, &history) else {
            panic!("seed {seed}, a history of a real register is refused:\n{}", timeline(&history));
        };
        assert!(
            permutation_explains(&history, &order, promise),
            "seed {seed}: {order:?} of\n{}",
            timeline(&history)
        );
    }
}

#[test]
fn on_small_histories_the_search_agrees_with_trying_every_permutation() {
    let mut refused = 0;
    for seed in 0..3000 {
        let (mut history, promise) = generate(Shape::small(seed), seed);
        mutate(&mut history, seed);
        let brute_force = crate::generated::some_permutation_explains(&history, promise);
        let model = KeyValue::of(&history, promise);
        let found = check(&model, &history);
        assert_eq!(
            matches!(found, Verdict::Explained(_)),
            brute_force,
            "seed {seed}, {promise:?}, {found:?} of\n{}",
            timeline(&history)
        );
        assert_eq!(verify(&history, promise).is_ok(), brute_force, "seed {seed}");
        if !brute_force {
            refused += 1;
            let minimal = minimize(&model, &history);
            assert!(
                !crate::generated::some_permutation_explains(&minimal, promise),
                "seed {seed}: minimal, and good"
            );
        }
    }
    assert!((500..2500).contains(&refused), "{refused} of 3000 are bad: most are alike");
}

#[test]
fn one_stale_read_among_hundreds_of_operations_is_shown_alone() {
    for seed in 0..4 {
        let shape = Shape { operations: 500, clients: 16, keys: 1, crashes: false, maybes: seed % 2 == 0 };
        let (mut history, promise) = generate(shape, seed);
        assert_good(&history);
        let last = history
            .iter()
            .map(|operation| operation.returned)
            .filter(|time| *time < u64::MAX)
            .max()
            .unwrap_or(0);
        for (n, action) in (1..).zip([Action::put(0, 1_000_001), Action::put(0, 1_000_002), get(1_000_001)]) {
            history.push(Operation::done(3, last + 2 * n, last + 2 * n + 1, action));
        }
        let violation = verify(&history, promise).unwrap_err();
        let actions: Vec<String> =
            violation.minimal.iter().map(|operation| operation.action.to_string()).collect();
        assert_eq!(actions, ["put k0=1000001", "put k0=1000002", "get k0: 1000001"]);
        assert_eq!(violation.of, 503);
    }
}

#[test]
fn deletions_that_cannot_explain_a_lost_write_are_left_out() {
    let mut lost =
        in_turn(vec![DELETE(), PUT_1(), DELETE(), DELETE(), get_nothing(), PUT_2(), get_nothing()]);
    lost.push(Operation::done(1, 0, 3, DELETE()));
    let violation = verify(&lost, Promise::Buffered).unwrap_err();
    assert_eq!(violation.minimal.len(), 2, "{violation}");
}

#[test]
fn a_violation_is_drawn_as_a_timeline() {
    let mut bad =
        history(vec![(0, 0, 1, PUT_1()), (1, 2, 5, get(1)), (0, 3, 4, DELETE()), (1, 6, 7, get(1))]);
    bad.push(Operation::maybe(2, 1, u64::MAX, Action::put(1, 7)));
    let drawn = verify(&bad, Promise::Buffered).unwrap_err().to_string();
    let expected = "not linearizable: no order explains these 3 of 4 operations:\n\
                    client 0  [put k0=1]   [delete k0]\n\
                    client 1                             [get k0: 1]\n";
    assert_eq!(drawn, expected);
    let open = timeline(&bad[4..]);
    assert_eq!(open, "client 2  [put k1=7?..\n");
}
