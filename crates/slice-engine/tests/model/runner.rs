//! Runs a property: seeded, bounded, and replayed with one command.
#![expect(clippy::disallowed_methods, reason = "a property that hangs is found by a thread that does not")]

use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestError, TestRunner};

/// A property that takes longer hangs. They take seconds; a machine that does much else at once may take minutes.
const TIME_MAX: Duration = Duration::from_secs(900);

/// A property to be tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Property {
    /// The test that it is, to be named in the command that replays it.
    pub(crate) test: &'static str,
    pub(crate) cases: u32,
    /// Where seeds of failures are kept, to be tried first ever after.
    pub(crate) regressions: &'static str,
}

impl Property {
    /// Tries so many cases, or `PROPTEST_CASES` of them, from a seed that is new each time unless `PROPTEST_RNG_SEED`
    /// gives one.
    ///
    /// # Panics
    ///
    /// When a case fails or hangs: with the smallest one found that does, the seed, and the command that replays it.
    pub(crate) fn hold<S: Strategy>(
        self,
        strategy: impl FnOnce() -> S + Send + 'static,
        check: impl Fn(S::Value) + Send + 'static,
    ) {
        let given = ProptestConfig::default();
        let seed = match given.rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => fresh_seed(),
        };
        let cases = if std::env::var_os("PROPTEST_CASES").is_some() { given.cases } else { self.cases };
        let replay = format!(
            "PROPTEST_RNG_SEED={seed} PROPTEST_CASES={cases} cargo test -p slice-engine --test model {}",
            self.test
        );
        let config = ProptestConfig {
            cases,
            rng_seed: RngSeed::Fixed(seed),
            failure_persistence: Some(Box::new(FileFailurePersistence::Direct(self.regressions))),
            ..given
        };
        let outcome =
            bounded(&replay, move || try_all(config, &strategy(), check).map_err(|fail| fail.to_string()));
        if let Err(failure) = outcome {
            panic!("{failure}\nreplay: {replay}");
        }
    }
}

/// A case that fails, of some hundreds from a fixed seed, shrunk with so many tries; `None` when none does.
///
/// It takes at least one try: the state machine refuses to give a failure as it was first found.
pub(crate) fn find_failure<S: Strategy<Value: Send + 'static>>(
    strategy: impl FnOnce() -> S + Send + 'static,
    check: impl Fn(S::Value) + Send + 'static,
    shrinks: u32,
) -> Option<S::Value> {
    let config = ProptestConfig {
        cases: 300,
        max_shrink_iters: shrinks,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    match bounded("the seed is 1", move || try_all(config, &strategy(), check)) {
        Ok(()) => None,
        Err(TestError::Fail(_, smallest)) => Some(smallest),
        Err(TestError::Abort(reason)) => panic!("no cases: {reason}"),
    }
}

fn fresh_seed() -> u64 {
    let tree = any::<u64>().new_tree(&mut TestRunner::default());
    tree.expect("any number will do").current()
}

fn try_all<S: Strategy>(
    config: ProptestConfig,
    strategy: &S,
    check: impl Fn(S::Value),
) -> Result<(), TestError<S::Value>> {
    TestRunner::new(config).run(strategy, |case| {
        check(case);
        Ok(())
    })
}

/// Runs it on a thread of its own, so that a hang is a failure.
fn bounded<T: Send + 'static>(replay: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let runner = std::thread::spawn(move || {
        // Nobody listens any more once the time is over.
        let _late = sender.send(run());
    });
    match receiver.recv_timeout(TIME_MAX) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs, after {TIME_MAX:?}\nreplay: {replay}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(runner.join().expect_err("it ended without an outcome"))
        }
    }
}
