//! The command line of a program that measures stores: `slice-bench`, and its like in other workspaces.

use anyhow::Context;
use clap::{Args, Parser};

use crate::compare;
use crate::contender::Contender;
use crate::settings::RunArgs;

/// Does one workload on one store, and says what it took. `compare --help` tells of series of runs.
#[derive(Parser)]
#[command(name = "slice-bench")]
struct Cli {
    #[command(flatten)]
    run: One,
}

/// Compares stores, run by run, in processes of their own.
#[derive(Parser)]
#[command(name = "slice-bench compare")]
struct Comparison {
    #[command(flatten)]
    settings: compare::settings::Settings,
}

/// One run in this process.
#[derive(Args)]
struct One {
    /// The store.
    #[arg(long, default_value = "slice")]
    engine: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    args: RunArgs,
}

/// The whole program: reads the command line, and measures one of these stores.
///
/// # Errors
///
/// Errors of the store, and whatever it answers wrongly.
pub fn main(contenders: &[Box<dyn Contender>]) -> anyhow::Result<()> {
    if std::env::args().nth(1).is_some_and(|arg| arg == "compare") {
        let comparison = Comparison::parse_from(std::env::args_os().skip(1));
        return compare::main(&comparison.settings, &names(contenders));
    }
    let One { engine, json, args } = Cli::parse().run;
    let contender = find(contenders, &engine)?;
    let run = contender.run(&args)?;
    #[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
    if json {
        println!("{}", serde_json::to_string(&run)?);
    } else {
        print!("{run}");
    }
    Ok(())
}

fn find<'a>(contenders: &'a [Box<dyn Contender>], engine: &str) -> anyhow::Result<&'a dyn Contender> {
    let found = contenders.iter().find(|contender| contender.label().engine == engine);
    found
        .map(Box::as_ref)
        .with_context(|| format!("there is no {engine}; there are {}", names(contenders).join(", ")))
}

fn names(contenders: &[Box<dyn Contender>]) -> Vec<&str> {
    contenders.iter().map(|contender| contender.label().engine.as_str()).collect()
}
