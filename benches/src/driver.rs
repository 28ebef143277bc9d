//! One run of the driver: preload, run, compact, measure, verify.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use slice::{Compression, Durability, LSMTree};

use crate::disk::{DiskUse, disk_use};
use crate::keys::KEY_BYTES;
use crate::latency::Latencies;
use crate::process::Process;
use crate::report::{Figure, Report};
use crate::verify::{Expected, verify};
use crate::workload::Plan;
use crate::{client, clock};

/// What is done in a run, beside the operations of the plan.
#[derive(Clone, Debug)]
pub struct Run {
    /// The operations.
    pub plan: Plan,
    /// How many of them, in all.
    pub ops: u64,
    /// The keys are there already, from another run.
    pub existing: bool,
    /// Compact at the end.
    pub compact: bool,
    /// Read every key at the end.
    pub verify: bool,
    /// How the store is opened.
    pub store: StoreOptions,
}

/// How the store is opened. What is not here is as the store has it by default.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// When a write is acknowledged.
    pub durability: Durability,
    /// How blocks are compressed.
    pub compression: Compression,
    /// The block cache, in bytes.
    pub block_cache_bytes: usize,
    /// The row cache, in entries.
    pub row_cache_entries: usize,
    /// The memtable, in bytes.
    pub memtable_size: usize,
}

impl StoreOptions {
    /// Opens the store in a directory.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn open(&self, dir: &Path) -> slice::Result<LSMTree> {
        LSMTree::builder(dir)
            .durability(self.durability)
            .compression(self.compression)
            .block_cache_bytes(self.block_cache_bytes)
            .row_cache_entries(self.row_cache_entries)
            .memtable_size(self.memtable_size)
            .open()
            .await
    }
}

/// A part of the run: how long it took by the wall and in CPU time, and what was written to the disk meanwhile.
struct Span {
    wall: Duration,
    cpu: Option<Duration>,
    written: Option<u64>,
}

async fn measured<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<(T, Span)> {
    let (before, start) = (Process::now(), clock::now());
    let result = work.await?;
    let (wall, after) = (start.elapsed(), Process::now());
    let cpu = after.cpu.zip(before.cpu).map(|(after, before)| after.saturating_sub(before));
    let written = after.written.zip(before.written).map(|(after, before)| after.saturating_sub(before));
    Ok((result, Span { wall, cpu, written }))
}

impl Span {
    fn report(&self, report: &mut Report, ops: u64) {
        report.add("wall_s", Figure::seconds(self.wall));
        if ops > 0 {
            report.add("ops", Figure::Count(ops));
            report.add("ops_per_s", Figure::Number(ops as f64 / self.wall.as_secs_f64()));
        }
        report.add("cpu_s", self.cpu.map_or(Figure::Unknown, Figure::seconds));
        report.add("os_written_bytes", Figure::bytes(self.written));
    }
}

/// Does the run in a directory and gives its figures.
///
/// # Errors
///
/// Errors of the store, and whatever it answers wrongly.
pub async fn run(dir: &Path, run: &Run) -> anyhow::Result<Report> {
    let mut report = Report::default();
    if !run.existing {
        ensure_empty(dir)?;
    }
    let store = run.store.open(dir).await.context("the store does not open")?;
    if !run.plan.workload.fills() && !run.existing {
        preload(&store, run, &mut report).await?;
    }
    let bar = progress("run", run.ops);
    let (latencies, span) = measured(client::run(&store, &run.plan, run.ops, &bar)).await?;
    bar.finish_and_clear();
    report_run(&mut report, &latencies, &span);
    let whole = settle(&store, dir, run, &mut report, &span).await?;
    let expected = Expected::after(&run.plan, run.ops);
    report_store(&mut report, &store.stats());
    let shape = Shape { live: expected.live(&run.plan), put: latencies.writes.len(), written: whole };
    report_shape(&mut report, &store, dir, run, &shape)?;
    if run.verify {
        verify_all(&store, run, &expected, &mut report).await?;
    }
    finish(store, dir, &mut report).await?;
    Ok(report)
}

fn ensure_empty(dir: &Path) -> anyhow::Result<()> {
    let files = if dir.exists() { disk_use(dir)?.files } else { 0 };
    ensure!(files == 0, "{} is not empty; --existing measures what is there", dir.display());
    Ok(())
}

async fn preload(store: &LSMTree, run: &Run, report: &mut Report) -> anyhow::Result<()> {
    let bar = progress("preload", run.plan.keys);
    let ((), span) = measured(async {
        client::run(store, &run.plan.preload(), run.plan.keys, &bar).await?;
        Ok(store.flush().await?)
    })
    .await?;
    bar.finish_and_clear();
    report.section("preload");
    span.report(report, run.plan.keys);
    Ok(())
}

fn report_run(report: &mut Report, latencies: &Latencies, span: &Span) {
    report.section("run");
    span.report(report, latencies.count());
    report.latencies("writes", &latencies.writes);
    report.latencies("reads", &latencies.reads);
}

