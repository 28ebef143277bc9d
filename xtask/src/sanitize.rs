//! `cargo xtask sanitize`: all tests once under a sanitizer.
//!
//! 1. The standard library is built with the sanitizer, too, from its sources. Otherwise ThreadSanitizer does not see
//!    how a contended lock, a condition or a channel orders threads, and takes sound code for races.
//! 2. The sanitizer has to find bugs that are made for it, and to be silent about code that is known to be sound.
//! 3. The tests run. Reports go to files, so that one of a process that a test has started and killed counts as well.
//!
//! Nothing is suppressed. The tests that are left out are below, with the reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::{cargo, root, succeed, target_dir};

/// What to look for, and where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which one.
    sanitizer: Sanitizer,
    /// What `cargo test` is told: `--package slice-wal`, `--test model`, `-- a_test`. Without it: all tests.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// The tool that watches the threads' or the memory's use while the tests run.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Sanitizer {
    /// Memory that is used after it was freed, or beyond its end; leaks.
    Address,
    /// Memory that two threads use at once, one of them to write.
    Thread,
}

/// A test that a sanitizer cannot run.
struct Skipped {
    test: &'static str,
    reason: &'static str,
}

/// What tells `cargo test` which targets to build.
const TARGETS: [&str; 5] = ["--test", "--tests", "--lib", "--bin", "--bins"];

const BOUNDED_MEMORY: Skipped = Skipped {
    test: "a_length_field_does_not_allocate_gigabytes",
    reason: "it bounds the address space, of which the sanitizer needs terabytes",
};
const COUNTED_MEMORY: Skipped = Skipped {
    test: "memory_is_what_it_says_and_lookups_take_none",
    reason: "crossbeam-epoch replaces a fence that ThreadSanitizer does not know by a list, which is memory",
};
const MEASURED_MEMORY: Skipped = Skipped {
    test: "a_store_stays_within_its_memory_budget",
    reason: "it measures the memory of its process, of which the sanitizer's own is the most",
};
const ONE_THREAD: Skipped = Skipped {
    test: "an_error_at_any_operation_loses_nothing_and_heals",
    reason: "its 20,000 stores have no threads, and take minutes; the same errors in stores with threads are tried",
};

const UNDER_STRACE: Skipped = Skipped {
    test: "a_failed_sync_that_is_not_told_is_found",
    reason: "its process is run by strace, under which the search for leaks cannot work",
};

impl Sanitizer {
    fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Thread => "thread",
        }
    }

    fn skipped(self) -> &'static [Skipped] {
        match self {
            Self::Address => &[BOUNDED_MEMORY, MEASURED_MEMORY, UNDER_STRACE],
            Self::Thread => &[BOUNDED_MEMORY, COUNTED_MEMORY, MEASURED_MEMORY, ONE_THREAD],
        }
    }

    /// The planted bugs, and what a report of each says.
    fn bites(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Address => &[
                ("use-after-free", "AddressSanitizer: heap-use-after-free"),
                ("overrun", "AddressSanitizer: heap-buffer-overflow"),
                ("leak", "LeakSanitizer: detected memory leaks"),
            ],
            Self::Thread => {
                &[("race", "ThreadSanitizer: data race"), ("unpublished", "ThreadSanitizer: data race")]
            }
        }
    }

    /// The variable with the sanitizer's options.
    fn options_variable(self) -> &'static str {
        match self {
            Self::Address => "ASAN_OPTIONS",
            Self::Thread => "TSAN_OPTIONS",
        }
    }

    /// Cargo, told to build for the sanitizer.
    ///
    /// The sanitizers of a stable compiler are behind the switch for its own bootstrap, as is building its library.
    fn cargo(self, subcommand: &str, host: &str) -> Command {
        // With a target named, build scripts and macros, which run in the compiler, are built without.
        let mut command =
            cargo([subcommand, "--profile", "sanitize", "-Zbuild-std", "--target", host, "--target-dir"]);
        command.arg(target_dir(self.name()));
        command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", format!("-Zsanitizer={}", self.name()));
        command
    }
}

