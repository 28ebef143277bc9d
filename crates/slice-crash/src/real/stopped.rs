//! SIGSTOP for some seconds, in the midst of writes, flushes and syncs, then SIGCONT.
//!
//! To the store it is as if all its threads and the clock had jumped. Others still find the directory locked.
#![expect(clippy::disallowed_methods, reason = "a stop lasts for a time of the clock")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::expected::Expected;
use super::process::{Worker, worker_args};
use super::protocol::{Event, Order};
use super::tuning::Tuning;
use super::workload::Workload;
use super::{Args, Report};

/// How often, and how long each time.
const STOPS: u64 = 5;
const STOP: Duration = Duration::from_secs(3);
/// Acknowledged writes between two stops.
const WRITES: u64 = 500;

/// Stops a worker a few times, then settles and kills it.
pub(super) fn run(args: &Args) -> Result<Report> {
    let dir = tempfile::tempdir()?;
    let workload = Workload { seed: args.seed, writers: 4, keys: 48, largest_batch: 16 };
    let mut expected = Expected::new(workload);
    // Every other round with every write synced.
    for stop in 0..STOPS {
        let tuning = Tuning { fsync: stop % 2 == 0, ..Tuning::of_round(args.seed + stop) };
        let mut command = args.command();
        command.args(worker_args(dir.path(), &expected, &tuning));
        let mut worker = Worker::start(command, 4)?;
        worker.go(&mut expected)?;
        stop_and_go(&mut worker, &mut expected, dir.path()).with_context(|| format!("stop {stop}"))?;
        worker.kill(&mut expected)?;
        ensure!(worker.failures.is_empty(), "calls failed: {:?}", worker.failures);
    }
    let mut command = args.command();
    command.args(worker_args(dir.path(), &expected, &Tuning { inline: true, ..Tuning::of_round(args.seed) }));
    let mut worker = Worker::start(command, 4)?;
    worker.await_event(&mut expected, "all rows", |event| matches!(event, Event::Dumped))?;
    worker.close(&mut expected)?;
    Ok(format!(
        "{STOPS} stops of {STOP:?}, {} writes acknowledged, the directory locked throughout",
        expected.acknowledged
    ))
}

fn stop_and_go(worker: &mut Worker, expected: &mut Expected, dir: &std::path::Path) -> Result<()> {
    writes(worker, expected)?;
    worker.signal(Signal::STOP);
    let end = Instant::now() + STOP;
    let opened = slice::LSMTree::builder(dir).open_blocking();
    let kind = opened.as_ref().err().map(slice::Error::kind);
    ensure!(kind == Some(slice::ErrorKind::Locked), "a stopped store could be opened beside: {opened:?}");
    worker.listen_until(expected, end, |_| false)?;
    worker.signal(Signal::CONT);
    writes(worker, expected)?;
    worker.order(&Order::Settle);
    worker.await_event(expected, "drained debt", |event| matches!(event, Event::Settled { .. })).map(drop)
}

fn writes(worker: &mut Worker, expected: &mut Expected) -> Result<()> {
    let mut left = WRITES;
    worker
        .await_event(expected, "acknowledged writes", |event| {
            left -= u64::from(matches!(event, Event::Acked { .. }));
            left == 0
        })
        .map(drop)
}
