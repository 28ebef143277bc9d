//! Whether a history of concurrent clients could have happened one operation after the other.
//!
//! Clients note when they called, when it returned, and what they were told. The history is *linearizable* if there is
//! one order of all operations that keeps to the times (what returned before another was called comes first) and in
//! which a single thread would have been told the same:
//!
//! ```text
//!   client 0   [put k0=1           ]                 an order that explains it:
//!   client 1        [get k0: nothing]                  get k0: nothing
//!   client 2                          [get k0: 1]      put k0=1
//!                                                      get k0: 1
//! ```
//!
//! It is a property of the answers alone, so any store can be checked: write the history down with [`Operation`]s,
//! for a key-value store in terms of [`Action`], and ask [`verify`]:
//!
//! ```
//! use slice_crash::linearizability::{Action, Clock, Operation, Promise, verify};
//!
//! let clock = Clock::new();
//! let (called, returned) = (clock.tick(), clock.tick());
//! let put = Operation::done(0, called, returned, Action::put(0, 1));
//! let (called, returned) = (clock.tick(), clock.tick());
//! let stale = Operation::done(1, called, returned, Action::get(0, None));
//!
//! let violation = verify(&[put, stale], Promise::Buffered).unwrap_err();
//! assert!(violation.to_string().contains("get k0: nothing"));
//! ```
//!
//! What else there is:
//!
//! - An operation without an answer, since its client gave up or the store was closed, is [`Operation::maybe`]: it has
//!   happened while it was under way, or never.
//! - [`Action::Crash`] is a power failure. What was acknowledged as durable stays; of the rest a part goes, from the
//!   end: "buffered durable linearizability" (Izraelevitz, Mendes and Scott, 2016).
//! - Batches write several keys at once; then those keys are searched together.
//! - [`check_sequential`] asks for less: an order that each client agrees with, whatever the clock says.
//! - Other kinds of objects are a [`Model`] of their own, for [`check`] and [`minimize`].
//!
//! The search is Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993), which remembers where it has been
//! (Lowe, "Testing for Linearizability", 2017), key by key where that is the same thing (Horn and Kroening, "Faster
//! Linearizability Checking via P-Compositionality", 2015). The question is NP-hard; histories of some hundred
//! operations a key by sixteen clients take milliseconds, and a search that grows too large says so.

mod bits;
mod key_value;
mod minimize;
mod model;
mod partition;
mod search;
mod timeline;
mod verify;

use std::sync::atomic::{AtomicU64, Ordering};

pub use key_value::{Action, KeyValue, KeyValueState, Promise};
pub use minimize::minimize;
pub use model::Model;
pub use partition::partition;
pub use search::{Verdict, check, check_sequential};
pub use timeline::timeline;
pub use verify::{Violation, verify, verify_sequential};

/// What a client did, and between which times it took effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation<A> {
    /// Who did it; a client does one thing after the other.
    pub client: usize,
    /// The time before it could take effect: a tick of a [`Clock`].
    pub called: u64,
    /// The time from which on it could not.
    pub returned: u64,
    /// Whether it is certain that it took effect at all.
    pub certain: bool,
    /// What it was, with the answer.
    pub action: A,
}

impl<A> Operation<A> {
    /// An operation that was answered.
    pub fn done(client: usize, called: u64, returned: u64, action: A) -> Self {
        Self { client, called, returned, certain: true, action }
    }

    /// An operation of which nobody knows whether it happened; if so, then by `until`, which may be `u64::MAX`.
    pub fn maybe(client: usize, called: u64, until: u64, action: A) -> Self {
        Self { client, called, returned: until, certain: false, action }
    }

    /// Whether this one was over before the other began.
    pub fn precedes(&self, other: &Self) -> bool {
        self.returned < other.called
    }
}

/// A clock whose every tick is a different one, in one order for all threads.
#[derive(Debug, Default)]
pub struct Clock {
    ticks: AtomicU64,
}

impl Clock {
    /// A clock that stands at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next time.
    pub fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// The time that the next tick will be.
    pub fn now(&self) -> u64 {
        self.ticks.load(Ordering::SeqCst)
    }
}
