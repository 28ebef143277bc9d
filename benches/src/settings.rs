//! What can be set about a run, on the command line or by a program.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::keys::MIN_VALUE_BYTES;
use crate::knobs::Knobs;
use crate::meter::Limit;
use crate::plan::Plan;
use crate::workload::Workload;

const KEYS: std::ops::RangeInclusive<u64> = 1..=1 << 32;
/// The block cache of a store whose reads are to come from the disk.
const COLD_CACHE_MIB: usize = 8;
const CLIENTS: std::ops::RangeInclusive<u64> = 1..=10_000;

/// What is alike in all runs of a series.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags of a command line")]
pub struct Settings {
    /// How many keys there are.
    #[arg(long, visible_alias = "num", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(KEYS))]
    pub keys: u64,
    /// How many operations are done; as many as there are keys if it is left out.
    #[arg(long)]
    pub ops: Option<u64>,
    /// How long operations are done, in place of how many; fills that write every key once are not bounded so.
    #[arg(long, conflicts_with = "ops")]
    pub seconds: Option<f64>,
    /// The bytes of a value, 32 at least; what the workload is made for if it is left out, mostly 100.
    #[arg(long)]
    pub value_bytes: Option<usize>,
    /// How long random keys are read before the run, if it reads.
    #[arg(long, default_value_t = 0.0)]
    pub warmup: f64,
    /// Have the system forget the store's files, again and again: what is not in the store's own caches comes from the
    /// disk. The block cache has 8 MiB at most then.
    #[arg(long)]
    pub cold: bool,
    /// Overwrite as many bytes as the store has this many times before the run, if it writes to a loaded store: memtables,
    /// levels and debts are then as in a store that has been written to for long.
    #[arg(long, default_value_t = 0)]
    pub steady: u64,
    /// Measure how late another task on the clients' runtime is, for stores whose clients are tasks.
    #[arg(long)]
    pub neighbour: bool,
    /// Compact everything at the end.
    #[arg(long)]
    pub compact: bool,
    /// Read every key at the end, and check its value.
    #[arg(long)]
    pub verify: bool,
    /// What all choices follow from.
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Threads of the async runtime, for stores that have one; one for each processor if it is left out.
    #[arg(long)]
    pub workers: Option<usize>,
    /// How the store is opened.
    #[command(flatten)]
    pub knobs: Knobs,
}

/// One run: what is measured in one process.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// What is done.
    #[arg(long, value_enum)]
    pub workload: Workload,
    /// How many clients do it side by side.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(CLIENTS))]
    pub clients: u64,
    /// Which repetition it is: each has choices of its own.
    #[arg(long, default_value_t = 0)]
    pub round: u64,
    /// Where the store is made, and left; if it is left out, in a temporary directory that is removed.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// The keys are in --dir already, from fillseq or fillrandom-distinct with the same --keys, --seed, --value-bytes.
    #[arg(long, requires = "dir")]
    pub existing: bool,
    /// Die in place of settling: what a crash leaves is opened by another run, whose `open_s` says how long that takes.
    #[arg(long, requires = "dir")]
    pub crash: bool,
    /// What is alike in all runs of a series.
    #[command(flatten)]
    pub settings: Settings,
}

impl RunArgs {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    ///
    /// What it is.
    pub fn check(&self) -> anyhow::Result<()> {
        let Settings { keys, ops, .. } = self.settings;
        ensure!(self.value_bytes() >= MIN_VALUE_BYTES, "--value-bytes is {MIN_VALUE_BYTES} at least");
        ensure!((1..=keys).contains(&self.clients), "--clients is 1 to --keys");
        ensure!(!self.workload.fills_once() || ops.is_none(), "--ops of this workload is --keys");
        ensure!(!(self.workload.fills() && self.existing), "a fill starts with an empty store");
        let writes_to_a_loaded_store = !self.workload.fills() && !self.workload.only_reads();
        ensure!(
            writes_to_a_loaded_store || self.settings.steady == 0,
            "--steady is for workloads that overwrite"
        );
        Ok(())
    }

    /// The bytes of a value.
    pub fn value_bytes(&self) -> usize {
        self.settings.value_bytes.or(self.workload.value_bytes()).unwrap_or(100)
    }

    /// The operations.
    ///
    /// # Panics
    ///
    /// Panics if [`check`](Self::check) refuses these settings.
    pub fn plan(&self) -> Plan {
        let Settings { keys, seed, .. } = self.settings;
        Plan::new(self.workload, keys, self.clients, self.value_bytes(), seed).round(self.round)
    }

    /// When the run is over.
    pub fn limit(&self) -> Limit {
        let Settings { keys, ops, seconds, .. } = self.settings;
        match seconds.filter(|_| !self.workload.fills_once()) {
            Some(seconds) => Limit { ops: u64::MAX, deadline_ns: (seconds * 1e9) as u64 },
            None => Limit { ops: ops.unwrap_or(keys), deadline_ns: u64::MAX },
        }
    }

    /// How the store is opened.
    pub fn knobs(&self) -> Knobs {
        let durability = self.workload.durability().unwrap_or(self.settings.knobs.durability);
        let cache_max = if self.settings.cold { COLD_CACHE_MIB } else { usize::MAX };
        let cache_mib = self.settings.knobs.cache_mib.min(cache_max);
        Knobs { durability, cache_mib, ..self.settings.knobs.clone() }
    }
}
