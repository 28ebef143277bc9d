//! The repository's own chores: `cargo xtask ci | tidy | examples | bench | loom | shuttle | sanitize`. `cargo xtask help` says more.

mod bench;
mod checkers;
mod ci;
mod compare;
mod crash;
mod examples;
mod fuzz;
mod sanitize;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use clap::Parser;

/// The chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    /// Runs everything that has to pass before a change goes in, and stops at the first failure.
    Ci,
    /// Checks the rules of the repository that neither the compiler nor clippy knows.
    Tidy,
    /// Runs every example, each in an empty folder.
    Examples,
    /// Fuzzes the decoders.
    Fuzz(fuzz::Args),
    /// Looks for a crash that loses something, with the arguments that follow; `--real` tries real processes.
    #[command(disable_help_flag = true)]
    Crash {
        /// What the harness is told; `--help` says what it understands.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Builds the workload driver for release and runs it, with the arguments that follow: `--workload W` for one run,
    /// `--workloads W,W@CLIENTS,...` or `--workloads all` for a series of them; `--compare rocksdb,fjall` compares slice
    /// with other stores, `--report results.json` makes a report of results.
    #[command(disable_help_flag = true)]
    Bench {
        /// What the driver is told; `--help` says what it understands.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Tries all orders of threads, up to a bound, in small programs that use the real code.
    Loom {
        /// What the tests are told: a name, `--nocapture`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs the engine with its threads under thousands of schedules.
    Shuttle {
        /// What the tests are told: a name, `--nocapture`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs all tests of the workspace once under a sanitizer, which first has to find bugs that are planted for it.
    Sanitize(sanitize::Args),
}

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::Ci => ci::run(),
        Chore::Tidy => tidy::run(root()),
        Chore::Examples => examples::run(),
        Chore::Fuzz(args) => fuzz::run(&args),
        Chore::Crash { args } => crash::run(&args),
        Chore::Bench { args } => bench::run(&args),
        Chore::Loom { args } => checkers::loom(&args),
        Chore::Shuttle { args } => checkers::shuttle(&args),
        Chore::Sanitize(args) => sanitize::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that `Debug` may add: no one looks for a failed step in this program.
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// A folder in that of all builds, for builds whose flags are those of every crate.
fn target_dir(name: &str) -> PathBuf {
    let all = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    all.join(name)
}

/// Cargo, as the one that started us, with these arguments, to be run in the workspace.
fn cargo<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs a command and waits for it.
fn succeed(mut command: Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("could not start {command:?}"))?;
    ensure!(status.success(), "failed with {status}: {command:?}");
    Ok(())
}
