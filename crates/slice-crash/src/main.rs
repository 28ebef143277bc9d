//! The `slice-crash` command: the harnesses of the library, for as long as one likes.

use std::process::ExitCode;

use clap::Parser;
use slice_crash::errors;
#[cfg(target_os = "linux")]
use slice_crash::real;

/// Looks for a crash that loses something.
#[derive(Parser)]
#[command(name = "cargo xtask crash", version, args_conflicts_with_subcommands = true)]
struct Cli {
    /// Tries real processes on a real file system: kills, strace, a full disk, few files, stops.
    #[arg(long)]
    real: bool,
    /// Fails every operation of seeded workloads, in every way: see `slice_crash::errors`.
    #[arg(long, conflicts_with = "real")]
    errors: bool,
    /// How many workloads, from the seed on, with `--errors`. Of 24 in a row each is of another kind.
    #[arg(long, default_value_t = 24)]
    workloads: u64,
    /// Only the operation of this number, of the seed's workload alone, with `--errors`.
    #[arg(long, requires = "errors")]
    only_op: Option<u64>,
    /// Decides all that is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
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

#[cfg(target_os = "linux")]
fn run(cli: &Cli) -> anyhow::Result<()> {
    if let Some(Role::Worker(args)) = &cli.role {
        return real::work(args);
    }
    if cli.errors {
        return fail_operations(cli);
    }
    anyhow::ensure!(cli.real, "nothing to do: try --errors or --real");
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
fn run(cli: &Cli) -> anyhow::Result<()> {
    if cli.errors {
        return fail_operations(cli);
    }
    let Cli { real, .. } = cli;
    anyhow::bail!("real processes are tried on Linux only (--real: {real})")
}

fn fail_operations(cli: &Cli) -> anyhow::Result<()> {
    let workloads = if cli.only_op.is_some() { 1 } else { cli.workloads };
    let seeds = cli.seed..cli.seed + workloads;
    let report = errors::run(&errors::Config { seeds, only_op: cli.only_op, ..errors::Config::default() })?;
    println!("{report}");
    Ok(())
}
