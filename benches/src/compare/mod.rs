//! The comparison of engines: many runs in turn, and the ratios of their figures.
//!
//! ```text
//!   rows ────┐
//!   settings ┼── session ── [ a process for each run ] ── results ── measure ── ratio ── table
//!   order ───┤
//!   stores ──┘
//! ```
//!
//! Nothing here knows an engine but by its name: rivals are measured by a program of their own workspace, which calls
//! [`main`] like ours.

pub mod measure;
pub mod order;
pub mod ratio;
pub mod rows;
pub mod session;
pub mod settings;
pub mod stores;
pub mod table;

use std::fs;

use anyhow::{Context, ensure};

use crate::machine::{commit, machine, now};
use crate::results::{FORMAT, Results, Run};

use session::Session;
use settings::Settings;
use table::Sides;

/// The best of these is what the first engine is divided by. Others, such as RocksDB as it comes, are only shown.
pub const RIVALS: [&str; 3] = ["rocksdb", "fjall", "surrealkv"];

/// Does all runs, says how each went, and shows the tables at the end. `known` are the engines that there are.
///
/// # Errors
///
/// If an engine or a row is unknown, a directory cannot be written to, or a run has failed.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the tables are what the program is for")]
#[expect(clippy::disallowed_methods, reason = "the directory is where stores are, and none itself")]
pub fn main(settings: &Settings, known: &[&str]) -> anyhow::Result<()> {
    let own = settings.engines.first().context("--engines is empty")?;
    for engine in &settings.engines {
        ensure!(known.contains(&engine.as_str()), "there is no {engine}; there are {}", known.join(", "));
    }
    let rows = rows::choose(&settings.workloads, !settings.quick)?;
    fs::create_dir_all(&settings.dir).context("no directory for the stores")?;
    let (mut runs, mut failures) = (Vec::new(), Vec::new());
    Session::new(settings, rows).run(|run| {
        match run {
            Ok(run) => {
                eprintln!("{:18} {}@{}: {:.0} op/s", run.column, run.workload, run.clients, run.ops_per_s);
                runs.push(run);
            }
            Err(failure) => {
                eprintln!("failed: {failure:#}");
                failures.push(format!("{failure:#}"));
            }
        }
        write(settings, &runs)
    })?;
    println!("{}", table::text(&runs, &Sides { own, rivals: &RIVALS }));
    println!("all figures: {}", settings.out.display());
    ensure!(failures.is_empty(), "failed:\n  {}", failures.join("\n  "));
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a file of figures is no store's")]
/// Writes all that is known, so that nothing is lost if a later run is interrupted.
fn write(settings: &Settings, runs: &[Run]) -> anyhow::Result<()> {
    let results = Results {
        format: FORMAT,
        machine: machine(&settings.dir),
        commit: commit(),
        date: now(),
        settings: serde_json::to_value(settings)?,
        runs: runs.to_vec(),
    };
    let beside = settings.out.with_extension("tmp");
    fs::write(&beside, serde_json::to_vec(&results)?)?;
    fs::rename(&beside, &settings.out).with_context(|| format!("could not write {}", settings.out.display()))
}
