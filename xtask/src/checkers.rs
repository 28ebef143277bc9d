//! Builds for model checkers and sanitizers: `cargo xtask loom | shuttle | sanitize`.
//!
//! Each has a target folder of its own, since its flags are those of every crate.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::{cargo, root, succeed};

/// The tool that watches the threads' or the memory's use while all tests run.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Sanitizer {
    /// Memory that is used after it was freed, or beyond its end; leaks.
    Address,
    /// Memory that two threads use at once, one of them to write.
    Thread,
}

/// Tests that a sanitizer cannot run, with the reason.
const SKIPPED_WITH_ADDRESS: [(&str, &str); 1] = [(
    "a_length_field_does_not_allocate_gigabytes",
    "it bounds the address space, of which the sanitizer needs terabytes",
)];
const SKIPPED_WITH_THREAD: [(&str, &str); 0] = [];

/// Runs the models of the crates under loom.
pub(crate) fn loom(args: &[String]) -> anyhow::Result<()> {
    let models = ["--package", "slice-cache", "--package", "slice-wal", "--package", "slice-engine"];
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

/// Runs all tests of the libraries once under a sanitizer.
///
/// The sanitizers of a stable compiler are behind the switch for its own bootstrap. The standard library is not built
/// for them, and what it does to memory goes unseen. ThreadSanitizer does not see either how a contended lock or a
/// condition orders threads, which the standard library does inside: what it reports about data under a lock is to be
/// read with that in mind, and to be believed only with a standard library built for it.
pub(crate) fn sanitize(sanitizer: Sanitizer) -> anyhow::Result<()> {
    let (name, flags, skipped) = match sanitizer {
        Sanitizer::Address => ("address", "-Zsanitizer=address", &SKIPPED_WITH_ADDRESS[..]),
        Sanitizer::Thread => {
            ("thread", "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer", &SKIPPED_WITH_THREAD[..])
        }
    };
    let mut command = cargo(["test", "--workspace", "--exclude", "xtask", "--tests", "--no-fail-fast"]);
    command.arg("--target-dir").arg(target_dir(name));
    // With a target named, build scripts and macros, which run in the compiler, are built without.
    command.args(["--target", &host()?]).args(["--", "--quiet"]);
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", flags).env("TSAN_OPTIONS", tsan_options());
    for (test, reason) in skipped {
        eprintln!("skipped: {test}: {reason}");
        command.args(["--skip", test]);
    }
    succeed(command)
}

fn tsan_options() -> String {
    format!("suppressions={}", root().join("xtask/src/tsan.supp").display())
}

/// A folder in that of all builds.
fn target_dir(name: &str) -> PathBuf {
    let all = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    all.join(name)
}

/// The target that the compiler builds for by itself.
fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").args(["--print", "host-tuple"]).current_dir(root()).output();
    let output = output.context("could not ask rustc for its host")?;
    ensure!(output.status.success(), "rustc does not say what its host is");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