/// Flushes or compacts, so that the tables hold everything; gives the bytes written to the disk up to here, from the
/// start of the run.
async fn settle(
    store: &LSMTree,
    dir: &Path,
    run: &Run,
    report: &mut Report,
    before: &Span,
) -> anyhow::Result<Option<u64>> {
    let disk = disk_use(dir)?;
    report.section(if run.compact { "compact" } else { "flush" });
    let work = async { if run.compact { store.compact().await } else { store.flush().await } };
    let ((), span) = measured(async { Ok(work.await?) }).await?;
    span.report(report, 0);
    report_disk(report, "disk_before", &disk);
    Ok(before.written.zip(span.written).map(|(run, settling)| run + settling))
}

fn report_store(report: &mut Report, stats: &slice::lsm::LSMStats) {
    report.section("store");
    for (level, tables, bytes) in &stats.level_stats {
        report.add(&format!("l{level}_tables"), Figure::Count(*tables as u64));
        report.add(&format!("l{level}_bytes"), Figure::Bytes(*bytes));
    }
    let (stalls, stalled) = stats.write_delays;
    report.add("stalls", Figure::Count(stalls));
    report.add("stalled_s", Figure::seconds(stalled));
    report.add("flushes", Figure::Count(stats.flush_stats.flushes));
    report.add("flush_bytes", Figure::Bytes(stats.flush_stats.bytes_written));
    report.add("compactions", Figure::Count(stats.compaction_stats.total_compactions));
    report.add("trivial_moves", Figure::Count(stats.compaction_stats.trivial_moves));
    report.add("compaction_read_bytes", Figure::Bytes(stats.compaction_stats.bytes_compacted));
    report.add("compaction_bytes", Figure::Bytes(stats.compaction_stats.bytes_written));
    report.add("index_and_filter_bytes", Figure::Bytes(stats.table_memory as u64));
    report.add("block_cache_hit_ratio", Figure::Number(stats.block_cache_stats.hit_ratio));
    report.add("row_cache_hit_ratio", Figure::Number(stats.cache_stats.hit_ratio));
}

/// What the amplifications are computed from.
struct Shape {
    /// Keys in the store.
    live: u64,
    /// Writes in the run.
    put: u64,
    /// Bytes that the system wrote from the start of the run to the end of the compaction.
    written: Option<u64>,
}

/// Space and write amplification, with what they are computed from.
fn report_shape(
    report: &mut Report,
    store: &LSMTree,
    dir: &Path,
    run: &Run,
    shape: &Shape,
) -> anyhow::Result<()> {
    let disk = disk_use(dir)?;
    let tables: u64 = store.stats().level_stats.iter().map(|(_, _, bytes)| bytes).sum();
    let row = (KEY_BYTES + run.plan.values.value_bytes()) as u64;
    let (live, put) = (shape.live * row, shape.put * row);
    report.section("space");
    report.add("live_keys", Figure::Count(shape.live));
    report.add("live_raw_bytes", Figure::Bytes(live));
    report_disk(report, "disk", &disk);
    report.add("table_bytes", Figure::Bytes(tables));
    report.add("disk_per_live_raw", Figure::ratio(Some(disk.allocated), live));
    report.add("tables_per_live_raw", Figure::ratio(Some(tables), live));
    report.section("writing");
    report.add("put_raw_bytes", Figure::Bytes(put));
    report.add("os_written_bytes", Figure::bytes(shape.written));
    report.add("os_written_per_put_raw", Figure::ratio(shape.written, put));
    report_memory(report, "memory", &Process::now());
    Ok(())
}

fn report_disk(report: &mut Report, name: &str, disk: &DiskUse) {
    report.add(&format!("{name}_files"), Figure::Count(disk.files));
    report.add(&format!("{name}_length_bytes"), Figure::Bytes(disk.length));
    report.add(&format!("{name}_allocated_bytes"), Figure::Bytes(disk.allocated));
}

fn report_memory(report: &mut Report, section: &str, process: &Process) {
    report.section(section);
    report.add("peak_resident_bytes", Figure::bytes(process.peak_resident));
    report.add("resident_bytes", Figure::bytes(process.resident));
    report.add("resident_anonymous_bytes", Figure::bytes(process.resident_anonymous));
}

async fn verify_all(
    store: &LSMTree,
    run: &Run,
    expected: &Expected,
    report: &mut Report,
) -> anyhow::Result<()> {
    let bar = progress("verify", run.plan.keys);
    let (there, span) = measured(verify(store, &run.plan, expected, &bar)).await.context("verification")?;
    bar.finish_and_clear();
    let live = expected.live(&run.plan);
    ensure!(there == live, "{there} keys are there, and {live} should be");
    report.section("verify");
    report.add("keys_right", Figure::Count(there));
    let checked = if matches!(expected, Expected::Any) { "some write of the key" } else { "the last write" };
    report.add("each_value_is", Figure::Text(checked.to_owned()));
    span.report(report, run.plan.keys);
    Ok(())
}

async fn finish(store: LSMTree, dir: &Path, report: &mut Report) -> anyhow::Result<()> {
    store.close().await.context("the store does not close")?;
    report_memory(report, "end", &Process::now());
    report_disk(report, "disk_closed", &disk_use(dir)?);
    Ok(())
}

/// A bar on a terminal; elsewhere nothing.
fn progress(name: &'static str, steps: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg:8} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
    let bar = ProgressBar::new(steps).with_message(name);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
