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
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::html;
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
    let out = out(settings);
    fs::create_dir_all(&settings.dir).context("no directory for the stores")?;
    fs::create_dir_all(out.parent().unwrap_or(Path::new("."))).context("no directory for the results")?;
    let all = rows.len() * settings.engines.len() * settings.rounds() as usize;
    let (mut results, mut failures) = (nothing_yet(settings)?, Vec::new());
    let program = std::env::current_exe().context("this program is not found")?;
    Session::new(settings, rows, program).run(|run| {
        let number = results.runs.len() + failures.len() + 1;
        match run {
            Ok(run) => {
                let Run { column, workload, clients, ops_per_s, .. } = &run;
                eprintln!("[{number}/{all}] {column:18} {workload}@{clients}: {ops_per_s:.0} op/s");
                results.runs.push(run);
            }
            Err(failure) => {
                eprintln!("[{number}/{all}] failed: {failure:#}");
                failures.push(format!("{failure:#}"));
            }
        }
        write(&out, &serde_json::to_string(&results)?)
    })?;
    let page = out.with_extension("html");
    println!("{}", table::text(&results.runs, &Sides { own, rivals: &RIVALS }));
    write(&page, &html::write(&[results])?)?;
    println!("all figures: {}; charts: {}", out.display(), page.display());
    ensure!(failures.is_empty(), "failed:\n  {}", failures.join("\n  "));
    Ok(())
}

/// Where the figures go.
fn out(settings: &Settings) -> PathBuf {
    let of_now = || Path::new("target/bench").join(now().replace(':', "-")).join("results.json");
    settings.out.clone().unwrap_or_else(of_now)
}

/// The results before the first run.
fn nothing_yet(settings: &Settings) -> anyhow::Result<Results> {
    Ok(Results {
        format: FORMAT,
        machine: machine(&settings.dir),
        commit: commit(),
        date: now(),
        settings: serde_json::to_value(settings)?,
        runs: Vec::new(),
    })
}

/// Writes all that is known, so that nothing is lost if a later run is interrupted.
#[expect(clippy::disallowed_methods, reason = "a file of figures is no store's")]
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension("tmp");
    fs::write(&beside, text)?;
    fs::rename(&beside, path).with_context(|| format!("could not write {}", path.display()))
}
