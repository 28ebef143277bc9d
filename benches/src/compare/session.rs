//! The runs of a comparison, one after the other, each in a process of its own: this program, called anew.
//!
//! ```text
//!   for each round, for each row, for each engine, in the order of the round:
//!       place the store ── write back ── [ process: one run ] ── write results.json
//! ```
//!
//! A process has its own allocator, caches and threads, and its peak of memory is that of one run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::compare::measure::OPEN_MS;
use crate::compare::order::in_round;
use crate::compare::rows::{ROWS, Row, Start};
use crate::compare::settings::{Amount, Settings};
use crate::compare::stores::{Stores, write_back};
use crate::knobs::Durability;
use crate::results::Run;

/// An engine that takes so much longer for each write that rows whose writes are counted have fewer of them, by this
/// factor. It is no LSM tree, and has no compactions that fewer writes would spare it.
const SLOW: (&str, u64) = ("redb", 20);
/// The memtable of a store that crashes, in MiB: none of its writes is in a table.
const CRASH_MEMTABLE_MIB: usize = 256;

/// The runs of a comparison.
pub struct Session<'a> {
    settings: &'a Settings,
    rows: Vec<Row>,
    program: PathBuf,
}

impl<'a> Session<'a> {
    /// A comparison of these rows, each run of which is done by a program that understands what this one does.
    pub fn new(settings: &'a Settings, rows: Vec<Row>, program: PathBuf) -> Self {
        Self { settings, rows, program }
    }

    /// Does all runs, and gives each to `take`.
    ///
    /// # Errors
    ///
    /// Those of `take`, or if the stores cannot be removed.
    pub fn run(&self, mut take: impl FnMut(anyhow::Result<Run>) -> anyhow::Result<()>) -> anyhow::Result<()> {
        if !self.settings.keep {
            self.remove_stores()?;
        }
        for round in 0..self.settings.rounds() {
            for row in &self.rows {
                for engine in in_round(&self.settings.engines, round as usize) {
                    let run = self.measure(&engine, row, round);
                    take(run.with_context(|| format!("{engine}, {}, round {round}", row.name())))?;
                }
            }
        }
        if self.settings.keep { Ok(()) } else { self.remove_stores() }
    }

    fn remove_stores(&self) -> anyhow::Result<()> {
        for engine in &self.settings.engines {
            self.rows.iter().try_for_each(|row| self.stores(engine, row).remove())?;
        }
        Ok(())
    }

    /// Values of another length are in stores of their own.
    fn stores(&self, engine: &str, row: &Row) -> Stores {
        match self.value_bytes(row) {
            bytes if bytes == self.settings.value_bytes => Stores::of(&self.settings.dir, engine),
            bytes => Stores::of(&self.settings.dir, &format!("{engine}-{bytes}")),
        }
    }

    fn value_bytes(&self, row: &Row) -> usize {
        row.workload.value_bytes().unwrap_or(self.settings.value_bytes)
    }

    fn measure(&self, engine: &str, row: &Row, round: u64) -> anyhow::Result<Run> {
        let stores = self.stores(engine, row);
        if matches!(row.start, Start::Loaded | Start::Copy | Start::Cold) && !stores.loaded().exists() {
            self.load(engine, row, &place(&ROWS[0], &stores)?)?;
        }
        let dir = place(row, &stores)?;
        if row.start == Start::Crashed {
            self.crash(engine, row, round, &dir)?;
        }
        write_back();
        let mut run = self.process(engine, row, round, &dir)?;
        run.workload = row.label();
        if dir == stores.work() {
            stores.empty_work()?;
        }
        Ok(run)
    }

    /// One run in a process of its own.
    fn process(&self, engine: &str, row: &Row, round: u64, dir: &Path) -> anyhow::Result<Run> {
        let mut command = self.command(engine, row, round, dir);
        match row.start {
            Start::Crashed => {
                command.args(["--workload", "readmissing", "--ops", "1", "--existing"]).arg(self.keys())
            }
            _ => command.args(self.work(engine, row)).args(self.wishes(row)),
        };
        let mut run = figures(command, &self.settings.dir.join("run.json"))?;
        if row.start == Start::Crashed {
            let open_s = run.extra.get("open_s").copied().context("no time to open")?;
            run.extra.insert(OPEN_MS.to_owned(), open_s * 1e3);
        }
        Ok(run)
    }

