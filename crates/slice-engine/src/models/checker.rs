//! The checker itself: with the primitives of `primitives`, it sees what it has to see.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{caught, join, start};
use crate::primitives::{AtomicBool, AtomicU64};

/// Fails when some orders are left out.
#[test]
fn a_load_is_tried_behind_another_threads_load_and_store() {
    let failure = caught(|| {
        let value = Arc::new(AtomicU64::new(0));
        let other = Arc::clone(&value);
        let thread = start(move || other.store(other.load(Ordering::Relaxed) + 1, Ordering::Relaxed));
        assert_eq!(value.load(Ordering::Relaxed), 0, "the store came first");
        join([thread]);
    });
    assert!(failure.contains("the store came first"), "{failure}");
}

/// Fails when loads see the newest store whatever the memory model says.
#[test]
fn a_store_that_does_not_release_is_caught() {
    let failure = caught(|| {
        let shared = Arc::new((AtomicU64::new(0), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        let thread = start(move || {
            other.0.store(1, Ordering::Relaxed);
            other.1.store(true, Ordering::Relaxed);
        });
        if shared.1.load(Ordering::Acquire) {
            assert_eq!(shared.0.load(Ordering::Relaxed), 1, "published too early");
        }
        join([thread]);
    });
    assert!(failure.contains("published too early"), "{failure}");
}
