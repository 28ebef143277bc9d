//! Faults at the n-th system call, by strace: `EIO`, `ENOSPC`, SIGKILL, and an fsync that lies.
//!
//! | files | what is injected |
//! |---|---|
//! | logs, tables, manifests with `CURRENT` | each of the first three, at calls 1 to 200 that name or write such a file |
//! | logs | `EIO` at their syncs alone, 1 to 200 |
//! | all | every fsync says that it is done, and does nothing |
//!
//! strace counts by thread and by kind of call: at 3 the third `openat` of each thread fails, its third `fallocate`, and so
//! on. Every other store has no threads, so that the count covers flush and compaction; the
//! others have all of theirs. A failed call was not done at all: strace does not let it through. A lying fsync loses
//! nothing to a kill, as the page cache survives; what is tried is that nothing else relied on it.
#![expect(
    clippy::disallowed_methods,
    reason = "waits end by the clock, and what strace wrote is no file of the store"
)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::expected::Expected;
use super::process::{Heard, PATIENCE, Worker, worker_args};
use super::protocol::Event;
use super::tuning::Tuning;
use super::workload::Workload;
use super::{Args, Report, fast_directory};

/// The calls that change something. `?` is for those that a processor's architecture lacks.
const CALLS: &str = "?open,openat,write,pwrite64,pwritev,fallocate,ftruncate,mmap,?rename,renameat,renameat2,?unlink,\
                     unlinkat,fsync,fdatasync";
const SYNCS: &str = "fsync,fdatasync";
/// After so many calls in a row that were not reached, no later one will be.
const UNREACHED: u64 = 8;

/// A kind of file.
#[derive(Clone, Copy, Debug)]
enum Files {
    Logs,
    Tables,
    Manifests,
    All,
}

impl Files {
    /// strace's `-P`, for the first files of this kind: it takes no patterns.
    fn filter(self, dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Logs => (0..60).map(|n| format!("wal_{n:06}.log")).collect(),
            Self::Tables => (0..80)
                .flat_map(|n| ["db", "idx", "bloom"].map(|extension| format!("sstable_{n:06}.{extension}")))
                .collect(),
            Self::Manifests => (0..10).map(|n| format!("MANIFEST-{n:06}")).collect(),
            Self::All => return Vec::new(),
        };
        if matches!(self, Self::Manifests) {
            names.extend(["CURRENT".to_owned(), "CURRENT.tmp".to_owned()]);
        }
        names.into_iter().flat_map(|name| ["-P".to_owned(), dir.join(name).display().to_string()]).collect()
    }
}

/// One run: this fault, at this call.
#[derive(Debug)]
struct Case {
    files: Files,
    calls: &'static str,
    fault: &'static str,
    /// `None` is every call.
    at: Option<u64>,
    seed: u64,
}

impl Case {
    fn injection(&self) -> String {
        let when = self.at.map_or_else(String::new, |n| format!(":when={n}"));
        format!("inject={}:{}{when}", self.calls, self.fault)
    }
}

/// What came of the cases.
#[derive(Debug, Default)]
struct Counts {
    runs: u64,
    reached: u64,
    failures: usize,
    acknowledged: u64,
}

/// Tries each kind of file, fault and call.
pub(super) fn run(args: &Args) -> Result<Report> {
    if let Err(reason) = find_strace(args) {
        return Ok(format!("skipped: {reason:#}"));
    }
    let mut counts = Counts::default();
    let mut last = Vec::new();
    let reached = each_call(args, Files::Logs, (SYNCS, "error=EIO"), &mut counts)?;
    last.push(format!("syncs of logs alone error=EIO to call {reached}"));
    for files in [Files::Logs, Files::Tables, Files::Manifests] {
        for fault in ["error=EIO", "error=ENOSPC", "signal=KILL"] {
            let reached = each_call(args, files, (CALLS, fault), &mut counts)?;
            last.push(format!("{files:?} {fault} to call {reached}"));
        }
    }
    for round in 0..20 {
        let (calls, fault, seed) = (SYNCS, "retval=0", args.seed + round);
        try_case(args, &Case { files: Files::All, calls, fault, at: None, seed }, &mut counts)?;
    }
    ensure!(counts.reached > 0 && counts.failures > 0, "strace injected nothing that was felt: {counts:?}");
    Ok(format!(
        "{} runs, {} with a fault ({}; 20 with lying fsyncs), {} calls failed, {} writes acknowledged and found",
        counts.runs,
        counts.reached,
        last.join(", "),
        counts.failures,
        counts.acknowledged
    ))
}

