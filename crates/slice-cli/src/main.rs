//! The `slice` command: a demonstration when called alone, and a tool for one store with `--path`.
//!
//! Invariant: whatever fails ends with one line on stderr and exit code 1.

#![expect(
    clippy::disallowed_methods,
    reason = "a program reads text, times itself and is no part of the store"
)]

mod commands;
mod demo;
mod files;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

/// An embedded key-value store: a demonstration of it, and a tool for its directories.
#[derive(Parser)]
#[command(name = "slice", version)]
struct Cli {
    /// The store that a command works on.
    #[arg(long, global = true, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Keys and values are written in hex, on the command line and in the output.
    #[arg(long, global = true)]
    hex: bool,
    #[command(flatten)]
    demo: demo::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Store(commands::Command),
    #[command(flatten)]
    Files(files::Command),
    /// Writes until it is killed; started by the demonstration.
    #[command(hide = true)]
    CrashChild { dir: PathBuf },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("slice: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Some(Command::CrashChild { dir }) => demo::crash::child(&dir),
        Some(Command::Store(command)) => commands::run(&store(cli.path)?, cli.hex, &command),
        Some(Command::Files(command)) => files::run(&store(cli.path)?, &command),
        None if cli.path.is_some() => {
            bail!("--path needs a command: put, get, delete, flush, compact, stats, verify or repair")
        }
        None => demo::run(&cli.demo),
    }
}

fn store(path: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    path.context("say which store with --path DIR")
}
