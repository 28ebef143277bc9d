//! One case: which operation fails, and how. And what went wrong in it.

use std::fmt;

use slice::vfs::{Fault, FaultFs, Span};

use super::Config;

/// Which of the two counts of a [`FaultFs`] an operation has its number in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Operations that change something.
    Changes,
    /// Operations that read.
    Reads,
}

/// How the chosen operation fails, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) lane: Lane,
    pub(super) operation: u64,
    pub(super) fault: Fault,
    pub(super) span: Span,
}

impl Plan {
    pub(super) fn arm(&self, faults: &FaultFs) {
        match self.lane {
            Lane::Changes => faults.fail_at_for(self.operation, self.fault, self.span),
            Lane::Reads => faults.fail_read_at_for(self.operation, self.fault, self.span),
        }
    }

    /// Whether nobody is to hear of it, because trying again helps.
    pub(super) fn is_hidden(&self) -> bool {
        (self.fault, self.span) == (Fault::Interrupted, Span::Once)
    }
}

/// A run of a workload, with one operation that fails, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Of the workload.
    pub seed: u64,
    pub(super) plan: Option<Plan>,
}

impl Case {
    pub(super) fn without_fault(seed: u64) -> Self {
        Self { seed, plan: None }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Plan { lane, operation, fault, span }) = &self.plan else {
            return write!(f, "seed {}, no fault", self.seed);
        };
        write!(f, "seed {}, operation {operation} of the {lane:?}, {fault:?}, {span:?}", self.seed)
    }
}

/// A case in which a promise was broken.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where.
    pub case: Case,
    /// Which promise, and how.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}\nreplay: cargo xtask crash --errors --seed {}",
            self.case, self.message, self.case.seed
        )?;
        self.case.plan.map_or(Ok(()), |plan| write!(f, " --only-op {}", plan.operation))
    }
}

impl std::error::Error for Failure {}

const FAULTS: [Fault; 4] = [Fault::Eio, Fault::Enospc, Fault::ShortWrite, Fault::Interrupted];

/// How many operations a workload takes: those that change something, and those that read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Operations {
    pub(super) changes: u64,
    pub(super) reads: u64,
}

/// The cases of a seed: every operation, every fault, once and for ever.
pub(super) fn all(seed: u64, counts: Operations, config: &Config) -> Vec<Case> {
    let faults = if config.lies { &[Fault::Silent][..] } else { &FAULTS };
    let lanes = [(Lane::Changes, counts.changes), (Lane::Reads, counts.reads)];
    let mut cases = Vec::new();
    for (lane, count) in lanes {
        // A different residue for each seed, so that a stride leaves nothing out for good.
        let chosen = (0..count).filter(|n| (n + seed).is_multiple_of(config.stride));
        for operation in chosen.filter(|n| config.only_op.is_none_or(|only| only == *n)) {
            for fault in faults.iter().copied() {
                // Half a write is no way for a read to fail.
                let spans = if lane == Lane::Reads && fault == Fault::ShortWrite {
                    &[][..]
                } else {
                    &[Span::Once, Span::Forever]
                };
                let plan = |span| Plan { lane, operation, fault, span };
                cases.extend(spans.iter().map(|span| Case { seed, plan: Some(plan(*span)) }));
            }
        }
    }
    cases
}
