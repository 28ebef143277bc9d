//! What happens after a while: delayed writers go on, and the regular looks at flushes and compactions.
//!
//! A timer of our own, because a write may be awaited on a runtime that has none.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::clock::now;
use crate::primitives::{Condvar, Mutex};
use crate::signal::lock;

/// Wakes tasks when their time has come.
#[derive(Default)]
pub(crate) struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    sleepers: BinaryHeap<Reverse<Sleeper>>,
    count: u64,
    stopped: bool,
}

/// Ordered by time, then by arrival.
struct Sleeper {
    until: Instant,
    number: u64,
    wake: oneshot::Sender<()>,
}

impl Timer {
    /// Waits as a task; returns at once when the timer has stopped.
    pub(crate) async fn sleep(&self, time: Duration) {
        let (wake, woken) = oneshot::channel();
        {
            let mut state = lock(&self.state);
            if state.stopped {
                return;
            }
            state.count += 1;
            let number = state.count;
            state.sleepers.push(Reverse(Sleeper { until: now() + time, number, wake }));
        }
        self.changed.notify_one();
        // An error says that the timer stopped: go on, and find the database closed.
        woken.await.unwrap_or_default();
    }

    /// Wakes everyone, and ends [`Timer::run`].
    pub(crate) fn stop(&self) {
        let mut state = lock(&self.state);
        state.stopped = true;
        state.sleepers.clear();
        drop(state);
        self.changed.notify_one();
    }

    /// Wakes sleepers, and calls `tick` about every `period`, until [`Timer::stop`].
    pub(crate) fn run(&self, period: Duration, mut tick: impl FnMut()) {
        let mut next_tick = now() + period;
        while let Some(due) = self.wait(next_tick) {
            for sleeper in due {
                // A receiver that is gone was a dropped future.
                let _gone = sleeper.wake.send(());
            }
            if now() >= next_tick {
                tick();
                next_tick = now() + period;
            }
        }
    }

    /// Waits for the next sleeper or tick, and gives the sleepers whose time has come; `None` once stopped.
    fn wait(&self, next_tick: Instant) -> Option<Vec<Sleeper>> {
        let state = lock(&self.state);
        if state.stopped {
            return None;
        }
        let until = state.sleepers.peek().map_or(next_tick, |Reverse(first)| first.until.min(next_tick));
        let time = until.saturating_duration_since(now());
        let (mut state, _) = self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return None;
        }
        let mut due = Vec::new();
        while state.sleepers.peek().is_some_and(|Reverse(first)| first.until <= now()) {
            due.extend(state.sleepers.pop().map(|Reverse(sleeper)| sleeper));
        }
        Some(due)
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.until, self.number).cmp(&(other.until, other.number))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_sleeper_wakes_when_its_time_has_come_and_ticks_go_on() {
        let timer = Arc::new(Timer::default());
        let running = Arc::clone(&timer);
        let ticks = Arc::new(Mutex::new(0));
        let ticked = Arc::clone(&ticks);
        let thread = tokio::task::spawn_blocking(move || {
            running.run(Duration::from_millis(1), || *lock(&ticked) += 1);
        });
        let begun = now();
        timer.sleep(Duration::from_millis(20)).await;
        assert!(begun.elapsed() >= Duration::from_millis(20));
        assert!(*lock(&ticks) > 0);
        timer.stop();
        thread.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_timer_that_stops_wakes_everyone() {
        let timer = Arc::new(Timer::default());
        let sleeper = Arc::clone(&timer);
        let sleeping = tokio::spawn(async move { sleeper.sleep(Duration::from_secs(3600)).await });
        while lock(&timer.state).sleepers.is_empty() {
            tokio::task::yield_now().await;
        }
        timer.stop();
        sleeping.await.unwrap();
        timer.sleep(Duration::from_secs(3600)).await;
    }
}
