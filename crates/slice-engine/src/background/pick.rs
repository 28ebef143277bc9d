//! Which compaction is next: of the keyspaces in turn, and in each what was asked for, else what its strategy wants.
//!
//! Invariant: a job is picked and marked as running under one lock, so no two have a table in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use slice_compaction::{Busy, Levels, Task, pick_covered, pick_full_expiring, pick_purge};
use slice_types::{Error, RangeIndex, SeqNo, TableId};

use crate::db::Core;
use crate::signal::{Signal, lock};
use crate::tree::{Settings, Tree, Version};

/// What the compactions of a database share.
#[derive(Default)]
pub(crate) struct Jobs {
    /// Raised when there may be something to compact.
    pub(crate) changed: Signal,
    /// The keyspace to look at first when the next job is picked, so that none keeps all threads to itself.
    turn: AtomicUsize,
}

/// The compactions of a keyspace: which run, and what was asked for.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(super) busy: Busy,
    pub(super) full: Option<Full>,
    /// How many full compactions were asked for.
    pub(super) asked: u64,
    /// How the last full compaction failed, if it did.
    pub(super) full_failure: Option<Error>,
}

/// A full compaction that was asked for.
#[derive(Clone, Copy)]
pub(super) struct Full {
    /// Tables of level 0 with nothing older than this were flushed later, and are not waited for.
    upto: SeqNo,
}

/// How far a full compaction is.
pub(crate) enum Progress {
    Running,
    Done,
    Failed(Error),
}

/// A task, and the version that it was picked for.
pub(super) struct Job {
    pub(super) tree: Arc<Tree>,
    pub(super) settings: Arc<Settings>,
    /// The keyspace's at that time.
    pub(super) epoch: u64,
    pub(super) task: Task,
    pub(super) version: Arc<Version>,
    pub(super) shape: Levels,
    /// How many full compactions had been asked for when it was picked.
    pub(super) asked: u64,
    /// What the one that had not ended yet waits for: what has no higher number.
    pub(super) full_upto: Option<SeqNo>,
}

/// What jobs of a keyspace are picked for.
#[derive(Clone, Copy)]
struct Scene<'a> {
    settings: &'a Settings,
    shape: &'a Levels,
    deletes: &'a RangeIndex,
    /// The tables that hold values which have expired, in order.
    expired: &'a [TableId],
}

impl Scene<'_> {
    fn has_expired(&self, table: TableId) -> bool {
        self.expired.binary_search(&table).is_ok()
    }
}

/// Each read of a tree's tables and each of their merges searches the range tombstones. With more of them, tables are
/// rewritten to get rid of them.
const RANGE_TOMBSTONES_BEARABLE: usize = 64;

impl Core {
    /// Asks for everything that a keyspace has in tables by now to be merged into the last level.
    pub(crate) fn request_full_compaction(&self, tree: &Tree) {
        let upto = self.commit.visible();
        let mut state = lock(&tree.tasks);
        state.full = Some(Full { upto });
        state.full_failure = None;
        state.asked += 1;
        self.failures.compaction_ended(None);
        drop(state);
        self.jobs.changed.raise();
    }

    pub(crate) fn full_compaction(tree: &Tree) -> Progress {
        let state = lock(&tree.tasks);
        match (&state.full, &state.full_failure) {
            (Some(_), _) => Progress::Running,
            (None, Some(error)) => Progress::Failed(error.clone()),
            (None, None) => Progress::Done,
        }
    }

    /// Does what depends on which jobs of a keyspace run, and on its levels: no job is picked meanwhile, and those that run
    /// stay known.
    pub(crate) fn beside_jobs<T>(tree: &Tree, work: impl FnOnce(&Busy, &Levels) -> T) -> T {
        let state = lock(&tree.tasks);
        let levels = tree.view().version.shape(tree.settings().options.max_levels);
        work(&state.busy, &levels)
    }

    /// Picks a job of the first keyspace that has one, in turn, and marks it as running.
    pub(super) fn next_job(&self) -> Option<Job> {
        let trees = self.trees.all();
        let first = self.jobs.turn.load(Ordering::Relaxed) % trees.len();
        let (before, from) = trees.split_at(first);
        let mut in_turn = from.iter().chain(before).zip(first + 1..);
        let (job, next) = in_turn.find_map(|(tree, next)| Some((self.next_job_of(tree)?, next)))?;
        self.jobs.turn.store(next, Ordering::Relaxed);
        Some(job)
    }

