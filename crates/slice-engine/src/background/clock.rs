//! The one place that reads a clock.

use std::time::Instant;

/// Now, on a clock that never goes back.
#[cfg(not(slice_shuttle))]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Always the same moment: a run under shuttle is to be repeatable.
#[cfg(slice_shuttle)]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn now() -> Instant {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    *START
}
