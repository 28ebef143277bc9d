//! Whether a history of transactions keeps to what their isolation promises: a search for cycles.
//!
//! Transactions append to lists and read them, so that a list says who wrote before whom. From that follows who depends
//! on whom, and what no order of the transactions explains shows as a cycle:
//!
//! ```text
//!   T1: read a = [], append 1 to b             T1 --rw(a)--> T2      T1 did not see what T2 wrote
//!   T2: read b = [], append 2 to a             T2 --rw(b)--> T1      nor the other way round: write skew
//! ```
//!
//! | edge | from | to |
//! |---|---|---|
//! | `ww` | who wrote a version | who wrote the next one |
//! | `wr` | who wrote a version | who read it |
//! | `rw` | who read a version | who wrote the next one |
//! | `rt` | who had returned | who was called later |
//!
//! [`Promise::Serializable`] allows no cycle, [`Promise::Snapshot`] those with two `rw` edges in a row, like the one
//! above, and no others. Beside cycles there is what no edge can be made of: a value that nobody committed, a half of
//! a transaction, an own write that is not seen, lists that contradict each other.
//!
//! ```
//! use slice_crash::isolation::{Outcome, Promise, Step, Transaction, verify};
//!
//! let skew = [(0, 1), (1, 0)].map(|(reads, writes)| Transaction {
//!     client: reads,
//!     called: 0,
//!     returned: 9,
//!     outcome: Outcome::Committed,
//!     steps: vec![Step::Read { key: reads, found: vec![] }, Step::Append { key: writes, element: writes as u64 }],
//! });
//! assert!(verify(&skew, Promise::Snapshot).is_ok());
//! assert!(verify(&skew, Promise::Serializable).unwrap_err().to_string().contains("write skew"));
//! ```
//!
//! The edges and what they may form are Adya's ("Weak Consistency: A Generalized Theory and Optimistic Implementations
//! for Distributed Transactions", 1999); the lists are Kingsbury's and Alvaro's ("Elle: Inferring Isolation Anomalies
//! from Experimental Observations", 2020); that snapshot isolation is the absence of cycles without adjacent `rw` edges
//! is Cerone's and Gotsman's ("Analysing Snapshot Isolation", 2016). Reads of transactions that did not commit count,
//! too: what they see is as consistent as what others see.

mod graph;
mod versions;

use std::fmt;

use graph::Graph;
use versions::Versions;

/// What a transaction did, when, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Who ran it.
    pub client: usize,
    /// The time before it began: a tick of a [`Clock`](crate::linearizability::Clock).
    pub called: u64,
    /// The time from which on it had ended.
    pub returned: u64,
    /// Whether it was committed.
    pub outcome: Outcome,
    /// What it did, in order.
    pub steps: Vec<Step>,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was told that it is committed.
    Committed,
    /// It was refused, or rolled back.
    Aborted,
    /// Nobody knows. Whoever sees a write of it shows that it was committed.
    Unknown,
}

/// What a transaction does to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It read the list of a key.
    Read {
        /// The key.
        key: usize,
        /// The list; empty for a key that is not there.
        found: Vec<u64>,
    },
    /// It put an element, which is used once in a history, at the end of the list of a key.
    Append {
        /// The key.
        key: usize,
        /// The element.
        element: u64,
    },
}

/// What a store promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Snapshot isolation, and that a transaction sees what was committed before it was called.
    Snapshot,
    /// Some order of all transactions, which keeps to the times.
    Serializable,
}

/// What a history shows that was not to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}

/// Checks a history of transactions on lists that were empty at first.
///
/// All is found only if somebody reads each list when all is done.
///
/// # Errors
///
/// A [`Violation`]: a cycle, as short as there is one, or a read that cannot be.
///
/// # Panics
///
/// When an element is appended twice: it could not be told who wrote what.
pub fn verify(history: &[Transaction], promise: Promise) -> Result<(), Violation> {
    let versions = Versions::of(history)?;
    match Graph::new(history, &versions, promise).shortest_cycle() {
        None => Ok(()),
        Some(cycle) => Err(Violation(graph::describe(history, &cycle))),
    }
}

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}, {}..{}, {:?}:", self.client, self.called, self.returned, self.outcome)?;
        self.steps.iter().try_for_each(|step| write!(f, " {step};"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { key, found } => write!(f, "k{key} is {found:?}"),
            Self::Append { key, element } => write!(f, "k{key} += {element}"),
        }
    }
}
