//! Clients: tasks that do operations one after the other, and check what they read.
//!
//! The loop is closed: a client starts an operation when the one before has ended, so that a stall shows as one long
//! operation for each client, and not in those that an open system would have had waiting.

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use slice::LSMTree;

use crate::clock;
use crate::keys::{Values, key, missing_key};
use crate::latency::{Latencies, record};
use crate::workload::{Op, Plan};

/// How many operations a client does before it lets other tasks of its thread have a turn. A store in memory never
/// waits, and so would keep the thread to the end.
const TURN: u64 = 64;

/// Does so many operations of a plan, spread over its clients, and gives the latencies of all.
///
/// # Errors
///
/// The first error of the store, or what was read and is wrong.
pub async fn run(
    store: &LSMTree,
    plan: &Plan,
    ops: u64,
    progress: &ProgressBar,
) -> anyhow::Result<Latencies> {
    let tasks: Vec<_> = (0..plan.clients)
        .map(|client| {
            let (store, plan, progress) = (store.clone(), *plan, progress.clone());
            tokio::spawn(async move { run_one(&store, &plan, client, ops, &progress).await })
        })
        .collect();
    let mut all = Latencies::new()?;
    for task in tasks {
        all.merge(&task.await.context("a client panicked")??)?;
    }
    Ok(all)
}

async fn run_one(
    store: &LSMTree,
    plan: &Plan,
    client: u64,
    ops: u64,
    progress: &ProgressBar,
) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::new()?;
    let mut worker = Worker { store, values: plan.values, value: Vec::new() };
    for (done, op) in (1..=plan.share(client, ops)).zip(plan.ops(client)) {
        worker.perform(op, &mut latencies).await?;
        if done % TURN == 0 {
            progress.inc(TURN);
            tokio::task::yield_now().await;
        }
    }
    Ok(latencies)
}

struct Worker<'a> {
    store: &'a LSMTree,
    values: Values,
    /// Kept from one operation to the next, to spare the allocation.
    value: Vec<u8>,
}

impl Worker<'_> {
    async fn perform(&mut self, op: Op, latencies: &mut Latencies) -> anyhow::Result<()> {
        match op {
            Op::Put { index, stamp } => self.put(index, stamp, &mut latencies.writes).await,
            Op::Get(index) => self.get(index, &mut latencies.reads).await,
            Op::GetMissing(index) => self.get_missing(index, &mut latencies.reads).await,
        }
    }

    async fn put(&mut self, index: u64, stamp: u64, times: &mut Histogram<u64>) -> anyhow::Result<()> {
        self.values.fill(index, stamp, &mut self.value);
        let key = key(index);
        let start = clock::now();
        self.store.put(&key, &self.value).await?;
        record(times, start.elapsed());
        Ok(())
    }

    async fn get(&mut self, index: u64, times: &mut Histogram<u64>) -> anyhow::Result<()> {
        let key = key(index);
        let start = clock::now();
        let found = self.store.get(&key).await?;
        record(times, start.elapsed());
        let Some(found) = found else { bail!("key {index} is not there") };
        if self.values.check(index, &found, &mut self.value).is_none() {
            bail!("key {index} has a value that was never written for it");
        }
        Ok(())
    }

    async fn get_missing(&mut self, index: u64, times: &mut Histogram<u64>) -> anyhow::Result<()> {
        let key = missing_key(index);
        let start = clock::now();
        let found = self.store.get(&key).await?;
        record(times, start.elapsed());
        if found.is_some() {
            bail!("the key behind {index} is there, and was never written");
        }
        Ok(())
    }
}
