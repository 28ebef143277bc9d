//! `cargo xtask bench`: the workload driver of `benches/`, built for release.

use crate::{cargo, succeed};

/// Runs the driver with these arguments.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let driver = ["run", "--release", "--package", "slice-benches", "--bin", "slice-bench", "--"];
    succeed(cargo(driver.into_iter().chain(args.iter().map(String::as_str))))
}
