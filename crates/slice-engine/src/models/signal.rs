//! The signal: no wake-up is lost, provided that the change comes before the raise.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{caught, explore, join, start};
use crate::primitives::AtomicBool;
use crate::signal::Signal;

/// Two threads wait for a change that a third makes.
fn wait_for(change: fn(&Signal, &AtomicBool)) {
    let shared = Arc::new((Signal::default(), AtomicBool::new(false)));
    let waiters = [(); 2].map(|()| {
        let shared = Arc::clone(&shared);
        start(move || shared.0.wait(|| shared.1.load(Ordering::Relaxed).then_some(())))
    });
    change(&shared.0, &shared.1);
    join(waiters);
}

#[test]
fn no_wake_up_is_lost() {
    explore(|| {
        wait_for(|signal, changed| {
            changed.store(true, Ordering::Relaxed);
            signal.raise();
        });
    });
}

#[test]
fn a_raise_before_the_change_is_caught() {
    let failure = caught(|| {
        wait_for(|signal, changed| {
            signal.raise();
            changed.store(true, Ordering::Relaxed);
        });
    });
    assert!(failure.contains("deadlock"), "{failure}");
}
