//! How a writer waits for its turn at the commit lock: it lets other threads run, and sleeps only if that is not enough.
//!
//! The lock is held for about a microsecond, and to sleep and be woken takes longer. `sched_yield` comes back at once where
//! nobody wants the core. Where somebody does, it can give away a time slice for a lock that is free long before: after
//! that writers sleep for a while. What each is worth: `docs/decisions/0015-the-way-of-a-write.md`.

use std::sync::TryLockError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::background::clock::now;
use crate::primitives::{AtomicU64, Mutex, MutexGuard};
use crate::signal::lock;

/// How often a writer lets others run before it sleeps. Never in models, where that is one more order of the same steps.
const TURNS: usize = if cfg!(all(test, slice_loom)) { 0 } else { 16 };
/// Who comes back later than that, to a lock that is still taken, has given a time slice away for nothing.
const LONG: Duration = Duration::from_micros(500);
/// How many sleep after that, before one lets others run again.
const SLEEPERS: u64 = 64;

/// Whether it is better to sleep: a guess from what came of not doing so. Writers race on it, and nothing depends on it.
pub(super) struct Turns {
    /// How many are still to sleep.
    sleepers: AtomicU64,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { sleepers: AtomicU64::new(0) }
    }

    /// Locks.
    #[inline]
    pub(super) fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
        let mut away = Duration::ZERO;
        for _ in 0..TURNS {
            match mutex.try_lock() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(guard)) => return guard.into_inner(),
                Err(TryLockError::WouldBlock) if self.is_worth_another(away) => away = let_others_run(),
                Err(TryLockError::WouldBlock) => break,
            }
        }
        lock(mutex)
    }

    /// Whether to let others run once more, after having been away for so long.
    fn is_worth_another(&self, away: Duration) -> bool {
        let sleepers = self.sleepers.load(Ordering::Relaxed);
        let left = if away >= LONG { SLEEPERS } else { sleepers.saturating_sub(1) };
        if left != sleepers {
            self.sleepers.store(left, Ordering::Relaxed);
        }
        away < LONG && sleepers == 0
    }
}

fn let_others_run() -> Duration {
    let since = now();
    std::thread::yield_now();
    now() - since
}

#[cfg(all(test, not(slice_loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_was_away_for_long_has_the_next_ones_sleep() {
        let turns = Turns::new();
        assert!(turns.is_worth_another(Duration::ZERO));
        assert!(turns.is_worth_another(LONG / 2));
        assert!(!turns.is_worth_another(LONG));
        assert!((0..SLEEPERS).all(|_| !turns.is_worth_another(Duration::ZERO)));
        assert!(turns.is_worth_another(Duration::ZERO));
    }

    #[test]
    fn a_lock_is_waited_for_and_taken_also_where_a_thread_panicked_with_it() {
        let (turns, mutex) = (Turns::new(), Mutex::new(0));
        std::thread::scope(|scope| {
            let held = mutex.lock().unwrap();
            turns.sleepers.store(SLEEPERS, Ordering::Relaxed);
            let waiter = scope.spawn(|| *turns.lock(&mutex) += 1);
            // The waiter has found it taken once it counts itself among the sleepers.
            while turns.sleepers.load(Ordering::Relaxed) == SLEEPERS {
                std::thread::yield_now();
            }
            drop(held);
            waiter.join().unwrap();
            let panics = scope.spawn(|| {
                let _held = turns.lock(&mutex);
                panic!("with the lock");
            });
            assert!(panics.join().is_err());
        });
        assert_eq!(*turns.lock(&mutex), 1);
    }
}
