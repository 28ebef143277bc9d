//! A store in a temporary directory, and the runtime that its clients are tasks of.

use std::time::Duration;

use indicatif::ProgressBar;
use slice::{LSMTree, Options};
use slice_benches::engines::slice::SliceAsync;
use slice_benches::meter::Limit;
use slice_benches::plan::Plan;
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
        let (engine, limit) = (SliceAsync::from(self.lsm.clone()), Limit { ops, deadline_ns: u64::MAX });
        let done = self.runtime.block_on(client::run(&engine, plan, limit, &ProgressBar::hidden()));
        let outcome = done.expect("the store answers, and rightly");
        assert_eq!(outcome.ops, ops, "all operations were done");
        Duration::from_nanos(outcome.wall_ns)
    }

    /// Does something with the store, on this thread.
    pub(crate) fn block_on<T>(
        &self,
        work: impl AsyncFnOnce(&LSMTree) -> slice::Result<T>,
    ) -> slice::Result<T> {
        self.runtime.block_on(work(&self.lsm))
    }

    /// Writes what is in memory to tables, and gives how long that took.
    pub(crate) fn flush(&self) -> Duration {
        let start = clock::now();
        self.runtime.block_on(self.lsm.flush()).expect("the store flushes");
        start.elapsed()
    }
}
