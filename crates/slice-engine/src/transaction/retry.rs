//! Running again what lost a race: how often, and how long to wait before.
//!
//! "Exponential backoff with full jitter" (M. Brooker, AWS Architecture Blog, 2015): a random time below a bound that
//! doubles, so that those who met once do not meet again at the same time.

use std::hash::{BuildHasher, RandomState};
use std::task::Poll;
use std::time::Duration;

use slice_types::{Error, ErrorKind};

/// How often [`transact`](crate::LSMTree::transact) runs a transaction.
const ATTEMPTS_MAX: u32 = 64;
/// The bound of the first wait.
const FIRST: Duration = Duration::from_micros(20);
/// No wait is longer.
const LONGEST: Duration = Duration::from_millis(10);

/// The attempts at something.
pub(super) struct Retries {
    /// How many have failed.
    failed: u32,
    most: u32,
}

impl Retries {
    /// Gives up after [`ATTEMPTS_MAX`].
    pub(super) fn bounded() -> Self {
        Self { failed: 0, most: ATTEMPTS_MAX }
    }

    /// Never gives up: each time somebody else has got on.
    pub(super) fn unbounded() -> Self {
        Self { failed: 0, most: u32::MAX }
    }

    /// How long to wait before the next attempt, after one that failed.
    ///
    /// # Errors
    ///
    /// The error, when it is not a lost race, or that was the last attempt.
    pub(super) fn after(&mut self, error: Error) -> Result<Duration, Error> {
        self.failed = self.failed.saturating_add(1);
        if error.kind() != ErrorKind::Conflict || self.failed == self.most {
            return Err(error);
        }
        Ok(bound(self.failed).mul_f64(random()))
    }
}

/// The first time goes on at once: whoever won is done.
fn bound(failed: u32) -> Duration {
    let Some(doublings) = failed.checked_sub(2) else { return Duration::ZERO };
    FIRST.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(LONGEST)
}

/// A number from 0 to 1, another one each time: the keys of std's hash maps are random.
fn random() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}

/// Lets other tasks run.
pub(super) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict() -> Error {
        Error::new(ErrorKind::Conflict, "lost")
    }

    #[test]
    fn the_bounds_of_waits_double_up_to_the_longest() {
        let bounds: Vec<_> = (1..=5).map(bound).collect();
        assert_eq!(bounds, [0, 20, 40, 80, 160].map(Duration::from_micros));
        assert_eq!(bound(ATTEMPTS_MAX), LONGEST);
        assert_eq!(bound(u32::MAX), LONGEST);
    }

    #[test]
    fn waits_are_random_below_their_bound() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|_| (Retries { failed: 20, most: u32::MAX }).after(conflict()).unwrap()).collect();
        assert!(waits.len() > 90, "{} of 100 differ", waits.len());
        assert!(waits.last() <= Some(&LONGEST) && waits.first() < Some(&(LONGEST / 2)));
    }

    #[test]
    fn other_errors_and_the_last_attempt_are_the_end() {
        let mut retries = Retries::bounded();
        let attempts = (1..=2 * ATTEMPTS_MAX).find(|_| retries.after(conflict()).is_err()).unwrap();
        assert_eq!(attempts, ATTEMPTS_MAX);
        let other = Retries::unbounded().after(Error::invalid_argument("no")).unwrap_err();
        assert_eq!(other.kind(), ErrorKind::InvalidArgument);
    }
}