    /// A store with all keys, and with values as a row has them.
    fn load(&self, engine: &str, row: &Row, dir: &Path) -> anyhow::Result<()> {
        let (clients, durability) = (ROWS[0].clients, Durability::Buffered);
        let row = Row { clients, durability, start: Start::Empty, ..*row };
        let mut command = self.command(engine, &row, 0, dir);
        command.args(["--workload", "fillrandom-distinct"]).args(["--keys", &self.settings.keys.to_string()]);
        figures(command, &self.settings.dir.join("run.json")).map(drop)
    }

    /// A process that writes a log and is killed in the midst of it all.
    fn crash(&self, engine: &str, row: &Row, round: u64, dir: &Path) -> anyhow::Result<()> {
        let mut command = self.command(engine, row, round, dir);
        command.args(self.work(engine, row)).arg("--crash");
        let status = command.status().with_context(|| format!("could not start {command:?}"))?;
        ensure!(!status.success(), "it was to be killed and was not: {command:?}");
        Ok(())
    }

    /// What a row does, on the command line.
    fn work(&self, engine: &str, row: &Row) -> Vec<String> {
        let mut args = vec!["--workload".to_owned(), row.workload.name()];
        match self.settings.amount(row, self.rows.len()) {
            Amount::Ops(ops) if engine == SLOW.0 && !row.workload.fills_once() => {
                args.extend([self.keys(), "--ops".to_owned(), (ops / SLOW.1).max(1).to_string()]);
            }
            // The operations of a workload that writes each key once are its keys.
            Amount::Ops(ops) if row.workload.fills_once() => {
                args.extend(["--keys".to_owned(), ops.to_string()]);
            }
            Amount::Ops(ops) => args.extend([self.keys(), "--ops".to_owned(), ops.to_string()]),
            Amount::For(time) => {
                args.extend([self.keys(), "--seconds".to_owned(), time.as_secs_f64().to_string()]);
            }
        }
        args.extend((!row.workload.fills()).then(|| "--existing".to_owned()));
        args
    }

    fn keys(&self) -> String {
        format!("--keys={}", self.settings.keys)
    }

    /// What else was asked for.
    fn wishes(&self, row: &Row) -> Vec<String> {
        let Settings { verify, steady, neighbour, .. } = *self.settings;
        let mut args = Vec::new();
        args.extend((row.start == Start::Cold).then(|| "--cold".to_owned()));
        args.extend(verify.then(|| "--verify".to_owned()));
        args.extend(neighbour.then(|| "--neighbour".to_owned()));
        args.extend((row.is_worn_in() && steady > 0).then(|| format!("--steady={steady}")));
        args
    }

    /// The program, with what is alike for all that is done with a store.
    fn command(&self, engine: &str, row: &Row, round: u64, dir: &Path) -> Command {
        let Settings { seed, warmup, knobs, .. } = self.settings;
        let mut command = Command::new(&self.program);
        let mut set = |name: &str, value: String| {
            command.arg(format!("--{name}")).arg(value);
        };
        let memtable = if row.start == Start::Crashed { CRASH_MEMTABLE_MIB } else { knobs.memtable_mib };
        set("engine", engine.to_owned());
        set("clients", row.clients.to_string());
        set("round", round.to_string());
        set("dir", dir.display().to_string());
        set("value-bytes", self.value_bytes(row).to_string());
        set("seed", seed.to_string());
        set("warmup", if row.is_warmed() { warmup.to_string() } else { "0".to_owned() });
        set("cache", knobs.cache_mib.to_string());
        set("memtable", memtable.to_string());
        set("durability", row.durability.to_string());
        set("row-cache-entries", knobs.row_cache_entries.to_string());
        set("bloom-bits", knobs.bloom_bits.to_string());
        set("codec", knobs.codec.to_string());
        set("background-threads", knobs.background_threads.to_string());
        command
    }
}

/// Where a row finds the store that it starts from.
fn place(row: &Row, stores: &Stores) -> anyhow::Result<PathBuf> {
    match row.start {
        _ if row.loads() => stores.empty_loaded(),
        Start::Loaded | Start::Cold => Ok(stores.loaded()),
        Start::Copy => stores.copied_work(),
        Start::Empty | Start::Crashed => stores.empty_work(),
    }
}

/// What a program prints as JSON. It prints it into a file, as a pipe would have to be emptied while it runs.
#[expect(clippy::disallowed_methods, reason = "it is no file of a store")]
fn figures(mut command: Command, file: &Path) -> anyhow::Result<Run> {
    command.arg("--json").stdout(File::create(file)?);
    let status = command.status().with_context(|| format!("could not start {command:?}"))?;
    ensure!(status.success(), "{status}: {command:?}");
    serde_json::from_slice(&fs::read(file)?).context("the run gives no figures")
}

#[cfg(test)]
mod tests;
