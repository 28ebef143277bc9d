//! `cargo xtask bench`: the workload driver of `benches/`, built for release; with `--compare` that of `benches/peers`; with
//! `--report` what makes a report of the results of either.

use crate::{cargo, compare, succeed};

/// Runs the driver with these arguments, or a comparison or a report if they ask for one.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let Some((stores, rest)) = compare::asked_for(args) {
        return compare::run(&stores, &rest);
    }
    let is_report = args.iter().any(|arg| arg == "--report");
    let program = if is_report { "slice-bench-report" } else { "slice-bench" };
    let driver = ["run", "--release", "--package", "slice-benches", "--bin", program, "--"];
    let rest = args.iter().map(String::as_str).filter(|arg| *arg != "--report");
    succeed(cargo(driver.into_iter().chain(rest)))
}
