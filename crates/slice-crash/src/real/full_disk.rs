//! A disk of 32 MiB that is full in the midst of flushes and compactions, then has space again.
//!
//! ```text
//!   | logs and tables ....... | left, 0 to 2 MiB | ballast ................. |
//!                              writers fill this,  then the ballast goes, and all of it goes on by itself
//! ```
//!
//! Logs are mapped on tmpfs: a store into a page without space would be a SIGBUS, which is a failure here.
#![expect(
    clippy::disallowed_methods,
    reason = "waits end by the clock, and the ballast is no file of the store"
)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use tempfile::TempDir;

use super::expected::Expected;
use super::process::{Heard, Worker, worker_args};
use super::protocol::{Event, Order};
use super::tuning::Tuning;
use super::workload::Workload;
use super::{Args, Report};

const ROUNDS: u64 = 24;
/// How long writers may be stuck before that, too, counts as a full disk.
const STUCK: Duration = Duration::from_secs(3);
/// How long writers may take to fill what is left.
const FILLING: Duration = Duration::from_secs(4);
/// What a store of this little data may take once all is compacted: two logs of a mapped chunk each, and tables.
const SETTLED_BYTES_MAX: u64 = 8 << 20;

/// What came of the rounds.
#[derive(Debug, Default)]
struct Counts {
    writes: usize,
    flushes: usize,
    compactions: usize,
    killed_full: u64,
    slowest: Duration,
}

/// Fills and frees, in worker after worker.
pub(super) fn run(args: &Args) -> Result<Report> {
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(reason) => return Ok(format!("skipped: {reason:#}")),
    };
    let mut rng = SmallRng::seed_from_u64(args.seed);
    let workload = Workload { seed: args.seed, writers: 3, keys: 1500, largest_batch: 32 };
    let mut expected = Expected::new(workload);
    let mut counts = Counts::default();
    for round in 0..ROUNDS {
        let left = rng.random_range(0..2 << 20);
        let tuning = Tuning::of_round(rng.random());
        one_round(args, &disk, &mut expected, &tuning, left, round, &mut counts)
            .with_context(|| format!("round {round}, {left} bytes left, {tuning:?}"))?;
        look(args, &disk, &mut expected)?;
    }
    let felt = [counts.writes, counts.flushes, counts.compactions];
    ensure!(!felt.contains(&0), "the disk was not felt to be full by all kinds of work: {counts:?}");
    Ok(format!(
        "{ROUNDS} times full: {} writes, {} flushes and {} compactions failed with StorageFull; {} workers killed on \
         the full disk; the slowest went on {:.1?} after there was space; {} writes acknowledged",
        counts.writes,
        counts.flushes,
        counts.compactions,
        counts.killed_full,
        counts.slowest,
        expected.acknowledged
    ))
}

fn start(args: &Args, disk: &Disk, expected: &Expected, tuning: &Tuning) -> Result<Worker> {
    let mut command = args.command();
    command.args(worker_args(&disk.store(), expected, tuning)).arg("--patient");
    Worker::start(command, expected.workload().writers)
}

fn one_round(
    args: &Args,
    disk: &Disk,
    expected: &mut Expected,
    tuning: &Tuning,
    left: u64,
    round: u64,
    counts: &mut Counts,
) -> Result<()> {
    let mut worker = start(args, disk, expected, tuning)?;
    worker.go(expected)?;
    writes(&mut worker, expected, 200)?;
    disk.fill(left)?;
    if !until_full(&mut worker, expected)? {
        disk.fill(0)?;
        until_full(&mut worker, expected)?;
    }
    if round % 4 == 3 {
        worker.kill(expected)?;
        counts.killed_full += 1;
        reopen_full(args, disk, expected, tuning)?;
        disk.free()?;
    } else {
        disk.free()?;
        let since = Instant::now();
        writes(&mut worker, expected, 500)?;
        counts.slowest = counts.slowest.max(since.elapsed());
        settle(&mut worker, expected)?;
        worker.close(expected)?;
    }
    count(&worker.failures, counts)
}