    /// Picks the most urgent job of a keyspace and marks it as running.
    fn next_job_of(&self, tree: &Arc<Tree>) -> Option<Job> {
        let settings = tree.settings();
        let mut state = lock(&tree.tasks);
        // Before the view: a clear that comes in between makes the job void.
        let epoch = tree.epoch();
        let version = Arc::clone(&tree.view().version);
        let shape = version.shape(settings.options.max_levels);
        // Nobody asks for them but a full compaction.
        let expired = state.full.map_or_else(Vec::new, |_| expired_tables(&version, tree.rules.now_ms()));
        let deletes = version.range_index();
        let scene = Scene { settings: &settings, shape: &shape, deletes: &deletes, expired: &expired };
        let task = self.pick_requested(&state, scene);
        let has_ended = task.is_none() && state.full.is_some_and(|full| self.is_compacted(scene, full));
        if has_ended {
            state.full = None;
        }
        let task = task.or_else(|| self.pick_due(&state, scene));
        if let Some(task) = &task {
            state.busy.start(task, &shape);
            self.counters.running.add(1);
        }
        let (asked, full_upto) = (state.asked, state.full.map(|full| full.upto));
        // Waiters look at the state when they wake: it must be free by then.
        drop(state);
        if has_ended {
            self.changed.raise();
        }
        Some(Job { task: task?, tree: Arc::clone(tree), settings, epoch, version, shape, asked, full_upto })
    }

    /// Whether nothing is left to do for what was there when a full compaction was asked for, running jobs included.
    /// What came later may keep the strategy busy for ever, and does not count.
    fn is_compacted(&self, scene: Scene<'_>, full: Full) -> bool {
        let asked_for = only_older(scene.shape, full.upto, 0);
        self.pick_step(&asked_for, &Busy::new(), scene, full).is_none()
    }

    /// The next step of the full compaction, if one was asked for.
    fn pick_requested(&self, state: &Tasks, scene: Scene<'_>) -> Option<Task> {
        let full = state.full?;
        let known = only_older(scene.shape, full.upto, 1);
        let task = self.pick_step(&known, &state.busy, scene, full)?;
        state.busy.admits(&task, scene.shape).then_some(task)
    }

    /// A step of a full compaction in this tree: what is covered goes unread, all else into the bottom, and last the
    /// range tombstones go.
    fn pick_step(&self, levels: &Levels, busy: &Busy, scene: Scene<'_>, full: Full) -> Option<Task> {
        let (options, horizon) = (&scene.settings.strategy_options, self.horizon());
        let oldest = horizon.oldest();
        pick_covered(levels, busy, scene.deletes, &horizon.snapshots, horizon.visible)
            .or_else(|| pick_full_expiring(levels, busy, options, oldest, |table| scene.has_expired(table)))
            .or_else(|| pick_purge(levels, busy, options, scene.deletes, oldest.min(full.upto), 0))
    }

    /// What is due without anybody's asking.
    fn pick_due(&self, state: &Tasks, scene: Scene<'_>) -> Option<Task> {
        let Scene { settings, shape, deletes, .. } = scene;
        if deletes.is_empty() {
            return settings.strategy.pick(shape, &state.busy);
        }
        let (options, horizon) = (&settings.strategy_options, self.horizon());
        let bearable = RANGE_TOMBSTONES_BEARABLE;
        pick_covered(shape, &state.busy, deletes, &horizon.snapshots, horizon.visible)
            .or_else(|| settings.strategy.pick(shape, &state.busy))
            .or_else(|| pick_purge(shape, &state.busy, options, deletes, horizon.oldest(), bearable))
    }
}

/// The tree without the tables that hold only what was written since, as far as they are in the levels above `depth`;
/// 0 for all levels.
fn only_older(shape: &Levels, upto: SeqNo, depth: usize) -> Levels {
    let level = |index: usize| {
        let tables = shape.level(index).iter();
        tables.filter(|table| (depth > 0 && index >= depth) || table.min_seqno <= upto).cloned().collect()
    };
    Levels::new((0..shape.len()).map(level).collect())
}

/// The tables that hold values which have expired, in order.
fn expired_tables(version: &Version, now_ms: u64) -> Vec<TableId> {
    let tables = version.levels().iter().flatten();
    let expired = tables.filter(|table| table.table.properties().first_expiry_ms <= now_ms);
    let mut expired: Vec<_> = expired.map(|table| table.id()).collect();
    expired.sort_unstable();
    expired
}