/// Goes from call to call, as long as they are reached; gives the last one that was.
fn each_call(
    args: &Args,
    files: Files,
    (calls, fault): (&'static str, &'static str),
    counts: &mut Counts,
) -> Result<u64> {
    let mut last = 0;
    for n in 1..=args.calls {
        let case = Case { files, calls, fault, at: Some(n), seed: args.seed + n };
        if try_case(args, &case, counts)? {
            last = n;
        } else if n > last + UNREACHED {
            break;
        }
    }
    Ok(last)
}

/// Runs a worker with a fault, then one without; says whether the fault was met.
fn try_case(args: &Args, case: &Case, counts: &mut Counts) -> Result<bool> {
    let dir = fast_directory()?;
    let writers = 1 + (case.seed % 2) as usize;
    let workload = Workload { seed: case.seed, writers, keys: 48, largest_batch: 16 };
    let mut expected = Expected::new(workload);
    let met = run_case(args, case, &mut expected, dir.path(), counts)
        .with_context(|| format!("strace -f -e {} on {:?}", case.injection(), case.files))?;
    counts.runs += 1;
    counts.reached += u64::from(met);
    counts.acknowledged += expected.acknowledged;
    Ok(met)
}

fn run_case(
    args: &Args,
    case: &Case,
    expected: &mut Expected,
    dir: &Path,
    counts: &mut Counts,
) -> Result<bool> {
    let store = dir.canonicalize()?.join("store");
    let inline = expected.workload().writers == 1;
    let tuning = Tuning {
        inline,
        fsync: case.seed.is_multiple_of(3),
        memtable: Some(16 << 10),
        ..Tuning::of_round(case.seed)
    };
    let trace = dir.join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&trace).args(["-e", &format!("trace={}", case.calls)]);
    strace.args(["-e", &case.injection()]).args(case.files.filter(&store)).arg(&args.worker);
    strace.args(worker_args(&store, expected, &tuning)).args(["--writes", "400"]).args(&args.worker_extra);
    let mut worker = Worker::start(strace, expected.workload().writers)?;
    // It may die at any moment, so `go` is said when it can be.
    let heard =
        worker.listen_until(expected, Instant::now() + PATIENCE, |event| matches!(event, Event::Dumped))?;
    let started = matches!(heard, Heard::Event(_));
    if started {
        worker.order_go(expected);
    }
    let status = worker.end(expected)?;
    let traced = read(&trace)?;
    let killed = traced.contains("+++ killed by SIGKILL +++");
    ensure!(killed == (case.fault == "signal=KILL" && !status.success()), "the worker ended with {status}");
    ensure!(status.success() || killed, "the worker ended with {status}");
    ensure!(
        started || killed || !worker.failures.is_empty(),
        "it did not open, and no reason was given: {heard:?}"
    );
    let log_sync_failed = matches!(case.files, Files::Logs) && traced.lines().any(is_failed_sync);
    ensure!(!log_sync_failed || !worker.failures.is_empty(), "a failed sync of a log was not told");
    counts.failures += worker.failures.len();
    for inline in [false, true] {
        look(args, expected, &store, &Tuning { inline, ..tuning.clone() })?;
    }
    Ok(traced.contains("(INJECTED)") || killed)
}

/// Whether a line of strace's is a sync that was made to fail.
fn is_failed_sync(line: &str) -> bool {
    line.contains("sync(") && line.contains("= -1") && line.contains("(INJECTED)")
}

/// Opens the store without faults, compares, and closes it.
fn look(args: &Args, expected: &mut Expected, store: &Path, tuning: &Tuning) -> Result<()> {
    let mut command = args.command();
    command.args(worker_args(store, expected, tuning));
    let mut worker = Worker::start(command, expected.workload().writers)?;
    worker.await_event(expected, "all rows without faults", |event| matches!(event, Event::Dumped))?;
    worker.close(expected)
}

fn read(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())
}

/// Sees to it that there is an strace: root may install the package.
fn find_strace(args: &Args) -> Result<()> {
    let is_there =
        || Command::new("strace").arg("--version").output().is_ok_and(|output| output.status.success());
    if is_there() {
        return Ok(());
    }
    if !args.installs || !rustix::process::geteuid().is_root() {
        bail!("there is no strace; root may install it by cargo xtask crash --real");
    }
    let installed = Command::new("apt-get").args(["install", "-y", "strace"]).output();
    ensure!(installed.is_ok() && is_there(), "there is no strace, and apt-get did not bring one");
    Ok(())
}
