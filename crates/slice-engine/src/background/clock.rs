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

/// Milliseconds since the epoch, on the operating system's clock, which people and networks may set back.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn wall_clock_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
