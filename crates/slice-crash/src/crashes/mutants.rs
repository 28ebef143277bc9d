//! The proof that the crashes bite: a store that forgets one of its syncs is caught, whichever it is.
//!
//! What is live does not depend on syncs, so one recorded run serves the mutants of all sites.

use std::fmt;

use slice::vfs::SyncSite;

use super::workload::Recorded;
use super::{Config, Lost, check};

/// What became of the mutant of one site.
#[derive(Debug)]
pub struct Mutant {
    /// The sync that was left out.
    pub site: SyncSite,
    /// The crash that lost something for it; `None` when all is there without the sync.
    pub caught: Option<Box<Lost>>,
    /// How many workloads were needed, or tried.
    pub workloads: u64,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.site;
        match &self.caught {
            Some(lost) => write!(f, "{site:<22} seed {:>3}  {}", lost.config.seed, lost.failure),
            None => write!(f, "{site:<22} NOT CAUGHT by {} workloads", self.workloads),
        }
    }
}

/// Leaves out each sync of the store in turn, in the workloads of `seeds` until a crash loses something.
pub fn run(seeds: std::ops::Range<u64>, config: &Config, mut done: impl FnMut(&Mutant)) -> Vec<Mutant> {
    let recorded: Vec<_> = seeds
        .map(|seed| Config { seed, crash_recoveries: false, ..*config })
        .map(|config| (config, Recorded::new(&config)))
        .collect();
    let mut mutants = Vec::new();
    for site in slice::sync_sites::ALL {
        let mutant = mutant(site, &recorded);
        done(&mutant);
        mutants.push(mutant);
    }
    mutants
}

fn mutant(site: SyncSite, recorded: &[(Config, Recorded)]) -> Mutant {
    let mut workloads = 0;
    for (config, recorded) in recorded {
        workloads += 1;
        if let Err(lost) = check(config, recorded, Some(site)) {
            return Mutant { site, caught: Some(lost), workloads };
        }
    }
    Mutant { site, caught: None, workloads }
}
