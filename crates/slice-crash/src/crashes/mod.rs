//! A crash of the store at every operation: what was durable is there, and the rest is a gapless prefix.
//!
//! A seeded workload runs once over a recording disk, and every crash of it is tried (see [`crate::enumerate`]):
//!
//! ```text
//!   commits   0 ─────────── durable ─────────── begun
//!             └── must all ──┘└──── may, from ────┘
//!                 be there          the left
//! ```
//!
//! `workload` is what is done and under which options, `written` what must and may be left of it, `copies` the same for
//! checkpoints, `oracle` opens a disk and compares, `mutants` leaves out one sync after the other.

mod copies;
pub mod mutants;
mod oracle;
mod settings;
mod workload;
mod written;

use std::fmt;

use crate::enumerate::{Enumeration, Failure};
use oracle::Oracle;
use workload::Recorded;

/// A workload, and which of its crashes are tried.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Decides the options of the store, what is done to it, and what crashes leave.
    pub seed: u64,
    /// How many steps the workload has.
    pub ops: u64,
    /// Only the crashes behind this operation of the disk.
    pub only_op: Option<u64>,
    /// Whether some recoveries are crashed in turn, at every one of their operations; and some recoveries of those.
    pub crash_recoveries: bool,
    /// A bug to give to the store, to see whether it is found.
    #[cfg(feature = "planted-bugs")]
    pub bug: Option<slice::planted::Bug>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            ops: 40,
            only_op: None,
            crash_recoveries: true,
            #[cfg(feature = "planted-bugs")]
            bug: None,
        }
    }
}

/// What was tried, when nothing was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Workloads that were run.
    pub workloads: u64,
    /// Operations of the disk that they needed.
    pub operations: u64,
    /// States of the disk after a crash that were opened and checked.
    pub points: u64,
    /// Those of them that a crash in a recovery left.
    pub in_recoveries: u64,
}

impl Report {
    /// Adds what another run tried.
    pub fn add(&mut self, other: Self) {
        self.workloads += other.workloads;
        self.operations += other.operations;
        self.points += other.points;
        self.in_recoveries += other.in_recoveries;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workloads, operations, points, in_recoveries } = self;
        write!(
            f,
            "{points} crash points ({in_recoveries} of them in recoveries) of {operations} operations of \
             {workloads} workloads"
        )
    }
}

/// A crash that lost something, and how to see it again.
#[derive(Clone, Debug)]
pub struct Lost {
    /// The workload.
    pub config: Config,
    /// The crash, and what was wrong.
    pub failure: Box<Failure>,
    /// The options of the store, for people.
    pub settings: String,
    /// Whether the same seed gives the same operations.
    pub is_repeatable: bool,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { seed, ops, .. } = self.config;
        let operation = self.failure.point.operation.index;
        writeln!(f, "seed {seed}, {}", self.failure)?;
        writeln!(f, "the store: {}", self.settings)?;
        write!(f, "to replay: cargo xtask crash --seed {seed} --ops {ops} --only-op {operation}")?;
        if !self.is_repeatable {
            write!(f, "\n(its threads may do other operations each time: leave out --only-op then)")?;
        }
        Ok(())
    }
}

impl std::error::Error for Lost {}

/// Runs a workload, and tries every crash of it.
///
/// # Errors
///
/// The first crash that lost something.
///
/// # Panics
///
/// When the store fails on a disk that is sound.
pub fn run(config: &Config) -> Result<Report, Box<Lost>> {
    check(config, &Recorded::new(config), None)
}

/// Tries every crash of a recorded workload, with the syncs of one site left out, if one is given.
fn check(
    config: &Config,
    recorded: &Recorded,
    mutant: Option<slice::vfs::SyncSite>,
) -> Result<Report, Box<Lost>> {
    let mut enumeration = Enumeration::new(recorded.history.clone(), config.seed).only(config.only_op);
    if let Some(site) = mutant {
        enumeration = enumeration.ignoring(site);
    }
    let mut oracle = Oracle::new(recorded, config);
    let points = enumeration.check(|point, disk| oracle.check(point, disk)).map_err(|failure| {
        let settings = &recorded.settings;
        let (text, is_repeatable) = (format!("{settings:?}"), settings.is_repeatable());
        Box::new(Lost { config: *config, failure, settings: text, is_repeatable })
    })?;
    let in_recoveries = oracle.in_recoveries();
    let operations = recorded.history.len() as u64;
    Ok(Report { workloads: 1, operations, points: points + in_recoveries, in_recoveries })
}
