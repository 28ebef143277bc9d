//! A store in a temporary directory, and the runtime that its clients are tasks of.

use std::time::Duration;

use indicatif::ProgressBar;
use slice::{LSMTree, Options};
use slice_benches::workload::Plan;
use slice_benches::{client, clock};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const WORKERS: usize = 2;

/// A store for one benchmark. Its fields are dropped in order: the directory last.
pub(crate) struct Store {
    lsm: LSMTree,
    runtime: Runtime,
    _dir: TempDir,
}

impl Store {
    /// An empty store.
    pub(crate) fn empty(options: &Options) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(WORKERS).build().expect("a runtime can be made");
        let builder = LSMTree::builder(dir.path().join("store")).options(options.clone());
        let lsm = runtime.block_on(builder.open()).expect("an empty store opens");
        Self { lsm, runtime, _dir: dir }
    }

    /// A store with all keys of a plan, in tables.
    pub(crate) fn loaded(options: &Options, plan: &Plan) -> Self {
        let store = Self::empty(options);
        store.run(&plan.preload(), plan.keys);
        store.flush();
        store
    }

    /// Does so many operations of a plan, and gives how long that took.
    pub(crate) fn run(&self, plan: &Plan, ops: u64) -> Duration {
        let start = clock::now();
        let done = self.runtime.block_on(client::run(&self.lsm, plan, ops, &ProgressBar::hidden()));
        let took = start.elapsed();
        let latencies = done.expect("the store answers, and rightly");
        assert_eq!(latencies.count(), ops, "all operations were done");
        took
    }

    /// Writes what is in memory to tables, and gives how long that took.
    pub(crate) fn flush(&self) -> Duration {
        let start = clock::now();
        self.runtime.block_on(self.lsm.flush()).expect("the store flushes");
        start.elapsed()
    }
}
