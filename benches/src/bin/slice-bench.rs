//! The workload driver: one workload on one store, and its figures. `docs/BENCHMARK_RESULTS.md` says how to read them.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use slice::{Compression, Durability};
use slice_benches::driver::{self, Run, StoreOptions};
use slice_benches::keys::MIN_VALUE_BYTES;
use slice_benches::report::{Figure, Report};
use slice_benches::workload::{Plan, Workload};

const KEYS: std::ops::RangeInclusive<u64> = 1..=1_000_000_000_000;
const CLIENTS: std::ops::RangeInclusive<u64> = 1..=10_000;

/// Does one workload on one store, and says what it took.
#[derive(Parser)]
#[command(name = "slice-bench")]
#[expect(clippy::struct_excessive_bools, reason = "they are flags of a command line")]
struct Args {
    /// What is done.
    #[arg(long, value_enum)]
    workload: Workload,
    /// How many keys there are.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(KEYS))]
    num: u64,
    /// How many operations are done; as many as there are keys if it is left out.
    #[arg(long)]
    ops: Option<u64>,
    /// The bytes of a value; 32 at least.
    #[arg(long, default_value_t = 100)]
    value_bytes: usize,
    /// How many tasks do it side by side.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(CLIENTS))]
    clients: u64,
    /// Threads of the async runtime; one for each processor if it is left out.
    #[arg(long)]
    workers: Option<NonZero<usize>>,
    /// When a write is acknowledged: buffered, fsync, or interval-MS.
    #[arg(long, default_value = "buffered", value_parser = durability)]
    durability: Durability,
    /// The block cache.
    #[arg(long, default_value_t = 256)]
    block_cache_mib: usize,
    /// The row cache, in rows.
    #[arg(long, default_value_t = 1000)]
    row_cache_entries: usize,
    /// The memtable.
    #[arg(long, default_value_t = 64)]
    memtable_mib: usize,
    /// How blocks are compressed.
    #[arg(long, value_enum, default_value_t = Codec::Lz4)]
    codec: Codec,
    /// Where the store is made, and left; if it is left out, in a temporary directory that is removed.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The keys are in --dir already, from fillseq or fillrandom-distinct with the same --num, --seed, --value-bytes.
    #[arg(long, requires = "dir")]
    existing: bool,
    /// Compact everything at the end.
    #[arg(long)]
    compact: bool,
    /// Read every key at the end, and check its value.
    #[arg(long)]
    verify: bool,
    /// What all choices follow from.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Codec {
    None,
    Lz4,
}

fn durability(text: &str) -> Result<Durability, String> {
    match text.strip_prefix("interval-") {
        Some(millis) => {
            let millis = millis.parse().map_err(|error| format!("{millis} milliseconds: {error}"))?;
            Ok(Durability::Interval(Duration::from_millis(millis)))
        }
        None if text == "buffered" => Ok(Durability::Buffered),
        None if text == "fsync" => Ok(Durability::Fsync),
        None => Err("it is buffered, fsync, or interval-MS".to_owned()),
    }
}

impl Args {
    fn run(&self) -> anyhow::Result<Run> {
        ensure!(self.value_bytes >= MIN_VALUE_BYTES, "--value-bytes is {MIN_VALUE_BYTES} at least");
        ensure!(self.clients <= self.num, "--clients is more than --num");
        let fills_once = matches!(self.workload, Workload::FillSeq | Workload::FillRandomDistinct);
        ensure!(!fills_once || self.ops.is_none(), "--ops of this workload is --num");
        ensure!(!(self.workload.fills() && self.existing), "a fill starts with an empty store");
        Ok(Run {
            plan: Plan::new(self.workload, self.num, self.clients, self.value_bytes, self.seed),
            ops: self.ops.unwrap_or(self.num),
            existing: self.existing,
            compact: self.compact,
            verify: self.verify,
            store: StoreOptions {
                durability: self.durability,
                compression: match self.codec {
                    Codec::None => Compression::None,
                    Codec::Lz4 => Compression::Lz4,
                },
                block_cache_bytes: self.block_cache_mib << 20,
                row_cache_entries: self.row_cache_entries,
                memtable_size: self.memtable_mib << 20,
            },
        })
    }

    fn workers(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
        self.workers.map_or_else(processors, NonZero::get)
    }

    /// What was run, for the head of the report.
    fn head(&self, run: &Run) -> Report {
        let mut head = Report::default();
        let text = |text: String| Figure::Text(text);
        head.section("config");
        let workload = self.workload.to_possible_value().map(|value| value.get_name().to_owned());
        head.add("workload", text(workload.unwrap_or_default()));
        head.add("keys", Figure::Count(self.num));
        head.add("ops", Figure::Count(run.ops));
        head.add("value_bytes", Figure::Count(self.value_bytes as u64));
        head.add("clients", Figure::Count(self.clients));
        head.add("workers", Figure::Count(self.workers() as u64));
        head.add("durability", text(format!("{:?}", self.durability)));
        head.add("codec", text(format!("{:?}", self.codec)));
        head.add("block_cache_bytes", Figure::Bytes(run.store.block_cache_bytes as u64));
        head.add("row_cache_entries", Figure::Count(run.store.row_cache_entries as u64));
        head.add("memtable_bytes", Figure::Bytes(run.store.memtable_size as u64));
        head.add("seed", Figure::Count(self.seed));
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        head.add("load_before", text(load.trim().to_owned()));
        head
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let run = args.run()?;
    let mut report = args.head(&run);
    let temporary = if args.dir.is_none() { Some(tempfile::tempdir()?) } else { None };
    let dir = args.dir.clone().or_else(|| temporary.as_ref().map(|dir| dir.path().join("store")));
    let dir = dir.context("no directory")?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(args.workers()).build().context("no runtime")?;
    let task = async move { driver::run(&dir, &run).await };
    // On a worker, not beside them: the thread that blocks on the runtime is none of its threads.
    report.append(runtime.block_on(runtime.spawn(task)).context("the run panicked")??);
    #[expect(clippy::print_stdout, reason = "the report is what the program is for")]
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    Ok(())
}
