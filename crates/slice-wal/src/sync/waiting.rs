//! Waiting for a sync, and asking for one: as a thread, as a task, as the thread that does nothing but sync.

use slice_types::Result;

use super::seats::{Call, Part};
use super::{GroupSync, State, wait_on};
use crate::LogPosition;

impl GroupSync {
    /// Blocks until `end` is durable. Asks for a sync, and leaves it to others to do it.
    ///
    /// # Errors
    ///
    /// The failure of a sync; [`Closed`](slice_types::ErrorKind::Closed) after [`stop`](Self::stop). Neither when `end` is
    /// durable.
    pub fn wait(&self, end: LogPosition) -> Result<()> {
        let mut state = self.lock();
        if let Some(outcome) = state.outcome(end) {
            return outcome;
        }
        self.note_request(&mut state, end);
        let seat = state.seats.take(end, Part::Waits);
        drop(state);
        match seat.wait() {
            Call::Done(outcome) => outcome,
            Call::Lead => unreachable!("only who may lead is called to it"),
        }
    }

    /// Blocks until `end` is durable, and syncs where nobody else does: that spares the way to another thread and back.
    /// Returns what is durable then when this thread has led a round.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    pub fn wait_or_lead(&self, end: LogPosition) -> Result<Option<LogPosition>> {
        let mut led = None;
        loop {
            let mut state = self.lock();
            if let Some(outcome) = state.outcome(end) {
                return outcome.map(|()| led);
            }
            let is_idle = !state.syncing && state.durable < self.appended.get();
            let seat = if is_idle { None } else { Some(state.seats.take(end, Part::MayLead)) };
            state.syncing |= is_idle;
            drop(state);
            if let Some(Call::Done(outcome)) = seat.map(|seat| seat.wait()) {
                return outcome.map(|()| led);
            }
            // A failure is found again above, behind the question whether it matters here.
            led = self.lead().ok().or(led);
        }
    }

    /// Waits as a task until `end` is durable. May be dropped at any time.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    pub async fn waited(&self, end: LogPosition) -> Result<()> {
        loop {
            // From its creation on it hears of every change: made before the look at the state, it misses none.
            let change = self.changed_for_tasks.notified();
            if let Some(outcome) = self.outcome_or_request(end) {
                return outcome;
            }
            change.await;
        }
    }

    fn outcome_or_request(&self, end: LogPosition) -> Option<Result<()>> {
        let mut state = self.lock();
        let outcome = state.outcome(end);
        if outcome.is_none() {
            self.note_request(&mut state, end);
        }
        outcome
    }

    /// Asks for a sync up to `end` and does not wait. What is not appended yet cannot be asked for.
    pub fn request(&self, end: LogPosition) {
        self.note_request(&mut self.lock(), end);
    }

    fn note_request(&self, state: &mut State, end: LogPosition) {
        let end = end.min(self.appended.get());
        if end > state.requested {
            state.requested = end;
            self.requested.notify_one();
        }
    }

    /// Blocks the syncing thread until there is something to sync: `true`; or until [`stop`](Self::stop): `false`.
    ///
    /// After a failed sync there is never anything to sync.
    pub fn wait_for_request(&self) -> bool {
        let mut state = self.lock();
        while !state.stopped {
            if state.failure.is_none() && state.requested > state.durable {
                return true;
            }
            state = wait_on(&self.requested, state);
        }
        false
    }

    /// Sends everyone home: the syncing thread, and those who wait for what is not durable. For ever.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        self.requested.notify_all();
        self.tell_all(state, None);
    }
}
