//! One run: load, warm up, do the operations, settle, measure, verify.
//!
//! ```text
//!   open ── load, unless the keys are there ── steady, warm up ── [ operations ][ settle ] ── compact ── sizes ── verify
//!   open_s                                                           wall_s        settle_s
//!                                                                 [ cpu, written bytes     ]
//! ```

use std::collections::BTreeMap;
use std::future::Future;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::block_on::block_on;
use crate::client::{self, Outcome};
use crate::clock;
use crate::cold::Forgetful;
use crate::disk::{disk_use, disk_use_at_rest};
use crate::engine::{Engine, Mode, Stalls};
use crate::keys::KEY_BYTES;
use crate::knobs::Knobs;
use crate::meter::{Limit, WINDOW_MS};
use crate::neighbour::Neighbour;
use crate::plan::Plan;
use crate::process::Process;
use crate::results::{Latency, LatencyByKind, Run, ratio};
use crate::settings::RunArgs;
use crate::verify::{Expected, verify};

/// Who is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The name on the command line.
    pub engine: String,
    /// The label for people.
    pub column: String,
    /// The version of the store.
    pub version: String,
}

impl Label {
    /// A name for the command line, a label for people, and a version.
    pub fn new(engine: &str, column: &str, version: &str) -> Self {
        Self { engine: engine.to_owned(), column: column.to_owned(), version: version.to_owned() }
    }
}

/// Does one run on a store that `open` opens in a directory, and gives its figures.
///
/// Clients are threads, or tasks of a runtime that is made here, as the engine has it.
///
/// # Errors
///
/// Errors of the store, and whatever it answers wrongly.
pub fn run<E, F>(label: &Label, args: &RunArgs, open: impl FnOnce(PathBuf, Knobs) -> F) -> anyhow::Result<Run>
where
    E: Engine,
    F: Future<Output = anyhow::Result<E>>,
{
    args.check()?;
    let temporary = if args.dir.is_none() { Some(tempfile::tempdir()?) } else { None };
    let dir = args.dir.clone().or_else(|| temporary.as_ref().map(|dir| dir.path().join("store")));
    let dir = dir.context("no directory")?;
    if !args.existing {
        ensure_empty(&dir)?;
    }
    drive::<E, _>(args, async {
        let start = clock::now();
        let engine = open(dir.clone(), args.knobs()).await.context("the store does not open")?;
        let open_s = start.elapsed().as_secs_f64();
        let mut run = measure(&engine, label, args, &dir).await?;
        run.extra.insert("open_s".to_owned(), open_s);
        engine.close().await.context("the store does not close")?;
        Ok(run)
    })
}

/// Runs what an engine's clients are part of.
fn drive<E: Engine, T>(args: &RunArgs, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match E::MODE {
        Mode::Threads => block_on(work),
        Mode::Tasks => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            if let Some(workers) = args.settings.workers {
                runtime.worker_threads(workers.max(1));
            }
            runtime.enable_time().build().context("no runtime")?.block_on(work)
        }
    }
}

fn ensure_empty(dir: &Path) -> anyhow::Result<()> {
    let files = if dir.exists() { disk_use(dir)?.files } else { 0 };
    ensure!(files == 0, "{} is not empty; --existing measures what is there", dir.display());
    Ok(())
}

/// What was looked at before, during and after the operations.
struct Measured {
    load_before: String,
    outcome: Outcome,
    settle: Option<Duration>,
    before: Process,
    after: Process,
    /// After a compaction, too, if one was asked for.
    peak_rss_bytes: Option<u64>,
    stalls: Option<Stalls>,
    neighbour: Option<Latency>,
    expected: Expected,
    disk_bytes: u64,
    details: serde_json::Value,
}

async fn measure<E: Engine>(engine: &E, label: &Label, args: &RunArgs, dir: &Path) -> anyhow::Result<Run> {
    let plan = args.plan();
    let measured = operate(engine, args, &plan, dir).await?;
    let verified_keys = if args.settings.verify {
        let bar = progress("verify", Limit { ops: plan.keys, deadline_ns: u64::MAX });
        Some(verify(engine, &plan, &measured.expected, &bar).await.context("verification")?)
    } else {
        None
    };
    Ok(Run { verified_keys, ..figures(measured, label, args, &plan) })
}

async fn operate<E: Engine>(engine: &E, args: &RunArgs, plan: &Plan, dir: &Path) -> anyhow::Result<Measured> {
    let load_before = load_averages();
    prepare(engine, args, plan).await?;
    let forgetful = args.settings.cold.then(|| Forgetful::start(dir)).transpose()?;
    let (stalls, before) = (engine.stalls(), Process::now());
    let (outcome, neighbour) = beside_neighbour(engine, args, plan).await?;
    if args.crash {
        std::process::abort();
    }
    forgetful.map_or(Ok(()), Forgetful::stop)?;
    let settle = if plan.workload.only_reads() { None } else { Some(settle(engine).await?) };
    let after = Process::now();
    let stalls = engine.stalls().map(|now| since(now, stalls.as_ref()));
    if args.settings.compact {
        engine.full_compaction().await.context("full compaction")?;
    }
    let peak_rss_bytes = Process::now().peak_resident;
    let expected = expected(args, plan, &outcome);
    let (disk_bytes, details) = (disk_use_at_rest(dir)?.allocated, engine.details());
    Ok(Measured {
        load_before,
        outcome,
        settle,
        before,
        after,
        peak_rss_bytes,
        stalls,
        neighbour,
        expected,
        disk_bytes,
        details,
    })
}

