//! The search for an order that explains a history.
//!
//! Operations are placed one after the other, each time one that nothing unplaced has to come before, until all that
//! certainly happened are placed. What was placed and the state that this led to say all about what can follow, so no
//! such pair is tried twice. Three things keep the pairs few: a read goes where it first fits; a write whose value nobody
//! reads goes right before another one; and no write goes where a value that is still to be read would be lost.
//!
//! ```text
//!             placed so far        may be next: called before any other, unplaced, had returned
//!   ──────────────────────────┐┌──────────────┐
//!   [a ] [b   ] [c ]             [d      ]
//!          [e   ]                   [f ]
//!                                          [g   ]   not yet: f has to come first
//! ```

use std::collections::HashSet;

use super::bits::Bits;
use super::{Model, Operation};

/// The most pairs of placed operations and state that a search goes through.
const BUDGET: usize = 1_000_000;

/// What a search finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An order that explains the history, as indices into it. What is uncertain and missing never happened.
    Explained(Vec<usize>),
    /// There is none.
    Violation,
    /// The search became too large: nobody knows.
    TooLarge,
}

/// Searches for an order that keeps to the times: whether a history is linearizable.
pub fn check<M: Model>(model: &M, history: &[Operation<M::Action>]) -> Verdict {
    Search::new(model, history, Order::RealTime).run(BUDGET)
}

/// Searches for an order that keeps to each client's own: whether a history is sequentially consistent.
pub fn check_sequential<M: Model>(model: &M, history: &[Operation<M::Action>]) -> Verdict {
    Search::new(model, history, Order::Program).run(BUDGET)
}

/// Which operations have to come in the order in which they happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// All.
    RealTime,
    /// Those of the same client.
    Program,
}

/// A search through one history.
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    order: Order,
    /// By the time of the call, with the place in the history; without those that cannot matter.
    operations: Vec<(usize, &'a Operation<M::Action>)>,
    placed: Bits,
    /// The choices made so far, each by what it placed: indices into `operations`.
    path: Vec<Vec<usize>>,
}

/// What may be placed next, one after the other, and the state after that.
type Choice<M> = (Vec<usize>, <M as Model>::State);

impl<'a, M: Model> Search<'a, M> {
    pub(super) fn new(model: &'a M, history: &'a [Operation<M::Action>], order: Order) -> Self {
        // Without its answer a read says nothing; a write that may not have happened, and that nobody saw, has not.
        let matters = |(_, operation): &(usize, &Operation<M::Action>)| {
            operation.certain || !model.is_read(&operation.action) && !model.is_unseen(&operation.action)
        };
        let mut operations: Vec<_> = history.iter().enumerate().filter(matters).collect();
        operations.sort_by_key(|(_, operation)| operation.called);
        let placed = Bits::new(operations.len());
        Self { model, order, operations, placed, path: Vec::new() }
    }

    /// Depth first, with a stack of its own: a history may be long.
    pub(super) fn run(mut self, budget: usize) -> Verdict {
        let mut seen = HashSet::new();
        if self.is_complete() {
            return Verdict::Explained(Vec::new());
        }
        let mut stack = vec![self.choices(&self.model.start())];
        while let Some(choices) = stack.last_mut() {
            let Some((next, state)) = choices.pop() else {
                stack.pop();
                self.take_back();
                continue;
            };
            self.place(next);
            if seen.contains(&(self.placed.clone(), state.clone())) {
                self.take_back();
                continue;
            }
            if self.is_complete() {
                return Verdict::Explained(
                    self.path.iter().flatten().map(|n| self.operations[*n].0).collect(),
                );
            }
            stack.push(self.choices(&state));
            seen.insert((self.placed.clone(), state));
            if seen.len() > budget {
                return Verdict::TooLarge;
            }
        }
        Verdict::Violation
    }

    fn place(&mut self, next: Vec<usize>) {
        for n in &next {
            self.placed.insert(*n);
        }
        self.path.push(next);
    }