/// Lets the writers fill what is left; says whether calls failed or nothing moved any more.
fn until_full(worker: &mut Worker, expected: &mut Expected) -> Result<bool> {
    let failed = |event: &Event| matches!(event, Event::Failed { .. });
    let (since, mut moved, mut failures) = (Instant::now(), Instant::now(), 0);
    while failures < 20 && moved.elapsed() < STUCK {
        if since.elapsed() > FILLING {
            return Ok(failures > 0);
        }
        let before = expected.acknowledged;
        let heard = worker.listen_until(expected, Instant::now() + Duration::from_millis(100), failed)?;
        failures += u64::from(matches!(heard, Heard::Event(_)));
        if expected.acknowledged != before {
            moved = Instant::now();
        }
    }
    Ok(true)
}

/// On a full disk a store opens, or says why not.
fn reopen_full(args: &Args, disk: &Disk, expected: &mut Expected, tuning: &Tuning) -> Result<()> {
    let mut worker = start(args, disk, expected, tuning)?;
    let status = worker.end(expected)?;
    ensure!(
        status.success(),
        "reopened on a full disk, the worker ended with {status}: {:?}",
        worker.failures
    );
    Ok(())
}

/// All work is done within a bound, and space comes back.
fn settle(worker: &mut Worker, expected: &mut Expected) -> Result<()> {
    worker.order(&Order::Settle);
    let settled =
        worker.await_event(expected, "settled tables", |event| matches!(event, Event::Settled { .. }))?;
    let Event::Settled { bytes } = settled else { bail!("it is settled") };
    ensure!(bytes <= SETTLED_BYTES_MAX, "{bytes} bytes are in use after compact()");
    Ok(())
}

/// Only a full disk may have been the reason of a failure.
fn count(failures: &[String], counts: &mut Counts) -> Result<()> {
    for failure in failures {
        match failure.as_str() {
            "write StorageFull" => counts.writes += 1,
            "flush StorageFull" => counts.flushes += 1,
            "compact StorageFull" => counts.compactions += 1,
            other => bail!("a full disk led to {other}"),
        }
    }
    Ok(())
}

fn writes(worker: &mut Worker, expected: &mut Expected, count: u64) -> Result<()> {
    let mut left = count;
    worker
        .await_event(expected, "acknowledged writes", |event| {
            left -= u64::from(matches!(event, Event::Acked { .. }));
            left == 0
        })
        .map(drop)
}

/// Opens the store with space, looks for orphans, compares, and closes it.
fn look(args: &Args, disk: &Disk, expected: &mut Expected) -> Result<()> {
    let mut worker = start(args, disk, expected, &Tuning { inline: true, ..Tuning::of_round(args.seed) })?;
    worker.await_event(expected, "all rows", |event| matches!(event, Event::Dumped))?;
    worker.close(expected)
}

/// A file system of 32 MiB, unmounted in the end.
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn mount() -> Result<Self> {
        ensure!(rustix::process::geteuid().is_root(), "only root can mount a file system");
        let dir = tempfile::tempdir()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=32m", "tmpfs"])
            .arg(dir.path())
            .output()?;
        ensure!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr).trim());
        Ok(Self { dir })
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn ballast(&self) -> PathBuf {
        self.dir.path().join("ballast")
    }

    /// Leaves so many bytes, or fewer.
    fn fill(&self, left: u64) -> Result<()> {
        let ballast = File::create(self.ballast())?;
        let left = left.max(64 << 10);
        for _ in 0..8 {
            let free = free_bytes(self.dir.path())?;
            if free <= left {
                break;
            }
            let len = ballast.metadata()?.len();
            // The writers take some meanwhile: then there is less to take.
            let _full = fallocate(&ballast, FallocateFlags::empty(), len, free - left);
        }
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.ballast())?)
    }
}

fn free_bytes(path: &Path) -> Result<u64> {
    let found = statvfs(path)?;
    Ok(found.f_bavail * found.f_frsize)
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, as a worker that is just dying may still be in it.
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}