/// The operations, and how late a neighbour was meanwhile if that was asked for.
async fn beside_neighbour<E: Engine>(
    engine: &E,
    args: &RunArgs,
    plan: &Plan,
) -> anyhow::Result<(Outcome, Option<Latency>)> {
    ensure!(
        !args.settings.neighbour || E::MODE == Mode::Tasks,
        "--neighbour is for stores whose clients are tasks"
    );
    let neighbour = args.settings.neighbour.then(Neighbour::move_in).transpose()?;
    let bar = progress("run", args.limit());
    let outcome = client::run(engine, plan, args.limit(), &bar).await?;
    bar.finish_and_clear();
    Ok(match neighbour {
        Some(neighbour) => (outcome, Latency::of(&neighbour.move_out().await?)),
        None => (outcome, None),
    })
}

/// What must be in the store. Where other writes came before the run, not which write of a key was its last.
fn expected(args: &RunArgs, plan: &Plan, outcome: &Outcome) -> Expected {
    let after = Expected::after(plan, &outcome.done, outcome.writer_ops);
    if args.settings.steady == 0 { after } else { after.of_any_write() }
}

/// All that follows from what was looked at.
fn figures(measured: Measured, label: &Label, args: &RunArgs, plan: &Plan) -> Run {
    let Measured { outcome, settle, before, after, expected, disk_bytes, .. } = measured;
    let row = (KEY_BYTES + plan.values.value_bytes()) as u64;
    let (live, put) = (expected.live(plan) * row, puts(&outcome) * row);
    let wall_s = outcome.wall_ns as f64 / 1e9;
    let settled = |settle: Duration| outcome.ops as f64 / (wall_s + settle.as_secs_f64());
    let written = before.written_until(&after);
    Run {
        engine: label.engine.clone(),
        column: label.column.clone(),
        version: label.version.clone(),
        workload: plan.workload.name(),
        round: args.round,
        keys: plan.keys,
        value_bytes: plan.values.value_bytes() as u64,
        clients: plan.clients,
        ops: outcome.ops,
        wall_s,
        ops_per_s: outcome.ops as f64 / wall_s,
        settle_s: settle.map(|settle| settle.as_secs_f64()),
        ops_per_s_settled: settle.map(settled),
        writer_ops_per_s: plan.workload.has_writer().then(|| outcome.writer_ops as f64 / wall_s),
        latency: LatencyByKind { neighbour: measured.neighbour, ..LatencyByKind::of(&outcome.latencies) },
        cpu_s: before.cpu_until(&after).map(|cpu| cpu.as_secs_f64()),
        peak_rss_bytes: measured.peak_rss_bytes,
        written_bytes: written,
        disk_bytes,
        live_raw_bytes: live,
        put_raw_bytes: put,
        write_amplification: ratio(written, put),
        space_amplification: ratio(Some(disk_bytes), live),
        stalls: measured.stalls,
        timeline_ms: WINDOW_MS,
        timeline: outcome.timeline,
        verified_keys: None,
        load_before: measured.load_before,
        extra: BTreeMap::new(),
        details: measured.details,
    }
}

/// The keys, a store that has been written to, and warm caches.
async fn prepare<E: Engine>(engine: &E, args: &RunArgs, plan: &Plan) -> anyhow::Result<()> {
    if !plan.workload.fills() && !args.existing {
        load(engine, plan).await?;
    }
    if args.settings.steady > 0 {
        let limit = Limit { ops: plan.keys * args.settings.steady, deadline_ns: u64::MAX };
        unmeasured(engine, "steady", &plan.steady(), limit).await?;
    }
    if args.settings.warmup > 0.0 && !plan.workload.fills() {
        let limit = Limit { ops: u64::MAX, deadline_ns: (args.settings.warmup * 1e9) as u64 };
        unmeasured(engine, "warm up", &plan.warm_up(), limit).await?;
    }
    Ok(())
}

async fn unmeasured<E: Engine>(
    engine: &E,
    name: &'static str,
    plan: &Plan,
    limit: Limit,
) -> anyhow::Result<()> {
    let bar = progress(name, limit);
    client::run(engine, plan, limit, &bar).await.context(name)?;
    bar.finish_and_clear();
    Ok(())
}

/// Writes every key once, shuffled, and waits until the store is at rest.
async fn load<E: Engine>(engine: &E, plan: &Plan) -> anyhow::Result<()> {
    let limit = Limit { ops: plan.keys, deadline_ns: u64::MAX };
    unmeasured(engine, "load", &plan.preload(), limit).await?;
    settle(engine).await.map(|_| ())
}

async fn settle<E: Engine>(engine: &E) -> anyhow::Result<Duration> {
    let start = clock::now();
    let watched = engine.settle().await.context("settling")?;
    Ok(start.elapsed().saturating_sub(watched))
}

/// The writes that were done, the writer's beside the clients included.
fn puts(outcome: &Outcome) -> u64 {
    outcome.latencies.writes.len()
}

fn since(mut now: Stalls, before: Option<&Stalls>) -> Stalls {
    for (cause, seconds) in &mut now {
        *seconds -= before.and_then(|before| before.get(cause)).copied().unwrap_or_default();
    }
    now
}

fn load_averages() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// A bar on a terminal; elsewhere nothing.
fn progress(name: &'static str, limit: Limit) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    if limit.ops == u64::MAX {
        let style = ProgressStyle::with_template("{msg:8} {human_pos} {per_sec} {elapsed}");
        let bar = ProgressBar::no_length().with_message(name);
        return style.map_or(bar.clone(), |style| bar.with_style(style));
    }
    let style = ProgressStyle::with_template("{msg:8} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
    let bar = ProgressBar::new(limit.ops).with_message(name);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