    /// Undoes the last choice; nothing when there is none.
    fn take_back(&mut self) {
        for n in self.path.pop().unwrap_or_default() {
            self.placed.remove(n);
        }
    }

    fn get(&self, n: usize) -> &'a Operation<M::Action> {
        self.operations[n].1
    }

    fn unplaced(&self) -> impl Iterator<Item = usize> + '_ {
        (self.placed.first_missing()..self.operations.len()).filter(|n| !self.placed.contains(*n))
    }

    fn is_complete(&self) -> bool {
        self.unplaced().all(|n| !self.get(n).certain)
    }

    /// What may come next, the best to try at the end.
    fn choices(&self, state: &M::State) -> Vec<Choice<M>> {
        let open = self.open();
        if let Some(read) = open.iter().find(|n| self.is_free(**n, state, &open)) {
            return vec![(vec![*read], state.clone())];
        }
        let useful = open.iter().rev().filter(|n| !self.loses_an_answer(**n, state));
        useful.flat_map(|n| self.choice(*n, state, &open)).collect()
    }

    /// To place one that is open, behind all that it would replace and that nobody saw.
    fn choice(&self, n: usize, state: &M::State, open: &[usize]) -> Vec<Choice<M>> {
        let next = &self.get(n).action;
        let is_hidden = |other: &usize| {
            let first = &self.get(*other).action;
            *other != n
                && self.model.is_unseen(first)
                && self.model.replaces(next, first)
                && !self.is_last_call_for_some(*other, open)
        };
        let mut placed: Vec<usize> = open.iter().copied().filter(is_hidden).collect();
        placed.push(n);
        let mut states = vec![state.clone()];
        for n in &placed {
            states = states.iter().flat_map(|state| self.model.apply(state, self.get(*n))).collect();
        }
        states.into_iter().map(|state| (placed.clone(), state)).collect()
    }

    /// Unplaced operations that nothing unplaced has to come before.
    fn open(&self) -> Vec<usize> {
        let now = self.placed.last().map_or(0, |n| self.get(n).called);
        let mut first_return = u64::MAX;
        let mut open = Vec::new();
        for n in self.unplaced() {
            let operation = self.get(n);
            let is_open = match self.order {
                Order::RealTime if operation.called > first_return => break,
                Order::RealTime => operation.certain || operation.returned >= now,
                Order::Program => self.is_next_of_its_client(n),
            };
            if operation.certain {
                first_return = first_return.min(operation.returned);
            }
            if is_open {
                open.push(n);
            }
        }
        open
    }

    fn is_next_of_its_client(&self, n: usize) -> bool {
        let operation = self.get(n);
        let others =
            || (0..self.operations.len()).filter(|other| self.get(*other).client == operation.client);
        let must_wait =
            others().any(|other| other < n && self.get(other).certain && !self.placed.contains(other));
        let is_too_late = others().any(|other| other > n && self.placed.contains(other));
        !must_wait && !is_too_late
    }

    /// Whether it is a read that gets its answer now and keeps nothing from coming first that still may: then it can
    /// be placed without a second thought, since it changes nothing.
    fn is_free(&self, n: usize, state: &M::State, open: &[usize]) -> bool {
        let read = self.get(n);
        self.model.is_read(&read.action)
            && !self.is_last_call_for_some(n, open)
            && !self.model.apply(state, read).is_empty()
    }

    /// Whether something that may or may not have happened can no longer happen once this one is placed.
    fn is_last_call_for_some(&self, n: usize, open: &[usize]) -> bool {
        open.iter().any(|other| !self.get(*other).certain && self.comes_before(*other, n))
    }

    fn comes_before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.get(a), self.get(b));
        a.precedes(b) && (self.order == Order::RealTime || a.client == b.client)
    }

    /// Whether some read to come could no longer get its answer.
    fn loses_an_answer(&self, next: usize, state: &M::State) -> bool {
        let next = self.get(next);
        let mut awaited = self.unplaced().map(|n| self.get(n)).filter(|operation| operation.certain);
        !self.model.is_read(&next.action)
            && awaited.any(|operation| self.model.forbids(state, operation, next))
    }
}
