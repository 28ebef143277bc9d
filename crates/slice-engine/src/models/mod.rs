//! The engine's own code under loom: small programs of two or three threads, run in every order that the bound on
//! preemptions leaves, with every value that the memory model lets a load return. `cargo xtask loom` runs them.
//!
//! A store is opened anew for each order, in memory and with `Background::Inline`, so the model's threads are all
//! there are. What loom sees of it, and what it does not, is told in `primitives`.
//!
//! Each claim has a twin that does the same in a wrong order and must be caught.

mod checker;
mod commit;
mod signal;
mod transactions;
mod view;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder;
use loom::thread::JoinHandle;
use slice_sstable::ReadMode;
use slice_types::{EntryKind, KeyspaceId};
use slice_vfs::{Fs, MemFs};
use slice_wal::EncodedBatch;

use crate::db::{Core, Declared, ReadAt, open};
use crate::options::{Background, Options};
use crate::planted::Planted;

/// How often a thread is interrupted where it could have gone on. Bugs that need more are rare (Musuvathi and Qadeer,
/// "Iterative Context Bounding for Systematic Testing of Multithreaded Programs", 2007).
const PREEMPTIONS_MAX: usize = 4;
/// Uses of primitives in one run: opening a store is hundreds.
const STEPS_MAX: usize = 20_000;
/// Stack of a thread in machine words: building a table needs more than loom gives.
const STACK_WORDS: usize = 64 << 10;

/// Runs a program in all its orders.
fn explore(program: impl Fn() + Send + Sync + Copy + 'static) {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    let mut builder = Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS_MAX);
    builder.max_branches = STEPS_MAX;
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        start(program).join().expect("a panic ends the model");
    });
    assert!(orders.load(Ordering::Relaxed) > 1, "the threads of the program do not meet");
}

/// What an order comes to in which the program fails.
///
/// # Panics
///
/// When there is none.
fn caught(program: impl Fn() + Send + Sync + Copy + 'static) -> String {
    let failure = catch_unwind(AssertUnwindSafe(|| explore(program))).expect_err("no order made it fail");
    let text = failure.downcast_ref::<String>().cloned();
    text.or_else(|| failure.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn start(body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    loom::thread::Builder::new().stack_size(STACK_WORDS).spawn(body).expect("loom refuses no thread")
}

/// Waits for threads, whose panics are the model's.
fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("a panic ends the model");
    }
}

/// An empty store.
fn store() -> Arc<Core> {
    store_with(Planted::default())
}

/// An empty store that may have a bug.
fn store_with(planted: Planted) -> Arc<Core> {
    let fs: Arc<dyn Fs> = Arc::new(MemFs::new());
    let dir = PathBuf::from("/db");
    fs.create_dir_all(&dir).expect("MemFs makes directories");
    let options =
        Options { background: Background::Inline, l0_compaction_trigger: 100, ..Options::default() };
    let options = Options { l0_slowdown_trigger: 100, row_cache_entries: 0, planted, ..options };
    open(fs, dir, options, &Declared::new()).expect("an empty directory opens")
}

impl Core {
    /// Commits several puts as one batch.
    fn commit_all(&self, puts: &[(&str, &str)]) {
        let mut batch = EncodedBatch::new();
        for (key, value) in puts {
            batch
                .push(KeyspaceId::DEFAULT, EntryKind::Put, key.as_bytes(), value.as_bytes())
                .expect("it is small");
        }
        batch.seal();
        self.commit.write(&batch, None, &self.logs).expect("MemFs does not fail");
    }

    fn value(&self, key: &str) -> Option<String> {
        let value = self
            .get(&self.tree, key.as_bytes(), ReadAt::Newest, ReadMode::Wait)
            .expect("MemFs does not fail");
        value.map(|value| String::from_utf8_lossy(&value).into_owned())
    }
}
