//! The one place that reads the clock.
//!
//! Clients read the processor's counter, through `quanta`: half the price of `Instant`, and once for each operation.

use std::time::{Duration, Instant};

/// This moment.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time from outside of the store")]
pub fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds since a moment that all clients of a run share.
#[derive(Clone, Debug)]
pub struct Stopwatch {
    clock: quanta::Clock,
    start: u64,
}

impl Stopwatch {
    /// Starts now. The first of a process takes some milliseconds, to learn how fast the counter counts.
    pub fn start() -> Self {
        let clock = quanta::Clock::new();
        let start = clock.raw();
        Self { clock, start }
    }

    /// Nanoseconds since the start.
    #[inline]
    pub fn nanos(&self) -> u64 {
        self.clock.delta_as_nanos(self.start, self.clock.raw())
    }
}

/// A duration in nanoseconds, as much as fit.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stopwatch_agrees_with_the_system_s_clock() {
        let watch = Stopwatch::start();
        let (before, start) = (watch.nanos(), now());
        while start.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let (after, real) = (watch.nanos(), nanos(start.elapsed()));
        let counted = after - before;
        assert!(counted >= 19_000_000, "{counted} ns of at least 20 ms");
        // A thread may lose the processor between the two readings, but only here and only upwards.
        assert!(counted <= real + real / 20 + 100_000_000, "{counted} ns of {real}");
    }
}
