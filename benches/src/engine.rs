//! What a store has to offer to be measured: the seam between the workloads and the stores.
//!
//! The workloads know no store, and a store no workload. A store that blocks gives futures that are ready when they are
//! first polled; its clients are threads, and no runtime has a part in it. An async store's clients are tasks.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

/// What the clients of an engine are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each client is a thread of the operating system, and drives futures that are always ready.
    Threads,
    /// Each client is a task of a tokio runtime.
    Tasks,
}

/// How long each cause has kept writers waiting, in seconds.
pub type Stalls = BTreeMap<String, f64>;

/// An open store. Clones are the same store.
///
/// Readers are given what is read as it lies in the store, through a closure: no adapter needs to copy a value for it.
pub trait Engine: Clone + Send + Sync + 'static {
    /// What its clients are.
    const MODE: Mode;

    /// Sets a key to a value, acknowledged as the store's durability says.
    fn put(&self, key: &[u8], value: &[u8]) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Removes a key.
    fn delete(&self, key: &[u8]) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// What `read` makes of the value of a key, or `None` if it has none.
    fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> impl Future<Output = anyhow::Result<Option<R>>> + Send;

    /// Gives `each` the keys from `from` on, itself included, in the order of the direction: `limit` at most.
    fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Writes all that is in memory to tables.
    fn flush(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Flushes, then waits until there is no compaction that the store would do by itself. Gives the time for which it
    /// watched a store that had come to rest, to be sure of it: that is not counted.
    fn settle(&self) -> impl Future<Output = anyhow::Result<Duration>> + Send;

    /// Merges everything into one sorted run, and waits for it.
    fn full_compaction(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// For how long writers have been made to wait since the store was opened, if the store tells.
    fn stalls(&self) -> Option<Stalls> {
        None
    }

    /// What else the store tells of itself: levels, caches, compactions. For people; of no fixed form.
    fn details(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Makes everything durable and closes the store. No clone is used afterwards.
    fn close(self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Ascending.
    Forward,
    /// Descending.
    Back,
}
