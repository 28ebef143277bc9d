//! What the benchmarks and the workload driver share: keys and values, ways to choose keys, workloads, the seam to the
//! stores, and measures of the process.
//!
//! Everything that is chosen is chosen by a seed, so that a run can be repeated, and so that a verification knows
//! what must be there without the run having kept a copy.
//!
//! ```text
//!   cli ── contender ── measure ── client ── plan, workload, distributions      what is done
//!                          │          ├───── engine <── engines::slice, ...      to what
//!                          │          ├───── check, keys                         whether it is right
//!                          │          └───── meter, clock                        how long it took
//!                          ├── verify, disk, process, cold, neighbour
//!                          └── results ── cases, verdicts ──┬── html          what came of it, for people
//!                                                           └── markdown
//! ```

pub mod block_on;
pub mod cases;
pub mod check;
pub mod cli;
pub mod client;
pub mod clock;
pub mod cold;
pub mod compare;
pub mod contender;
pub mod disk;
pub mod distributions;
pub mod engine;
pub mod engines;
pub mod facts;
pub mod html;
pub mod keys;
pub mod knobs;
pub mod machine;
pub mod markdown;
pub mod measure;
pub mod meter;
pub mod neighbour;
pub mod numbers;
pub mod plan;
pub mod process;
pub mod results;
#[cfg(test)]
mod sample;
pub mod settings;
pub mod verdicts;
pub mod verify;
pub mod workload;
