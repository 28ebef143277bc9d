//! Metamorphic pairs: the same steps under two sets of options give the same answers.
//!
//! There is no model here, so nothing that a model and a store could both get wrong. At each reopen the two stores
//! exchange their options: each set must read what the other has written.

use std::ops::RangeInclusive;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, Sequential, StateMachineTest};
use slice::Background;
use slice::planted::Bug;
use slice::vfs::LogKind;

use crate::ops::{Op, repeatable};
use crate::settings::{Settings, log_kind, settings};
use crate::store::Store;

/// Two ways to open a store.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    left: Side,
    right: Side,
}

#[derive(Clone, Debug)]
struct Side {
    log_kind: LogKind,
    settings: Settings,
}

impl Side {
    fn open(&self) -> Store {
        Store::new(self.log_kind, self.settings.clone())
    }
}

/// Nothing is expected of the steps but that two stores agree on them, so there is nothing to keep.
#[derive(Debug)]
pub(crate) struct Steps;

impl ReferenceStateMachine for Steps {
    type State = Pair;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Pair> {
        pair(None)
    }

    fn transitions(_: &Pair) -> BoxedStrategy<Op> {
        repeatable(Background::Inline).boxed()
    }

    fn apply(pair: Pair, _: &Op) -> Pair {
        pair
    }
}

fn pair(planted: Option<Bug>) -> BoxedStrategy<Pair> {
    (side(), side())
        .prop_map(move |(mut left, right)| {
            left.settings = left.settings.plant(planted);
            Pair { left, right }
        })
        .boxed()
}

fn side() -> impl Strategy<Value = Side> {
    (log_kind(), settings(Background::Inline)).prop_map(|(log_kind, settings)| Side { log_kind, settings })
}

/// Sequences of so many steps for two stores.
pub(crate) type Pairs = Sequential<Pair, Op, BoxedStrategy<Pair>, BoxedStrategy<Op>>;

/// Pairs of stores; a bug may be planted in the left one.
pub(crate) fn pairs(planted: Option<Bug>, steps: RangeInclusive<usize>) -> Pairs {
    Sequential::new(
        steps.into(),
        move || pair(planted),
        Steps::preconditions,
        Steps::transitions,
        Steps::apply,
    )
}

/// The two stores of a [`Pair`].
pub(crate) struct Twins {
    left: Store,
    right: Store,
}

impl Twins {
    /// Does a step on both sides, each with the other's options from a reopen on.
    fn apply(&mut self, op: &Op) {
        let (left, right) = match op {
            Op::Reopen(leave, _) => {
                let (left, right) = (self.left.settings().clone(), self.right.settings().clone());
                (Op::Reopen(*leave, Box::new(right)), Op::Reopen(*leave, Box::new(left)))
            }
            op => (op.clone(), op.clone()),
        };
        assert_eq!(self.left.apply(&left), self.right.apply(&right), "{op:?}");
    }

    fn compare_contents(&self) {
        assert!(self.left.contents() == self.right.contents(), "the two hold different things");
    }
}

/// The comparison of two [`Store`]s.
#[derive(Debug)]
pub(crate) struct Agree;

impl StateMachineTest for Agree {
    type SystemUnderTest = Twins;
    type Reference = Steps;

    fn init_test(pair: &Pair) -> Twins {
        Twins { left: pair.left.open(), right: pair.right.open() }
    }

    fn apply(mut twins: Twins, _: &Pair, op: Op) -> Twins {
        twins.apply(&op);
        if op.is_upkeep() {
            twins.compare_contents();
        }
        twins
    }

    fn teardown(twins: Twins, _: Pair) {
        twins.compare_contents();
    }
}
