//! A history that has no order, without all that it has no order without.
//!
//! Leaving out just any operation would be wrong: without its write, a good read is a read of a value that nobody
//! wrote. So an operation goes together with all that may have its answer from it ([`Model::depends`]); what is left of
//! a good history is then good, and what is left of a bad one, if it is bad, shows what was wrong with it.

use super::search::{Order, Search};
use super::{Model, Operation, Verdict};

/// The most that one search may take: a smaller history that nobody can check is not a better one.
const BUDGET: usize = 100_000;

/// Takes operations out of a history that violates its model, as long as it still does.
///
/// No single one more can be left out, with what depends on it. A history without a violation comes back whole.
pub fn minimize<M: Model>(model: &M, history: &[Operation<M::Action>]) -> Vec<Operation<M::Action>> {
    minimize_in(model, history, Order::RealTime)
}

pub(super) fn minimize_in<M: Model>(
    model: &M,
    history: &[Operation<M::Action>],
    order: Order,
) -> Vec<Operation<M::Action>> {
    let mut kept = history.to_vec();
    let is_bad = |kept: &[_]| Search::new(model, kept, order).run(BUDGET) == Verdict::Violation;
    let mut chunk = kept.len();
    while chunk > 0 {
        let is_smaller = take_out(model, &mut kept, chunk, is_bad);
        chunk = if is_smaller { chunk.min(kept.len()) } else { chunk / 2 };
    }
    kept
}

/// Tries to do without each run of `chunk` operations, the last first.
fn take_out<M: Model>(
    model: &M,
    kept: &mut Vec<Operation<M::Action>>,
    chunk: usize,
    is_bad: impl Fn(&[Operation<M::Action>]) -> bool,
) -> bool {
    let before = kept.len();
    let mut end = kept.len();
    while end > 0 {
        let start = end.saturating_sub(chunk);
        let smaller = without(model, kept, start..end);
        if is_bad(&smaller) {
            *kept = smaller;
        }
        end = start.min(kept.len());
    }
    kept.len() < before
}

/// What is left without a run of operations and all that may depend on them.
fn without<M: Model>(
    model: &M,
    history: &[Operation<M::Action>],
    run: std::ops::Range<usize>,
) -> Vec<Operation<M::Action>> {
    let gone = &history[run.clone()];
    let stays = |(n, operation): &(usize, &Operation<M::Action>)| {
        !run.contains(n) && !gone.iter().any(|gone| model.depends(operation, gone))
    };
    history.iter().enumerate().filter(stays).map(|(_, operation)| operation.clone()).collect()
}
