//! Clients: threads or tasks that do operations one after the other, and check what they read.
//!
//! The loop is closed: a client starts an operation when the one before has ended, so that a stall shows as one long
//! operation for each client, and not in those that an open system would have had waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use crate::block_on::block_on;
use crate::check::ScanCheck;
use crate::clock::Stopwatch;
use crate::engine::{Direction, Engine, Mode};
use crate::keys::{key, missing_key};
use crate::meter::{Kind, Latencies, Limit, Meter, add_windows};
use crate::plan::{Inserts, Op, Plan};

/// How many operations a task does before it lets other tasks of its thread have a turn. A store in memory never waits,
/// and so would keep the thread to the end.
const TURN: u64 = 64;
/// After how many keys of a scan whose keys count they are counted.
const PART: u64 = 1024;

/// What all clients have done.
#[derive(Debug)]
pub struct Outcome {
    /// Of all clients, the writer beside them included.
    pub latencies: Latencies,
    /// How many operations of its plan each client has begun and ended.
    pub done: Vec<u64>,
    /// The operations that count: as `done`, or keys where these count.
    pub ops: u64,
    /// The writes of the writer beside the clients.
    pub writer_ops: u64,
    /// From the start of the first client to the end of the last.
    pub wall_ns: u64,
    /// The operations of each window of [`WINDOW_MS`](crate::meter::WINDOW_MS).
    pub timeline: Vec<u64>,
}

/// Does so many operations of a plan, spread over its clients, or as many as there is time for.
///
/// # Errors
///
/// The first error of the store, or what was read and is wrong.
pub async fn run<E: Engine>(
    engine: &E,
    plan: &Plan,
    limit: Limit,
    progress: &ProgressBar,
) -> anyhow::Result<Outcome> {
    let watch = Stopwatch::start();
    let shared = Shared {
        engine: engine.clone(),
        plan: *plan,
        limit,
        watch: watch.clone(),
        inserts: Inserts::new(plan.clients),
        is_over: Arc::default(),
        progress: progress.clone(),
    };
    let parts = match E::MODE {
        Mode::Threads => on_threads(&shared),
        Mode::Tasks => as_tasks(&shared).await,
    };
    merge(parts, watch.nanos(), plan)
}

/// What all clients share.
#[derive(Clone)]
struct Shared<E> {
    engine: E,
    plan: Plan,
    limit: Limit,
    watch: Stopwatch,
    inserts: Arc<Inserts>,
    /// The clients that count are done: so is the writer beside them.
    is_over: Arc<AtomicBool>,
    progress: ProgressBar,
}

/// What one client has done.
struct Part {
    done: u64,
    ops: u64,
    timeline: Vec<u64>,
    latencies: Latencies,
}

/// The parts of the clients, and that of the writer beside them.
type Parts = (Vec<anyhow::Result<Part>>, Option<anyhow::Result<Part>>);

fn on_threads<E: Engine>(shared: &Shared<E>) -> Parts {
    let panicked = |_| anyhow::anyhow!("a client panicked");
    std::thread::scope(|scope| {
        let writer =
            shared.plan.workload.has_writer().then(|| scope.spawn(|| block_on(shared.write_beside())));
        let clients: Vec<_> = (0..shared.plan.clients)
            .map(|client| scope.spawn(move || block_on(shared.run_one(client))))
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().map_err(panicked).flatten();
        let parts = clients.into_iter().map(join).collect();
        shared.is_over.store(true, Ordering::Relaxed);
        (parts, writer.map(join))
    })
}

async fn as_tasks<E: Engine>(shared: &Shared<E>) -> Parts {
    let spawn = |client| {
        let shared = shared.clone();
        tokio::spawn(async move { shared.run_one(client).await })
    };
    let writer = shared.plan.workload.has_writer().then(|| {
        let shared = shared.clone();
        tokio::spawn(async move { shared.write_beside().await })
    });
    let clients: Vec<_> = (0..shared.plan.clients).map(spawn).collect();
    let mut parts = Vec::new();
    for client in clients {
        parts.push(client.await.context("a client panicked").flatten());
    }
    shared.is_over.store(true, Ordering::Relaxed);
    match writer {
        Some(writer) => (parts, Some(writer.await.context("the writer panicked").flatten())),
        None => (parts, None),
    }
}

fn merge((clients, writer): Parts, wall_ns: u64, plan: &Plan) -> anyhow::Result<Outcome> {
    let mut all = Outcome {
        latencies: Latencies::new()?,
        done: Vec::new(),
        ops: 0,
        writer_ops: 0,
        wall_ns,
        timeline: Vec::new(),
    };
    for (client, part) in clients.into_iter().enumerate() {
        let part = part.with_context(|| format!("client {client} of {}", plan.clients))?;
        all.latencies.merge(&part.latencies)?;
        all.done.push(part.done);
        all.ops += part.ops;
        add_windows(&mut all.timeline, &part.timeline);
    }
    if let Some(writer) = writer.transpose().context("the writer")? {
        all.latencies.merge(&writer.latencies)?;
        all.writer_ops = writer.done;
    }
    Ok(all)
}

