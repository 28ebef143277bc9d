//! SIGKILL at random moments, over a few directories that live on, so that recoveries build on recoveries.
//!
//! After each kill the next worker tells all that is in the store: the write in flight is there as a whole or not at
//! all, everything before it is there, and nothing else. Every third worker has no threads, and looks for orphans.
#![expect(clippy::disallowed_methods, reason = "a kill comes at a moment of the clock")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use super::expected::Expected;
use super::process::{Worker, worker_args};
use super::protocol::{Event, Order};
use super::tuning::Tuning;
use super::workload::Workload;
use super::{Args, Report, fast_directory};

/// How many directories live on.
const DIRECTORIES: usize = 4;

/// A directory, and what must be in it.
struct Place {
    dir: TempDir,
    expected: Expected,
}

/// When to kill.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after the open has begun.
    Opening(Duration),
    /// So long after the writers have begun.
    Writing(Duration),
    /// After so many more acknowledged writes.
    Acknowledged(u64),
    /// So long after the close was asked for, behind so many writes.
    Closing(u64, Duration),
}

impl Moment {
    fn random(rng: &mut SmallRng) -> Self {
        // Most opens and closes are over in a millisecond, some take many.
        let scale = rng.random_range(0..7);
        let mut micros = |most| Duration::from_micros(rng.random_range(0..most));
        let (short, long) = (micros(100 << scale), micros(40_000));
        match rng.random_range(0..4) {
            0 => Self::Opening(short),
            1 => Self::Writing(long),
            2 => Self::Acknowledged(rng.random_range(1..1500)),
            _ => Self::Closing(rng.random_range(1..300), short),
        }
    }
}

/// How many kills came when.
#[derive(Debug, Default)]
struct Counts {
    while_opening: u64,
    while_writing: u64,
    closed: u64,
}

/// Kills as often as it is told to.
pub(super) fn run(args: &Args) -> Result<Report> {
    let since = Instant::now();
    let mut rng = SmallRng::seed_from_u64(args.seed);
    let mut places = (0..DIRECTORIES).map(|n| place(args.seed, n)).collect::<Result<Vec<_>>>()?;
    let mut counts = Counts::default();
    for kill in 0..args.kills {
        // The directory on the disk, the first, has its turn less often, and each has workers with and without threads.
        let at = if kill.is_multiple_of(16) { 0 } else { 1 + (kill / 3) as usize % (DIRECTORIES - 1) };
        let moment = Moment::random(&mut rng);
        let tuning = Tuning { inline: kill.is_multiple_of(3), ..Tuning::of_round(rng.random()) };
        kill_one(args, &mut places[at], &tuning, moment, &mut counts)
            .with_context(|| format!("kill {kill}, directory {at}, {moment:?}, {tuning:?}"))?;
    }
    for place in &mut places {
        for inline in [false, true] {
            look(args, place, inline).context("after the last kill")?;
        }
    }
    Ok(report(args.kills, &places, &counts, since.elapsed()))
}

fn report(kills: u64, places: &[Place], counts: &Counts, took: Duration) -> Report {
    let sum = |of: fn(&Expected) -> u64| places.iter().map(|place| of(&place.expected)).sum::<u64>();
    format!(
        "{kills} kills in {took:.0?} ({} while opening, {} while writing, {} came after the close), \
         {} writes acknowledged, {} states compared, {} untold writes found whole",
        counts.while_opening,
        counts.while_writing,
        counts.closed,
        sum(|expected| expected.acknowledged),
        sum(|expected| expected.checks),
        sum(|expected| expected.found_untold),
    )
}

/// The directory `n`, with `n + 1` writers.
fn place(seed: u64, n: usize) -> Result<Place> {
    let workload =
        Workload { seed: seed ^ n as u64, writers: n + 1, keys: 48, largest_batch: 16 << (2 * (n % 2)) };
    // One on a disk, where syncs take their time, and the others where there are more kills a second.
    let dir = if n == 0 { tempfile::tempdir()? } else { fast_directory()? };
    Ok(Place { dir, expected: Expected::new(workload) })
}

fn start(args: &Args, place: &Place, tuning: &Tuning) -> Result<Worker> {
    let mut command = args.command();
    command.args(worker_args(place.dir.path(), &place.expected, tuning)).args(&args.worker_extra);
    Worker::start(command, place.expected.workload().writers)
}

fn kill_one(
    args: &Args,
    place: &mut Place,
    tuning: &Tuning,
    moment: Moment,
    counts: &mut Counts,
) -> Result<()> {
    let mut worker = start(args, place, tuning)?;
    let expected = &mut place.expected;
    if let Moment::Opening(delay) = moment {
        worker.await_event(expected, "its beginning", |event| matches!(event, Event::Opening))?;
        worker.listen_until(expected, Instant::now() + delay, |_| false)?;
    } else {
        worker.go(expected)?;
        until(&mut worker, expected, moment)?;
    }
    worker.kill(expected)?;
    anyhow::ensure!(worker.failures.is_empty(), "calls failed: {:?}", worker.failures);
    match (worker.has_opened, worker.has_closed) {
        (false, _) => counts.while_opening += 1,
        (true, false) => counts.while_writing += 1,
        (true, true) => counts.closed += 1,
    }
    Ok(())
}

/// Lets the writers write until the moment has come.
fn until(worker: &mut Worker, expected: &mut Expected, moment: Moment) -> Result<()> {
    let mut after = |worker: &mut Worker, writes: u64| {
        let mut left = writes;
        worker.await_event(expected, "acknowledged writes", |event| {
            left -= u64::from(matches!(event, Event::Acked { .. }));
            left == 0
        })
    };
    let delay = match moment {
        Moment::Opening(delay) | Moment::Writing(delay) => delay,
        Moment::Acknowledged(writes) => return after(worker, writes).map(drop),
        Moment::Closing(writes, delay) => {
            after(worker, writes)?;
            worker.order(&Order::Close);
            delay
        }
    };
    worker.listen_until(expected, Instant::now() + delay, |_| false).map(drop)
}

/// Opens the store, compares, and closes it.
fn look(args: &Args, place: &mut Place, inline: bool) -> Result<()> {
    let mut worker = start(args, place, &Tuning { inline, ..Tuning::of_round(args.seed) })?;
    worker.await_event(&mut place.expected, "all rows", |event| matches!(event, Event::Dumped))?;
    worker.close(&mut place.expected)
}
