//! `cargo xtask bench`: the workload driver of `benches/`, built for release; with `--compare` that of `benches/peers`.

use crate::{cargo, compare, succeed};

/// Runs the driver with these arguments, or a comparison if they ask for one.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let Some((stores, rest)) = compare::asked_for(args) {
        return compare::run(&stores, &rest);
    }
    let driver = ["run", "--release", "--package", "slice-benches", "--bin", "slice-bench", "--"];
    succeed(cargo(driver.into_iter().chain(args.iter().map(String::as_str))))
}
