//! 64 open files, and more tables than that.
//!
//! Calls fail with typed errors. What was acknowledged is there once the process may open more.

use anyhow::{Result, ensure};

use super::expected::Expected;
use super::process::{Worker, worker_args};
use super::protocol::Event;
use super::tuning::Tuning;
use super::workload::Workload;
use super::{Args, Report, fast_directory};

const FILES: &str = "64";
const ROUNDS: u64 = 8;

/// Writes under the limit, reopens under it and without it.
pub(super) fn run(args: &Args) -> Result<Report> {
    let (mut failures, mut acknowledged, mut refused_opens) = (0, 0, 0);
    for round in 0..ROUNDS {
        let dir = fast_directory()?;
        let workload = Workload { seed: args.seed + round, writers: 2, keys: 1000, largest_batch: 64 };
        let mut expected = Expected::new(workload);
        let tuning = Tuning { memtable: Some(16 << 10), ..Tuning::of_round(args.seed + round) };
        let start = |expected: &Expected, extra: &[&str]| {
            let mut command = args.command();
            command.args(worker_args(dir.path(), expected, &tuning)).args(extra);
            Worker::start(command, 2)
        };
        let mut worker = start(&expected, &["--files", FILES, "--writes", "3000"])?;
        worker.go(&mut expected)?;
        let status = worker.end(&mut expected)?;
        ensure!(status.success(), "under the limit the worker ended with {status}: {:?}", worker.failures);
        failures += worker.failures.len();
        let mut worker = start(&expected, &["--files", FILES])?;
        let status = worker.end(&mut expected)?;
        ensure!(status.success(), "reopened under the limit, it ended with {status}: {:?}", worker.failures);
        refused_opens += u64::from(!worker.has_opened);
        let mut worker = start(&expected, &[])?;
        worker.await_event(&mut expected, "all rows", |event| matches!(event, Event::Dumped))?;
        worker.close(&mut expected)?;
        acknowledged += expected.acknowledged;
    }
    ensure!(failures > 0 || refused_opens > 0, "the limit was never reached");
    Ok(format!(
        "{ROUNDS} stores with {FILES} open files, {acknowledged} writes acknowledged, {failures} calls failed, \
         {refused_opens} opens refused; all there without the limit"
    ))
}
