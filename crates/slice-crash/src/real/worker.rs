//! The process that is killed: opens a store, tells what is in it, writes until it is told to close or is ended.
//!
//! It knows nothing of what should be in the store; the parent does.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use slice::blocking::LSMTree;
use slice::{ErrorKind, Health, WriteBatch};

use super::orphans::{bytes_on_disk, orphans};
use super::protocol::{Event, Order, tell};
use super::tuning::Tuning;
use super::workload::{Workload, Write, key};

/// How often a write that fails is tried again by a writer that is not patient.
const TRIES: usize = 3;
/// How long a writer rests between two tries.
const REST: Duration = Duration::from_millis(5);

/// What the worker is told to be.
#[derive(Clone, Debug, clap::Args)]
pub struct WorkerArgs {
    /// The directory of the store.
    #[arg(long)]
    pub(super) dir: PathBuf,
    #[command(flatten)]
    pub(super) workload: Workload,
    #[command(flatten)]
    pub(super) tuning: Tuning,
    /// How many files the process may have open.
    #[arg(long)]
    pub(super) files: Option<u64>,
    /// How many writes each writer does before the store is settled and closed; no end without it.
    #[arg(long)]
    pub(super) writes: Option<u64>,
    /// Tries writes again until they succeed.
    #[arg(long)]
    pub(super) patient: bool,
    /// Acknowledges every so many writes one without doing it: a bug, for the tests of the harness.
    #[arg(long)]
    pub(super) forget_every: Option<u64>,
    /// Opens the store with this bug of the engine, in a build that has them.
    #[arg(long)]
    pub(super) plant: Option<Flaw>,
}

/// Bugs of the engine that this harness has to find; see `slice::planted::Bug`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Flaw {
    SplitBatch,
    ForgetFailedSync,
}

/// Runs the worker's life.
///
/// # Errors
///
/// When the process cannot be set up. What the store says goes to the parent.
pub fn work(args: &WorkerArgs) -> Result<()> {
    die_of_panics();
    if let Some(files) = args.files {
        limit_files(files)?;
    }
    tell(&Event::Opening);
    let store = match builder(args)?.open_blocking() {
        Ok(store) => store,
        Err(error) => {
            failed("open", &error);
            return Ok(());
        }
    };
    tell(&Event::Opened);
    if args.tuning.inline
        && let Some(orphans) = orphans(&store, &args.dir)?
    {
        tell(&Event::Violation(orphans));
    }
    if dump(&store, &args.workload) {
        tell(&Event::Dumped);
        obey(args, &store);
    }
    Ok(())
}

/// A panic of any thread, caught or not, ends the process by a signal that the parent sees.
fn die_of_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        std::process::abort();
    }));
}

fn limit_files(files: u64) -> Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Rlimit { current: Some(files), maximum: Some(files) };
    setrlimit(Resource::Nofile, limit).context("could not limit the open files")
}

#[cfg(feature = "planted-bugs")]
#[expect(clippy::unnecessary_wraps, reason = "without the bugs it fails")]
fn builder(args: &WorkerArgs) -> Result<slice::Builder> {
    let builder = args.tuning.builder(&args.dir);
    Ok(match args.plant {
        Some(Flaw::SplitBatch) => builder.plant(slice::planted::Bug::SplitBatch),
        Some(Flaw::ForgetFailedSync) => builder.plant(slice::planted::Bug::ForgetFailedSync),
        None => builder,
    })
}

#[cfg(not(feature = "planted-bugs"))]
fn builder(args: &WorkerArgs) -> Result<slice::Builder> {
    anyhow::ensure!(args.plant.is_none(), "this build has no planted bugs");
    Ok(args.tuning.builder(&args.dir))
}

/// Tells all rows; says whether they could be read.
fn dump(store: &LSMTree, workload: &Workload) -> bool {
    for writer in 0..workload.writers {
        for number in 0..workload.keys {
            match store.get(&key(writer, number)) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let value = String::from_utf8_lossy(&value).into_owned();
                    tell(&Event::Row { writer, key: number, value });
                }
                Err(error) => {
                    failed("get", &error);
                    return false;
                }
            }
        }
    }
    true
}

/// Does as the parent says, until it says no more.
fn obey(args: &WorkerArgs, store: &LSMTree) {
    let lines = std::io::stdin().lines().map_while(Result::ok);
    let mut orders = lines.filter_map(|line| Order::parse(&line));
    let Some(Order::Go(next)) = orders.next() else { return finish(store) };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (number, first) in next.into_iter().enumerate() {
            let writer = Writer { store, args, number, stop: &stop };
            scope.spawn(move || writer.run(first));
        }
        if args.writes.is_none() {
            obey_beside_writers(args, store, orders);
            stop.store(true, Ordering::Relaxed);
        }
    });
    if args.writes.is_some() {
        settle(store, &args.dir);
        finish(store);
    }
}

