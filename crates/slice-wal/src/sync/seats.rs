//! Where threads wait for a sync, each at a place of its own.
//!
//! A condition that all share wakes all of them at once, and then each has to take the lock of the group only to learn
//! what the one who woke it knew. Here whoever ends a sync says to each thread what came of it, and to one of those
//! that it did not serve that it leads the next round.
//!
//! ```text
//!   seats     (2, 900)  (2, 1300) leads  (2, 1340)
//!                 |         |                 |
//!   durable = (2, 1000)     |                 |
//!                 v         v                 v
//!               Done      Lead              waits for that round
//! ```
//!
//! Invariant: whoever takes a seat out of the list calls it, once.

use std::sync::{Arc, PoisonError};

use slice_types::Result;

use crate::LogPosition;
use crate::primitives::{Condvar, Mutex};

/// What a waiting thread is told.
#[derive(Debug)]
pub(super) enum Call {
    /// Its wait is over, and this came of it.
    Done(Result<()>),
    /// It leads the next round: `syncing` is set for it already.
    Lead,
}

/// Whether a waiting thread can be asked to sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Waits,
    MayLead,
}

/// The place of one waiting thread.
#[derive(Debug)]
pub(super) struct Seat {
    end: LogPosition,
    part: Part,
    call: Mutex<Option<Call>>,
    called: Condvar,
}

impl Seat {
    /// Waits to be called.
    pub(super) fn wait(&self) -> Call {
        let mut call = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match call.take() {
                Some(call) => return call,
                None => call = self.called.wait(call).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    pub(super) fn call(&self, call: Call) {
        *self.call.lock().unwrap_or_else(PoisonError::into_inner) = Some(call);
        self.called.notify_one();
    }
}

/// The places of all waiting threads, in the order of their arrival.
#[derive(Default, Debug)]
pub(super) struct Seats(Vec<Arc<Seat>>);

impl Seats {
    /// A place for a thread that waits for `end`.
    pub(super) fn take(&mut self, end: LogPosition, part: Part) -> Arc<Seat> {
        let seat = Arc::new(Seat { end, part, call: Mutex::new(None), called: Condvar::new() });
        self.0.push(Arc::clone(&seat));
        seat
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes those out whose wait is over, with what came of it.
    pub(super) fn take_served(
        &mut self,
        outcome: impl Fn(LogPosition) -> Option<Result<()>>,
    ) -> Vec<(Arc<Seat>, Result<()>)> {
        let mut served = Vec::new();
        self.0.retain(|seat| match outcome(seat.end) {
            Some(outcome) => {
                served.push((Arc::clone(seat), outcome));
                false
            }
            None => true,
        });
        served
    }

    /// Takes the first out that may lead, of those that what is `durable` does not serve.
    pub(super) fn take_leader(&mut self, durable: LogPosition) -> Option<Arc<Seat>> {
        let first = self.0.iter().position(|seat| seat.part == Part::MayLead && seat.end > durable)?;
        Some(self.0.remove(first))
    }
}
