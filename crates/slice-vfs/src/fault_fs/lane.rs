//! A count of operations, and the faults planned for some of them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Fault, Span};

/// One of the two kinds of operations.
#[derive(Debug, Default)]
pub(super) struct Lane(Mutex<Plans>);

#[derive(Debug, Default)]
struct Plans {
    count: u64,
    faults: Vec<(u64, Fault, Span)>,
}

impl Lane {
    pub(super) fn plan(&self, n: u64, fault: Fault, span: Span) {
        self.lock().faults.push((n, fault, span));
    }

    pub(super) fn clear(&self) {
        self.lock().faults.clear();
    }

    pub(super) fn count(&self) -> u64 {
        self.lock().count
    }

    /// Counts an operation, and says how it is to fail. The first plan that fits counts.
    pub(super) fn next(&self) -> Option<Fault> {
        let mut plans = self.lock();
        let now = plans.count;
        plans.count += 1;
        let fits = |n: u64, span| n == now || (span == Span::Forever && n < now);
        plans.faults.iter().find(|(n, _, span)| fits(*n, *span)).map(|(_, fault, _)| *fault)
    }

    fn lock(&self) -> MutexGuard<'_, Plans> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