fn obey_beside_writers(args: &WorkerArgs, store: &LSMTree, orders: impl Iterator<Item = Order>) {
    for order in orders {
        match order {
            Order::Go(_) => {}
            Order::Settle => settle(store, &args.dir),
            Order::Close => return finish(store),
        }
    }
}

fn settle(store: &LSMTree, dir: &Path) {
    for (call, outcome) in [("flush", store.flush()), ("compact", store.compact())] {
        if let Err(error) = outcome {
            return failed(call, &error);
        }
    }
    match (store.health(), bytes_on_disk(dir)) {
        (Health::Healthy, Ok(bytes)) => tell(&Event::Settled { bytes }),
        (Health::ReadOnly(error) | Health::Degraded(error), _) => failed("settle", &error),
        (health, bytes) => tell(&Event::Violation(format!("settled, and {health:?}, {bytes:?}"))),
    }
}

fn finish(store: &LSMTree) {
    match store.close() {
        Ok(()) => tell(&Event::Closed),
        Err(error) => failed("close", &error),
    }
}

fn failed(call: &str, error: &slice::Error) {
    // What is closed on request fails for everyone else.
    if error.kind() != ErrorKind::Closed {
        let kind = format!("{:?}", error.kind());
        tell(&Event::Failed { call: call.to_owned(), kind, text: error.to_string() });
    }
}

/// One thread that writes.
struct Writer<'a> {
    store: &'a LSMTree,
    args: &'a WorkerArgs,
    number: usize,
    stop: &'a AtomicBool,
}

impl Writer<'_> {
    fn run(&self, first: u64) {
        let end = self.args.writes.map_or(u64::MAX, |writes| first + writes);
        for n in first..end {
            if self.stop.load(Ordering::Relaxed) || !self.acknowledged(n) {
                return;
            }
            tell(&Event::Acked { writer: self.number, n });
            self.upkeep(n);
        }
    }

    /// Tries a write, more than once if need be; the same write twice is the same as once.
    fn acknowledged(&self, n: u64) -> bool {
        let write = self.args.workload.write(self.number, n);
        let tries = if self.args.patient { usize::MAX } else { TRIES };
        for _ in 0..tries {
            let was_read_only = matches!(self.store.health(), Health::ReadOnly(_));
            match self.write(n, &write) {
                Ok(()) if was_read_only => {
                    tell(&Event::Violation(format!(
                        "write {n} was acknowledged by a store that is read-only"
                    )));
                }
                Ok(()) => return true,
                Err(error) => {
                    failed("write", &error);
                    if self.stop.load(Ordering::Relaxed) || error.kind() == ErrorKind::Closed {
                        return false;
                    }
                    self.check_refused(&error);
                    std::thread::park_timeout(REST);
                }
            }
        }
        false
    }

    /// A store that says that it is read-only has a reason, and says so when asked, too.
    fn check_refused(&self, error: &slice::Error) {
        if error.kind() == ErrorKind::ReadOnly && !matches!(self.store.health(), Health::ReadOnly(_)) {
            tell(&Event::Violation(format!("a write was refused ({error}), and the health is not ReadOnly")));
        }
    }

    fn forgets(&self, n: u64) -> bool {
        self.args.forget_every.is_some_and(|every| n % every == every - 1)
    }

    fn write(&self, n: u64, write: &Write) -> slice::Result<()> {
        if self.forgets(n) {
            return Ok(());
        }
        match write.as_slice() {
            [(number, Some(value))] => self.store.put(&key(self.number, *number), value.as_bytes()),
            [(number, None)] => self.store.delete(&key(self.number, *number)),
            entries => self.write_batch(entries),
        }
    }

    fn write_batch(&self, entries: &[(u16, Option<String>)]) -> slice::Result<()> {
        let mut batch = WriteBatch::new();
        for (number, value) in entries {
            let key = key(self.number, *number);
            match value {
                Some(value) => batch.put(&key, value.as_bytes())?,
                None => batch.delete(&key)?,
            }
        }
        self.store.write(batch)
    }

    /// Now and then a writer asks for work in the background, and for what it has just written.
    fn upkeep(&self, n: u64) {
        let (call, outcome) = match n {
            n if n % 401 == 400 => ("compact", self.store.compact()),
            n if n % 97 == 96 => ("flush", self.store.flush()),
            n if n % 53 == 52 => ("sync", self.store.sync()),
            n if n % 7 == 6 => ("get", self.read_back(n)),
            _ => return,
        };
        if let Err(error) = outcome {
            failed(call, &error);
        }
    }

    fn read_back(&self, n: u64) -> slice::Result<()> {
        let write = self.args.workload.write(self.number, n);
        let Some((number, value)) = write.last() else { return Ok(()) };
        let found = self.store.get(&key(self.number, *number))?;
        if found.as_deref() != value.as_ref().map(String::as_bytes) && !self.forgets(n) {
            tell(&Event::Violation(format!("writer {} does not see its write {n}", self.number)));
        }
        Ok(())
    }
}
