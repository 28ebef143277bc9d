//! The `slice-crash` command: the harnesses of the library, for as long as one likes.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use slice_crash::crashes::{self, Config, mutants};
use slice_crash::errors;
#[cfg(target_os = "linux")]
use slice_crash::real;

/// Looks for a crash that loses something: without options, after every operation of seeded workloads in memory.
#[derive(Parser)]
#[command(name = "cargo xtask crash", version, args_conflicts_with_subcommands = true)]
struct Cli {
    /// Decides all that is random. Workloads have this seed and those behind it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps of a workload.
    #[arg(long, default_value_t = Config::default().ops)]
    ops: u64,
    /// How long to go on; a workload that has begun is ended.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// ... and until at least so many crashes were tried.
    #[arg(long, default_value_t = 0)]
    points: u64,
    /// Only the operation of this number, of the seed's workload alone.
    #[arg(long, conflicts_with_all = ["real", "mutants"])]
    only_op: Option<u64>,
    /// Leaves out each of the store's syncs in turn: each must be missed by some crash.
    #[arg(long, conflicts_with_all = ["errors", "real"])]
    mutants: bool,
    /// Fails every operation of seeded workloads, in every way: see `slice_crash::errors`.
    #[arg(long, conflicts_with = "real")]
    errors: bool,
    /// How many workloads, with `--errors` and `--mutants`. Of 24 in a row each is of another kind.
    #[arg(long, default_value_t = 24)]
    workloads: u64,
    /// Tries real processes on a real file system: kills, strace, a full disk, few files, stops.
    #[arg(long)]
    real: bool,
    /// How often to kill, with `--real`.
    #[arg(long, default_value_t = 2000)]
    kills: u64,
    /// Up to which system call to inject faults, with `--real`.
    #[arg(long, default_value_t = 200)]
    calls: u64,
    /// One part of `--real` alone.
    #[cfg(target_os = "linux")]
    #[arg(long, requires = "real")]
    only: Option<real::Part>,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What a process is that another one of this program has started.
#[derive(clap::Subcommand)]
enum Role {
    /// Opens a store, and is killed.
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Worker(real::WorkerArgs),
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    match cli {
        #[cfg(target_os = "linux")]
        Cli { role: Some(Role::Worker(args)), .. } => real::work(args),
        Cli { real: true, .. } => try_processes(cli),
        Cli { errors: true, .. } => fail_operations(cli),
        Cli { mutants: true, .. } => leave_out_syncs(cli),
        _ => crash_everywhere(cli),
    }
}

/// Workload after workload, until the time is over.
#[expect(clippy::disallowed_methods, reason = "it stops after some minutes, and no store is involved")]
fn crash_everywhere(cli: &Cli) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs(60 * cli.minutes);
    let bar =
        ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} [{elapsed}] {msg}")?);
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut total = crashes::Report::default();
    for seed in cli.seed.. {
        let config = Config { seed, ops: cli.ops, only_op: cli.only_op, ..Config::default() };
        total.add(crashes::run(&config)?);
        bar.set_message(total.to_string());
        let is_enough = Instant::now() >= end && total.points >= cli.points;
        if cli.only_op.is_some() || is_enough {
            break;
        }
    }
    bar.finish_and_clear();
    println!("{total}: nothing was lost");
    Ok(())
}

fn leave_out_syncs(cli: &Cli) -> anyhow::Result<()> {
    let config = Config { ops: cli.ops, ..Config::default() };
    let seeds = cli.seed..cli.seed + cli.workloads;
    let mutants = mutants::run(seeds, &config, |mutant| println!("{mutant}"));
    let survivors = mutants.iter().filter(|mutant| mutant.caught.is_none()).count();
    ensure!(survivors == 0, "{survivors} syncs are not needed, or the crashes do not show what for");
    println!("each of {} syncs is needed", mutants.len());
    Ok(())
}

fn fail_operations(cli: &Cli) -> anyhow::Result<()> {
    let workloads = if cli.only_op.is_some() { 1 } else { cli.workloads };
    let seeds = cli.seed..cli.seed + workloads;
    let report = errors::run(&errors::Config { seeds, only_op: cli.only_op, ..errors::Config::default() })?;
    println!("{report}");
    Ok(())
}

#[cfg(target_os = "linux")]
fn try_processes(cli: &Cli) -> anyhow::Result<()> {
    let parts = cli.only.map_or_else(|| real::Part::ALL.to_vec(), |part| vec![part]);
    let worker = std::env::current_exe()?;
    let (seed, kills, calls) = (cli.seed, cli.kills, cli.calls);
    let args = real::Args { worker, seed, kills, calls, worker_extra: Vec::new(), installs: true };
    for part in parts {
        println!("{part:?}, seed {seed}: {}: ok", real::run(part, &args)?);
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn try_processes(_cli: &Cli) -> anyhow::Result<()> {
    anyhow::bail!("real processes are tried on Linux only")
}
