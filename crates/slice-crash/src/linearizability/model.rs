//! What a history is held against: an object as a single thread knows it.

use std::hash::Hash;

use super::Operation;

/// An object, by what each action does to its state and may answer.
pub trait Model {
    /// What a client does, with the answer.
    type Action: Clone;
    /// All that later answers depend on.
    type State: Clone + Eq + Hash;

    /// The state before anything happened.
    fn start(&self) -> Self::State;

    /// The states that the object may be in after the operation: none if it cannot answer so.
    fn apply(&self, state: &Self::State, operation: &Operation<Self::Action>) -> Vec<Self::State>;

    /// Whether the action never changes a state. Such an operation is placed as soon as it fits.
    fn is_read(&self, action: &Self::Action) -> bool;

    /// Whether `next` would make it impossible for ever that `awaited`, which is still to come, gets its answer.
    ///
    /// Only a help to the search: `false` is always right.
    fn forbids(
        &self,
        _state: &Self::State,
        _awaited: &Operation<Self::Action>,
        _next: &Operation<Self::Action>,
    ) -> bool {
        false
    }

    /// Whether no answer of the history comes from this action, which changes a state: all that can be told of it is
    /// that what it replaced is gone.
    ///
    /// Only a help to the search: `false` is always right.
    fn is_unseen(&self, _action: &Self::Action) -> bool {
        false
    }

    /// Whether `next` replaces all that `first`, which is [unseen](Self::is_unseen), has changed.
    fn replaces(&self, _next: &Self::Action, _first: &Self::Action) -> bool {
        false
    }

    /// Whether `other` may have its answer from `gone`, so that a history without `gone` has to do without `other`.
    ///
    /// [`minimize`](super::minimize) relies on this: of a history with an order, what is left without an operation and all
    /// that may depend on it must have one, too.
    fn depends(&self, other: &Operation<Self::Action>, gone: &Operation<Self::Action>) -> bool;
}
