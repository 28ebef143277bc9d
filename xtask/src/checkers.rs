//! Builds for model checkers: `cargo xtask loom | shuttle`.

use std::process::Command;

use crate::{cargo, succeed, target_dir};

/// Runs the models of the crates under loom.
pub(crate) fn loom(args: &[String]) -> anyhow::Result<()> {
    let models = ["slice-cache", "slice-wal", "slice-memtable", "slice-engine"];
    let models = models.iter().flat_map(|name| ["--package", name]);
    let mut command = checked("loom");
    command.args(models).args(["--lib", "models::", "--"]).args(args);
    succeed(command)
}

/// Runs the engine under shuttle's schedulers.
pub(crate) fn shuttle(args: &[String]) -> anyhow::Result<()> {
    let mut command = checked("shuttle");
    command.args(["--package", "slice-engine", "--test", "shuttle", "--"]).args(args);
    succeed(command)
}

/// A test run for release, in the build for this checker.
fn checked(name: &str) -> Command {
    let mut command = cargo(["test", "--release", "--quiet", "--target-dir"]);
    command.arg(target_dir(name)).env("RUSTFLAGS", format!("--cfg slice_{name}"));
    command
}
