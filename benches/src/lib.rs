//! What the benchmarks and the workload driver share: keys and values, ways to choose keys, workloads, and measures
//! of the process.
//!
//! Everything that is chosen is chosen by a seed, so that a run can be repeated, and so that a verification knows
//! what must be there without the run having kept a copy.

pub mod client;
pub mod clock;
pub mod disk;
pub mod distributions;
pub mod driver;
pub mod keys;
pub mod latency;
pub mod process;
pub mod report;
pub mod verify;
pub mod workload;
