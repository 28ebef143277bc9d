//! The commands on one store.
//!
//! Invariant: what only looks, `get` and `stats`, makes no store where there is none.

use std::io::{Write, stdout};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use slice::blocking::LSMTree;

/// What to do with the store.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Sets a key to a value.
    Put { key: String, value: String },
    /// Prints the value of a key as it is, without a line end; exit code 1 if there is none.
    Get { key: String },
    /// Removes a key.
    Delete { key: String },
    /// Writes what is in memory to tables.
    Flush,
    /// Merges all tables into the last level.
    Compact,
    /// Prints the state of the store.
    Stats,
}

/// Opens the store, does it, and closes the store.
pub(crate) fn run(path: &Path, hex: bool, command: &Command) -> Result<()> {
    let create = !matches!(command, Command::Get { .. } | Command::Stats);
    let lsm = LSMTree::builder(path).create_if_missing(create).open_blocking()?;
    let done = act(&lsm, hex, command);
    let closed = lsm.close();
    done.and(closed.map_err(Into::into))
}

fn act(lsm: &LSMTree, hex: bool, command: &Command) -> Result<()> {
    match command {
        Command::Put { key, value } => lsm.put(&bytes(key, hex)?, &bytes(value, hex)?)?,
        Command::Get { key } => {
            let value = lsm.get(&bytes(key, hex)?)?.with_context(|| format!("no such key: {key}"))?;
            print_value(&value, hex)?;
        }
        Command::Delete { key } => lsm.delete(&bytes(key, hex)?)?,
        Command::Flush => lsm.flush()?,
        Command::Compact => lsm.compact()?,
        Command::Stats => lsm.stats().print(),
    }
    Ok(())
}

fn print_value(value: &[u8], hex: bool) -> Result<()> {
    let mut out = stdout().lock();
    if hex {
        for byte in value {
            write!(out, "{byte:02x}")?;
        }
    } else {
        out.write_all(value)?;
    }
    out.flush().context("print the value")
}

/// The bytes that a word on the command line stands for.
fn bytes(word: &str, hex: bool) -> Result<Vec<u8>> {
    if !hex {
        return Ok(word.as_bytes().to_vec());
    }
    let digits: Option<Vec<u8>> =
        word.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.with_context(|| format!("not hex: {word}"))?;
    ensure!(digits.len().is_multiple_of(2), "not hex, an odd number of digits: {word}");
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
