//! Back-pressure: writers are slowed to the speed at which the background gets the work done.
//!
//! The background says how many bytes a second it drains and how far behind it is; [`Pressure::slow_to`] makes a rate
//! of that, and each writer reserves its place on a virtual clock that runs at that rate. A writer whose place is in
//! the future waits for it: asleep, never spinning, and never for good, since the rate is never zero.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::background::clock::now;
use crate::primitives::Mutex;
use crate::signal::lock;
use crate::stats::{Counter, WriteDelays};

/// The slowest that writers are ever made, in bytes a second.
const RATE_MIN: f64 = 1024.0 * 1024.0;
/// How far ahead of its time a writer may be: below this a sleep costs more than it evens out.
const SLACK: Duration = Duration::from_millis(1);
/// The longest single delay: the rate is looked at again after it.
const DELAY_MAX: Duration = Duration::from_millis(100);

/// What has piled up, so that writers are slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pile {
    /// Frozen memtables.
    Memory,
    /// Tables of level 0.
    Level0,
}

/// Why a writer has waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// There was no room for another memtable.
    NoRoom,
    /// The rate that writers are slowed down to.
    Rate,
}

#[derive(Debug, Default)]
pub(crate) struct Pressure {
    /// Time that a byte takes, in picoseconds; 0 for no delay.
    byte_ps: AtomicU64,
    /// When the next writer is on time.
    next: Mutex<Option<Instant>>,
    /// Whether the rate is that of level 0; else it is that of memtables.
    is_for_level_0: AtomicBool,
    delays: Counter,
    no_room_ns: Counter,
    memory_ns: Counter,
    level_0_ns: Counter,
}

impl Pressure {
    /// Lets writers go at full speed (`None`) or at this many bytes a second, for the sake of a pile.
    pub(crate) fn slow_to(&self, rate: Option<(f64, Pile)>) {
        let byte_ps = rate.map_or(0, |(rate, _)| (1e12 / rate.max(RATE_MIN)) as u64);
        if let Some((_, pile)) = rate {
            self.is_for_level_0.store(pile == Pile::Level0, Ordering::Relaxed);
        }
        self.byte_ps.store(byte_ps, Ordering::Relaxed);
    }

    /// How long a writer of this many bytes has to wait first. Costs one load when there is no pressure.
    #[inline]
    pub(crate) fn delay(&self, bytes: usize) -> Option<Duration> {
        let byte_ps = self.byte_ps.load(Ordering::Relaxed);
        if byte_ps == 0 { None } else { self.reserve(bytes, byte_ps) }
    }

    #[cold]
    fn reserve(&self, bytes: usize, byte_ps: u64) -> Option<Duration> {
        let now = now();
        let mut next = lock(&self.next);
        let place = next.map_or(now, |next| next.max(now));
        *next =
            Some(place + Duration::from_nanos((bytes as u64).saturating_mul(byte_ps) / 1000).min(DELAY_MAX));
        drop(next);
        let delay = (place - now).min(DELAY_MAX);
        (delay > SLACK).then_some(delay)
    }

    /// Counts a wait.
    pub(crate) fn count(&self, cause: Cause, delayed: Duration) {
        self.delays.add(1);
        let nanos = match cause {
            Cause::NoRoom => &self.no_room_ns,
            Cause::Rate if self.is_for_level_0.load(Ordering::Relaxed) => &self.level_0_ns,
            Cause::Rate => &self.memory_ns,
        };
        nanos.add(delayed.as_nanos() as u64);
    }

    /// For how long writers waited, by cause.
    pub(crate) fn by_cause(&self) -> WriteDelays {
        let time = |nanos: &Counter| Duration::from_nanos(nanos.get());
        WriteDelays {
            memtables_full: time(&self.no_room_ns),
            flush_rate: time(&self.memory_ns),
            level_0_rate: time(&self.level_0_ns),
        }
    }

    /// How often writers waited, and for how long in all.
    pub(crate) fn counted(&self) -> (u64, Duration) {
        (self.delays.get(), self.by_cause().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_pressure_nobody_waits() {
        let pressure = Pressure::default();
        assert_eq!(pressure.delay(1 << 30), None);
        pressure.slow_to(Some((2e6, Pile::Memory)));
        pressure.slow_to(None);
        assert_eq!(pressure.delay(1 << 30), None);
    }

    #[test]
    fn delays_grow_with_the_bytes_written_and_stay_bounded() {
        let pressure = Pressure::default();
        pressure.slow_to(Some((10e6, Pile::Level0)));
        assert_eq!(pressure.delay(100_000), None, "the first is on time");
        let second = pressure.delay(100_000).expect("10 ms behind");
        assert!(second > Duration::from_millis(5) && second <= Duration::from_millis(10), "{second:?}");
        for _ in 0..100 {
            assert!(pressure.delay(100_000).is_none_or(|delay| delay <= DELAY_MAX));
        }
    }

    #[test]
    fn the_rate_is_never_zero() {
        let pressure = Pressure::default();
        pressure.slow_to(Some((0.0, Pile::Memory)));
        pressure.delay(1024);
        assert!(pressure.delay(1024).is_none_or(|delay| delay < Duration::from_millis(2)));
    }

    #[test]
    fn waits_are_counted_by_their_cause() {
        let pressure = Pressure::default();
        let ms = Duration::from_millis;
        pressure.slow_to(Some((1e7, Pile::Level0)));
        pressure.count(Cause::Rate, ms(1));
        pressure.count(Cause::NoRoom, ms(2));
        pressure.slow_to(Some((1e7, Pile::Memory)));
        pressure.count(Cause::Rate, ms(4));
        pressure.slow_to(None);
        pressure.count(Cause::Rate, ms(8));
        let expected = WriteDelays { memtables_full: ms(2), flush_rate: ms(12), level_0_rate: ms(1) };
        assert_eq!(pressure.by_cause(), expected);
        assert_eq!(pressure.counted(), (4, ms(15)));
    }
}