impl<E: Engine> Shared<E> {
    async fn run_one(&self, client: u64) -> anyhow::Result<Part> {
        let limit = Limit { ops: self.plan.share(client, self.limit.ops), ..self.limit };
        let meter = Meter::new(&self.watch, limit, &self.progress)?;
        self.perform_all(&self.plan, client, meter, &AtomicBool::new(false)).await
    }

    /// Overwrites until the clients are done.
    async fn write_beside(&self) -> anyhow::Result<Part> {
        let limit = Limit { ops: u64::MAX, deadline_ns: u64::MAX };
        let meter = Meter::new(&self.watch, limit, &ProgressBar::hidden())?;
        self.perform_all(&self.plan.writer(), 0, meter, &self.is_over).await
    }

    async fn perform_all(
        &self,
        plan: &Plan,
        client: u64,
        meter: Meter,
        is_over: &AtomicBool,
    ) -> anyhow::Result<Part> {
        let mut worker = Worker { shared: self, client, meter, value: Vec::new() };
        let mut done = 0;
        for op in plan.ops(client, &self.inserts) {
            if worker.meter.left() == 0 || is_over.load(Ordering::Relaxed) {
                break;
            }
            worker.perform(op).await.with_context(|| format!("{op:?}, the client's {done}."))?;
            done += 1;
            if E::MODE == Mode::Tasks && done % TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
        let (timeline, latencies) = worker.meter.finish();
        Ok(Part { done, ops: timeline.iter().sum(), timeline, latencies })
    }
}

struct Worker<'a, E> {
    shared: &'a Shared<E>,
    client: u64,
    meter: Meter,
    /// Kept from one operation to the next, to spare the allocation.
    value: Vec<u8>,
}

impl<E: Engine> Worker<'_, E> {
    #[inline]
    async fn perform(&mut self, op: Op) -> anyhow::Result<()> {
        match op {
            Op::Put { index, stamp } => self.put(index, stamp).await?,
            Op::Get(index) => {
                self.get(index).await?;
                self.meter.ended(Kind::Read);
            }
            Op::GetMissing(index) => self.get_missing(index).await?,
            Op::Scan { from, limit, direction } => self.scan(from, limit, direction).await?,
            Op::Update { index, stamp } => {
                self.get(index).await?;
                self.put(index, stamp).await?;
            }
            Op::Insert(index) => {
                self.put(index, 0).await?;
                self.shared.inserts.acknowledged(self.client);
            }
            Op::Delete(index) => {
                self.shared.engine.delete(&key(index)).await?;
                self.meter.ended(Kind::Write);
            }
        }
        Ok(())
    }

    #[inline]
    async fn put(&mut self, index: u64, stamp: u64) -> anyhow::Result<()> {
        self.shared.plan.values.fill(index, stamp, &mut self.value);
        self.shared.engine.put(&key(index), &self.value).await?;
        self.meter.ended(Kind::Write);
        Ok(())
    }

    #[inline]
    async fn get(&mut self, index: u64) -> anyhow::Result<()> {
        let values = self.shared.plan.values;
        let read = |value: &[u8]| values.check(index, value).is_some();
        match self.shared.engine.get(&key(index), read).await? {
            Some(true) => Ok(()),
            Some(false) => bail!("key {index} has a value that was never written for it"),
            None => bail!("key {index} is not there"),
        }
    }

    #[inline]
    async fn get_missing(&mut self, index: u64) -> anyhow::Result<()> {
        if self.shared.engine.get(&missing_key(index), |_| ()).await?.is_some() {
            bail!("the key behind {index} is there, and was never written");
        }
        self.meter.ended(Kind::Read);
        Ok(())
    }

    #[inline]
    async fn scan(&mut self, from: u64, limit: u64, direction: Direction) -> anyhow::Result<()> {
        let Plan { workload, values, .. } = self.shared.plan;
        let check =
            |limit| ScanCheck::new(values, from, limit, direction, self.shared.plan.contiguous_below());
        if workload.counts_keys() {
            let limit = limit.min(self.meter.left());
            let check = check(limit);
            return self.walk(from, limit, direction, check).await;
        }
        let mut check = check(limit);
        let each = |key: &[u8], value: &[u8]| check.entry(key, value);
        self.shared.engine.scan(&key(from), limit, direction, each).await?;
        check.finish()?;
        self.meter.ended(Kind::Scan);
        Ok(())
    }

    /// A scan whose keys count.
    async fn walk(
        &mut self,
        from: u64,
        limit: u64,
        direction: Direction,
        mut check: ScanCheck,
    ) -> anyhow::Result<()> {
        let meter = &mut self.meter;
        let each = |key: &[u8], value: &[u8]| {
            check.entry(key, value);
            if check.seen().is_multiple_of(PART) {
                meter.count_part(PART);
            }
        };
        self.shared.engine.scan(&key(from), limit, direction, each).await?;
        let rest = check.seen() % PART;
        check.finish()?;
        self.meter.record(Kind::Scan);
        self.meter.count(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
