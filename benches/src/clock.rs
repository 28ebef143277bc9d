//! The one place that reads the clock.

use std::time::Instant;

/// This moment.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time from outside of the store")]
pub fn now() -> Instant {
    Instant::now()
}
