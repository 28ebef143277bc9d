//! What happens beside reads and writes, and the threads it happens on.
//!
//! | thread | what it does | what wakes it |
//! |---|---|---|
//! | `slice-flush` | turns frozen memtables into tables | a switch of memtables |
//! | `slice-compact-N` | compaction jobs, one at a time each | a flush, a job's end, the timer |
//! | `slice-merge` | helps a compaction thread with the key ranges of its job, and ends with it | a large job |
//! | `slice-sync` | one fsync of the log for all who wait | a writer with `Fsync`, `sync()`, the timer |
//! | `slice-janitor` | space for the log ahead, the next log, files nobody reads | a log that runs low or is nearly full, a job's end |
//! | `slice-timer` | delayed writers, regular looks, interval syncs | time |
//!
//! Nothing here calls a reader or a writer: they are told through a new view and through signals.

pub(crate) mod clock;
pub(crate) mod compact;
mod counts;
pub(crate) mod drain;
pub(crate) mod flush;
pub(crate) mod install;
pub(crate) mod outputs;
pub(crate) mod pick;
pub(crate) mod threads;
pub(crate) mod timer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use slice_types::{Error, ErrorKind, Result};

use crate::db::Core;
use crate::options::{Durability, Options};
use crate::signal::lock;
use clock::now;

/// Starts the threads; they end at [`Core::stop`].
pub(crate) fn start(core: &Arc<Core>) -> Result<()> {
    let start = |name: String, body: fn(&Core)| {
        let core = Arc::clone(core);
        core.clone().threads.start(name.clone(), move || {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&core)));
            if ended.is_err() {
                core.thread_panicked(&name);
            }
        })
    };
    start("slice-sync".to_owned(), sync)?;
    start("slice-flush".to_owned(), flush::run)?;
    start("slice-janitor".to_owned(), janitor)?;
    for n in 0..core.options.compaction.max_concurrent_compactions {
        start(format!("slice-compact-{n}"), compact::run)?;
    }
    start("slice-timer".to_owned(), timer)
}

impl Core {
    /// Without one of its threads a store cannot keep its promises: writes are refused, and nobody waits for it.
    fn thread_panicked(&self, name: &str) {
        let message = format!("the thread {name} panicked, which is a bug; open the store anew");
        let error = Error::new(ErrorKind::ReadOnly, message);
        tracing::error!(%error, "writes are refused from now on");
        self.commit.refuse(error.clone());
        self.failures.thread_panicked(error);
        self.timer.stop();
        self.changed.raise();
    }
}

fn sync(core: &Core) {
    while core.commit.sync.wait_for_request() {
        // A failure is told to all who wait, and to the commit pipeline; there is no second try.
        if core.sync_round().is_err() {
            return;
        }
    }
}

fn janitor(core: &Core) {
    while core.logs.work.wait(|| {
        if core.is_stopping() {
            return Some(false);
        }
        (core.logs.wants_work() || !lock(&core.graveyard).is_empty()).then_some(true)
    }) {
        core.logs.prepare();
        core.bury();
        core.changed.raise();
    }
}

fn timer(core: &Core) {
    let mut ticks = Ticks::new(&core.options);
    core.timer.run(ticks.period(), || ticks.look(core));
}

/// When what was last looked at.
struct Ticks {
    flush: Duration,
    compaction: Duration,
    sync: Option<Duration>,
    flushed: Instant,
    compacted: Instant,
    synced: Instant,
}

impl Ticks {
    fn new(options: &Options) -> Self {
        let sync = match options.durability {
            Durability::Interval(interval) => Some(interval),
            Durability::Buffered | Durability::Fsync => None,
        };
        let now = now();
        Self {
            flush: options.flush_interval,
            compaction: options.compaction_interval,
            sync,
            flushed: now,
            compacted: now,
            synced: now,
        }
    }

    fn period(&self) -> Duration {
        self.flush.min(self.compaction).min(self.sync.unwrap_or(self.flush))
    }

    fn look(&mut self, core: &Core) {
        let now = now();
        if is_due(&mut self.flushed, self.flush, now) {
            look_at_memtables(core, now);
        }
        if is_due(&mut self.compacted, self.compaction, now) {
            core.failures.compaction_ended(None);
            core.jobs.changed.raise();
        }
        if self.sync.is_some_and(|interval| is_due(&mut self.synced, interval, now)) {
            core.commit.sync.request(core.commit.position());
        }
        // Tables that a reader let go of since the last job's end.
        core.logs.work.raise();
    }
}

/// Whether `period` has passed since `last`, which becomes `now` if so.
fn is_due(last: &mut Instant, period: Duration, now: Instant) -> bool {
    let due = now.duration_since(*last) >= period;
    if due {
        *last = now;
    }
    due
}

/// Freezes a memtable that has grown old, and clears the way for flushes that failed before.
fn look_at_memtables(core: &Core, now: Instant) {
    // Where the clock begins with the machine, nothing is old at first.
    if let Some(before) = now.checked_sub(core.options.memtable_max_age)
        && let Err(error) = core.commit.freeze_older(before, &core.logs)
    {
        tracing::warn!(%error, "an old memtable could not be frozen");
    }
    if core.failures.flush().is_some() {
        core.failures.forget_flush();
        core.logs.flush_is_due();
    }
}
