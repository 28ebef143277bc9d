//! The commands on the files of a store that nobody has open.
//!
//! Invariant: nothing in the store's directory is changed.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Subcommand;

/// What to do with the files.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Reads every file of the store and prints all that is wrong; exit code 1 if anything is lost.
    Verify,
    /// Saves what can be read of a damaged store into a new one; exit code 1 if it is not all.
    Repair {
        /// The directory of the new store: new or empty.
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
    },
}

pub(crate) fn run(path: &Path, command: &Command) -> Result<()> {
    match command {
        Command::Verify => verify(path),
        Command::Repair { into } => repair(path, into),
    }
}

fn verify(path: &Path) -> Result<()> {
    let report = slice::verify(path)?;
    println!("{report}");
    ensure!(report.is_clean(), "the store is damaged; `slice repair --into DIR` saves what can be read");
    Ok(())
}

fn repair(path: &Path, into: &Path) -> Result<()> {
    let report = slice::repair(path, into)?;
    println!("{report}");
    ensure!(report.is_complete(), "not all could be saved, or it is not certain");
    Ok(())
}
