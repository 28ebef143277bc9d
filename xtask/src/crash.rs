//! `cargo xtask crash`: the crash harnesses of `slice-crash`, built for release.

use crate::{cargo, succeed};

/// Runs the harnesses with these arguments.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let harness = ["run", "--release", "--quiet", "--package", "slice-crash", "--bin", "slice-crash", "--"];
    succeed(cargo(harness.into_iter().chain(args.iter().map(String::as_str))))
}
