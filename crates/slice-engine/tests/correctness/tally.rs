//! How much has been checked, told after each test; and how long a test may take.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

static HISTORIES: AtomicU64 = AtomicU64::new(0);
static OPERATIONS: AtomicU64 = AtomicU64::new(0);
static IMAGES: AtomicU64 = AtomicU64::new(0);

/// Longer than any machine takes for one history: what is not done by then hangs.
const LONGEST: Duration = Duration::from_secs(120);

/// Counts a history that was checked.
pub(crate) fn history(operations: usize) {
    HISTORIES.fetch_add(1, Ordering::Relaxed);
    OPERATIONS.fetch_add(operations as u64, Ordering::Relaxed);
}

/// Counts what a power failure left, and was opened and checked.
pub(crate) fn image() {
    IMAGES.fetch_add(1, Ordering::Relaxed);
}

/// Says what has been checked by all tests so far. The last line of a run has the totals.
pub(crate) fn report() {
    let counts = [&HISTORIES, &OPERATIONS, &IMAGES];
    let [histories, operations, images] = counts.map(|count| count.load(Ordering::Relaxed));
    // Not `eprintln!`, which the test runner keeps to itself.
    let line =
        format!("checked so far: {histories} histories of {operations} operations, {images} crash images\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Runs `work` on a thread of its own, and fails if it does not end.
pub(crate) fn bounded<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    #[expect(clippy::disallowed_methods, reason = "a scoped thread that hangs would hang the test")]
    let thread = std::thread::spawn(move || {
        let _ = done.send(work());
    });
    match result.recv_timeout(LONGEST) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("still running after {LONGEST:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a thread that ends well has sent its result"),
        },
    }
}

/// The seeds of a test: those of the range, or twenty times the one in the environment, since threads never run the
/// same way twice.
pub(crate) fn seeds(range: std::ops::Range<u64>) -> Vec<u64> {
    match std::env::var("SLICE_SEED") {
        Ok(seed) => vec![seed.parse().expect("SLICE_SEED is a number"); 20],
        Err(_) => range.collect(),
    }
}
