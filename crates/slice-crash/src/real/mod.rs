//! Real processes on a real file system: killed, starved, stopped, and lied to.
//!
//! ```text
//!   parent: what must be there     <- events -      worker: the store
//!           when to kill            - orders ->             writers
//! ```
//!
//! The expected state is kept outside the store, in another process. Moments are random, so a seed replays the writes
//! and the options, not the very instant. A process that dies leaves the page cache behind, so nothing here can see a
//! missing fsync; that is what crash images are for.

mod expected;
mod few_files;
mod full_disk;
mod inject;
mod kills;
mod orphans;
mod process;
mod protocol;
mod stopped;
mod tuning;
mod worker;
mod workload;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

pub use worker::{WorkerArgs, work};

/// A part of the real-process tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// SIGKILL at random moments.
    Kills,
    /// Errors, and SIGKILL, at the n-th system call, by strace.
    Strace,
    /// A full disk, and space again.
    FullDisk,
    /// Few open files.
    FewFiles,
    /// SIGSTOP, and SIGCONT.
    Stopped,
}

impl Part {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 5] = [Self::Kills, Self::Strace, Self::FullDisk, Self::FewFiles, Self::Stopped];
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Args {
    /// The program that understands `worker`, with [`WorkerArgs`]: the `slice-crash` command.
    pub worker: PathBuf,
    /// Decides writes, options and moments.
    pub seed: u64,
    /// How often to kill.
    pub kills: u64,
    /// Up to which call of each kind to inject a fault.
    pub calls: u64,
    /// Further arguments of the workers, such as those that plant a bug.
    pub worker_extra: Vec<String>,
    /// Whether to install what is missing, if that is permitted.
    pub installs: bool,
}

impl Args {
    /// The command of a worker, to which its arguments are added.
    fn command(&self) -> Command {
        Command::new(&self.worker)
    }
}

/// A directory where syncs cost nothing, if there is such a place: to a process that dies, memory is as good as a disk.
fn fast_directory() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? })
}

/// What a part did, in a line for people.
pub type Report = String;

/// Runs one part.
///
/// # Errors
///
/// When the store broke a promise, with what to look at and how to replay it; or when the part could not be run.
pub fn run(part: Part, args: &Args) -> Result<Report> {
    let outcome = match part {
        Part::Kills => kills::run(args),
        Part::Strace => inject::run(args),
        Part::FullDisk => full_disk::run(args),
        Part::FewFiles => few_files::run(args),
        Part::Stopped => stopped::run(args),
    };
    let name = clap::ValueEnum::to_possible_value(&part)
        .map_or_else(String::new, |value| value.get_name().to_owned());
    outcome.with_context(|| format!("replay: cargo xtask crash --real --only {name} --seed {}", args.seed))
}
