//! `cargo xtask bench`: the workload driver of `benches/`, built for release; with `--compare` that of `benches/peers`; with
//! `--report` what makes a report of the results of either. With one `--workload` it is one run; with `--workloads` a series
//! of runs, each in a process of its own.

use crate::{cargo, compare, succeed};

/// Arguments that only a series of runs understands.
const SERIES: [&str; 4] = ["--workloads", "--rounds", "--quick", "--engines"];

/// Runs the driver with these arguments, or a comparison or a report if they ask for one.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let Some((stores, rest)) = compare::asked_for(args) {
        return compare::run(&stores, &rest);
    }
    let series = is_series(args).then_some("compare");
    let is_report = args.iter().any(|arg| arg == "--report");
    let program = if is_report { "slice-bench-report" } else { "slice-bench" };
    let driver = ["run", "--release", "--package", "slice-benches", "--bin", program, "--"];
    let rest = args.iter().map(String::as_str).filter(|arg| *arg != "--report");
    succeed(cargo(driver.into_iter().chain(series).chain(rest)))
}

fn is_series(args: &[String]) -> bool {
    args.iter().any(|arg| SERIES.iter().any(|of_series| arg.starts_with(of_series)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_workloads_are_a_series_and_one_is_a_run() {
        let is_series = |line: &str| is_series(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(
            is_series("--workloads all") && is_series("--keys 5 --workloads=a,b") && is_series("--quick")
        );
        assert!(!is_series("--workload fillseq --engine slice-async") && !is_series("--help"));
    }
}
