//! From a history of a key-value store to an error that shows what is wrong with it.

use std::fmt;

use super::minimize::minimize_in;
use super::search::Order;
use super::{Action, KeyValue, Operation, Promise, Verdict, check, check_sequential, partition, timeline};

/// A history that no order explains.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The operations that no order explains, as few as there can be; none if the search became too large.
    pub minimal: Vec<Operation<Action>>,
    /// How many operations the history has that they are from.
    pub of: usize,
    claim: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minimal, of, claim } = self;
        if minimal.is_empty() {
            return write!(
                f,
                "nobody knows whether a history of {of} operations is {claim}: the search is too large"
            );
        }
        writeln!(f, "not {claim}: no order explains these {} of {of} operations:", minimal.len())?;
        f.write_str(&timeline(minimal))
    }
}

impl std::error::Error for Violation {}

/// Checks that a history of a key-value store, empty at first, is linearizable: key by key, but for keys that batches
/// tie together, and for histories with power failures, which are searched as a whole.
///
/// # Errors
///
/// A [`Violation`], with the fewest operations that show it.
pub fn verify(history: &[Operation<Action>], promise: Promise) -> Result<(), Violation> {
    if history.iter().any(|operation| operation.action == Action::Crash) {
        return verify_part(history, promise, Order::RealTime);
    }
    partition(history).iter().try_for_each(|part| verify_part(part, promise, Order::RealTime))
}

/// Checks that a history of a key-value store, empty at first, is sequentially consistent: all keys in one order, which
/// each client agrees with.
///
/// # Errors
///
/// A [`Violation`], with the fewest operations that show it.
///
/// # Panics
///
/// When the history has a power failure: what that takes is a matter of time, which this order knows nothing of.
pub fn verify_sequential(history: &[Operation<Action>]) -> Result<(), Violation> {
    let has_crash = history.iter().any(|operation| operation.action == Action::Crash);
    assert!(!has_crash, "a power failure has its place in time");
    verify_part(history, Promise::Buffered, Order::Program)
}

fn verify_part(history: &[Operation<Action>], promise: Promise, order: Order) -> Result<(), Violation> {
    let model = KeyValue::of(history, promise);
    let (claim, verdict) = match order {
        Order::RealTime => ("linearizable", check(&model, history)),
        Order::Program => ("sequentially consistent", check_sequential(&model, history)),
    };
    let minimal = match verdict {
        Verdict::Explained(_) => return Ok(()),
        Verdict::Violation => minimize_in(&model, history, order),
        Verdict::TooLarge => Vec::new(),
    };
    Err(Violation { minimal, of: history.len(), claim })
}