/// Runs all tests, or those that are asked for.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (sanitizer, host) = (args.sanitizer, ask_rustc("host-tuple")?);
    install_sources()?;
    bites(sanitizer, &host)?;
    let reports = Reports::none_in(target_dir(sanitizer.name()).join("reports"))?;
    let tests = test(sanitizer, &host, &reports, &args.args);
    reports.ensure_none()?;
    tests
}

/// Has the sources of the standard library installed when they are missing.
fn install_sources() -> anyhow::Result<()> {
    let sources = Path::new(&ask_rustc("sysroot")?).join("lib/rustlib/src/rust/library/Cargo.lock");
    if sources.exists() {
        return Ok(());
    }
    eprintln!("the sources of the standard library are missing, and are installed");
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add", "rust-src"]).current_dir(root());
    succeed(rustup).context("a sanitizer needs the sources of the standard library, rustup's `rust-src`")?;
    ensure!(sources.exists(), "rustup has installed `rust-src`, but there is no {}", sources.display());
    Ok(())
}

/// Ensures that the sanitizer finds bugs and knows sound code: else what it says about the tests means nothing.
fn bites(sanitizer: Sanitizer, host: &str) -> anyhow::Result<()> {
    for (bug, report) in sanitizer.bites() {
        let output = bite(sanitizer, host, bug).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let is_found = !output.status.success() && said.contains(report);
        ensure!(is_found, "the planted bug `{bug}` is not found:\n{said}");
        eprintln!("found, as it should be: {bug}");
    }
    succeed(bite(sanitizer, host, "sound")).context("the sanitizer complains about sound code")
}

fn bite(sanitizer: Sanitizer, host: &str, bug: &str) -> Command {
    let mut command = sanitizer.cargo("run", host);
    command.args(["--quiet", "--package", "sanitizer-bites", "--", bug]);
    command
}

fn test(sanitizer: Sanitizer, host: &str, reports: &Reports, args: &[String]) -> anyhow::Result<()> {
    let mut command = sanitizer.cargo("test", host);
    command.arg("--no-fail-fast").env(sanitizer.options_variable(), reports.options());
    if !args.iter().any(|arg| TARGETS.contains(&arg.as_str())) {
        // Doc tests are left out: they are built without the flags.
        command.arg("--tests");
    }
    if args.is_empty() {
        command.args(["--workspace", "--exclude", "xtask"]);
    }
    command.args(args);
    if !args.iter().any(|arg| arg == "--") {
        command.arg("--");
    }
    for Skipped { test, reason } in sanitizer.skipped() {
        eprintln!("skipped: {test}: {reason}");
        command.args(["--skip", test]);
    }
    succeed(command)
}

/// The folder of the sanitizer's reports: one file for each process that has any.
struct Reports {
    folder: PathBuf,
}

impl Reports {
    /// The folder, without reports of earlier runs.
    #[expect(clippy::disallowed_methods, reason = "the reports are no store's")]
    fn none_in(folder: PathBuf) -> anyhow::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("could not empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// The sanitizer's options that make it write here.
    fn options(&self) -> String {
        format!("log_path={}:log_exe_name=1", self.folder.join("report").display())
    }

    /// Prints all reports, and fails if there are any.
    #[expect(clippy::disallowed_methods, reason = "the reports are no store's")]
    fn ensure_none(&self) -> anyhow::Result<()> {
        let mut count = 0;
        for file in fs::read_dir(&self.folder)? {
            eprintln!("{}", String::from_utf8_lossy(&fs::read(file?.path())?));
            count += 1;
        }
        ensure!(count == 0, "{count} processes have reports, in {}", self.folder.display());
        Ok(())
    }
}

/// What `rustc --print` says.
fn ask_rustc(what: &str) -> anyhow::Result<String> {
    let output = Command::new("rustc").args(["--print", what]).current_dir(root()).output();
    let output = output.with_context(|| format!("could not ask rustc for its {what}"))?;
    ensure!(output.status.success(), "rustc does not say what its {what} is");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
