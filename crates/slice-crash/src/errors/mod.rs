//! An error of the disk at every operation: nothing is lost, nobody hangs, and it heals as it is documented to.
//!
//! A seeded workload runs once on a sound disk, to count what it asks of it. Then it runs again for each of these
//! operations, which fails in each of four ways, once or until the disk is healed:
//!
//! ```text
//!   operation      0   1   2   3   4   5   6   7 ...            one case: operation 4, EIO, for ever
//!   workload       put-----flush-------x-->x-->x-->  heal  -->  goes on  -->  reopen
//!                                      |   |   |      |            |            |
//!   the call gives                     a typed error  |            |            |
//!   a power failure here               loses nothing  |            |            loses nothing
//!   reads                              go on          |            succeeds     see all of it
//! ```
//!
//! What is checked of each case is listed in `session`, `healing` and `watch`. `pool` runs the cases, under a watchdog,
//! because a hang is a failure, too.

mod case;
mod healing;
mod model;
mod pool;
mod report;
mod session;
mod store;
mod watch;
mod workload;

use std::ops::Range;
use std::time::Duration;

use slice::Background;
#[cfg(feature = "planted-bugs")]
use slice::planted::Bug;

pub use case::{Case, Failure, Lane};
pub use report::Report;

use store::Settings;
use workload::Workload;

/// What is tried.
#[derive(Clone, Debug)]
pub struct Config {
    /// A workload for each; the options of its store come from the seed, too.
    pub seeds: Range<u64>,
    /// With [`Background::Inline`] a seed is repeatable. With threads the n-th operation is not always the same.
    pub background: Background,
    /// Every how many operations one fails: 1 for all of them.
    pub stride: u64,
    /// Only this operation, counted from 0 among those that change something and among those that read.
    pub only_op: Option<u64>,
    /// How long one case may take: a hang is a failure.
    pub case_limit: Duration,
    /// A bug to give to each store, to see whether it is found.
    #[cfg(feature = "planted-bugs")]
    pub bug: Option<Bug>,
    /// Whether the disk lies about the failed operations that it can lie about, and reports success: then there must be
    /// a failure.
    pub lies: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seeds: 1..2,
            background: Background::Inline,
            stride: 1,
            only_op: None,
            case_limit: Duration::from_secs(60),
            #[cfg(feature = "planted-bugs")]
            bug: None,
            lies: false,
        }
    }
}

/// Runs all cases.
///
/// # Errors
///
/// The first case that went wrong, and how.
pub fn run(config: &Config) -> Result<Report, Failure> {
    let mut report = Report::default();
    for seed in config.seeds.clone() {
        let workload = Workload::new(seed, Settings::of(seed, config));
        let sound = Case::without_fault(seed);
        let counts = pool::run(vec![sound], &workload, config.case_limit)?.operations;
        let cases = case::all(seed, counts, config);
        report.add(pool::run(cases, &workload, config.case_limit)?);
    }
    Ok(report)
}
