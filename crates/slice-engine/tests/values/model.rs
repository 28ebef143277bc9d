//! Values against a model: a list of writes, folded anew for each read, at the newest number and at every snapshot.
//!
//! ```text
//!   writes    put a=1 | merge a+2 | put b=3 for 5 ms | delete a | merge a+4 | ...
//!                     ^ snapshot                     ^ snapshot
//! ```
//!
//! What the store finds, by gets and by scans both ways, is what folding the writes up to there gives at the store's
//! time; whatever is flushed, compacted and reopened in between. The harness is shown to bite by stores with bugs.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use slice::blocking::{LSMTree, Snapshot};
use slice::operators::Append;
use slice::planted::Bug;
use slice::vfs::MemFs;
use slice::{Background, Builder, ManualClock, Strategy as Shape, WriteBatch};

const KEYS: u8 = 5;

#[derive(Clone, Debug)]
enum Op {
    Write(Vec<Write>),
    /// Sets the clock this many milliseconds forward or back.
    Clock(i64),
    Snapshot,
    /// Drops one of the snapshots.
    Forget(usize),
    Flush,
    Compact,
    Reopen,
    ClearCache,
}

/// A key, what happens to it, and for how many milliseconds.
#[derive(Clone, Copy, Debug)]
struct Write {
    key: u8,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Put,
    PutFor(u64),
    Delete,
    /// The key and so many behind it.
    DeleteRange(u8),
    Merge,
}

#[derive(Clone, Debug)]
struct Settings {
    shape: Shape,
    rows: usize,
    memtable_size: usize,
    max_levels: usize,
    default_ttl_ms: Option<u64>,
    planted: Option<Bug>,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        20 => vec(write(), 1..2).prop_map(Op::Write),
        4 => vec(write(), 1..6).prop_map(Op::Write),
        4 => (-10_i64..20).prop_map(Op::Clock),
        3 => Just(Op::Snapshot),
        2 => any::<usize>().prop_map(Op::Forget),
        5 => Just(Op::Flush),
        2 => Just(Op::Compact),
        1 => Just(Op::Reopen),
        1 => Just(Op::ClearCache),
    ];
    vec(op, 1..80)
}

fn write() -> impl Strategy<Value = Write> {
    let what = prop_oneof![
        2 => Just(What::Put),
        2 => (0..20_u64).prop_map(What::PutFor),
        1 => Just(What::Delete),
        1 => (1..4_u8).prop_map(What::DeleteRange),
        5 => Just(What::Merge),
    ];
    (0..KEYS, what).prop_map(|(key, what)| Write { key, what })
}

fn settings(planted: Option<Bug>) -> impl Strategy<Value = Settings> {
    let shape = prop_oneof![Just(Shape::Leveled), Just(Shape::Tiered)];
    let ttl = prop_oneof![3 => Just(None), 1 => (1..30_u64).prop_map(Some)];
    (
        shape,
        prop_oneof![Just(0_usize), Just(1000)],
        prop_oneof![Just(1 << 10), Just(1 << 20)],
        2..6_usize,
        ttl,
    )
        .prop_map(move |(shape, rows, memtable_size, max_levels, default_ttl_ms)| Settings {
            shape,
            rows,
            memtable_size,
            max_levels,
            default_ttl_ms,
            planted,
        })
}

/// A write as it was done: the key, the value, and when it expires.
struct Done {
    key: u8,
    what: What,
    value: Vec<u8>,
    expiry_ms: Option<u64>,
}

struct World {
    fs: MemFs,
    clock: Arc<ManualClock>,
    /// What the clock shows, and the time of the store.
    shown_ms: u64,
    time_ms: u64,
    settings: Settings,
    lsm: LSMTree,
    history: Vec<Done>,
    /// Each with how many writes it sees.
    snapshots: Vec<(Snapshot, usize)>,
}

impl World {
    fn new(settings: &Settings) -> Self {
        let (fs, clock) = (MemFs::new(), Arc::new(ManualClock::new(1000)));
        let lsm = open(&fs, &clock, settings);
        let world = Self {
            fs,
            clock,
            shown_ms: 1000,
            time_ms: 1000,
            settings: settings.clone(),
            lsm,
            history: Vec::new(),
            snapshots: Vec::new(),
        };
        world.tick();
        world
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Write(writes) => self.write(writes),
            Op::Clock(by) => self.set_clock(self.shown_ms.saturating_add_signed(*by)),
            Op::Snapshot => self.snapshots.push((self.lsm.snapshot(), self.history.len())),
            Op::Forget(n) => self.forget(*n),
            Op::Flush => self.lsm.flush().unwrap(),
            Op::Compact => self.lsm.compact().unwrap(),
            Op::Reopen => self.reopen(),
            Op::ClearCache => self.lsm.clear_cache(),
        }
    }

    fn forget(&mut self, n: usize) {
        if !self.snapshots.is_empty() {
            drop(self.snapshots.swap_remove(n % self.snapshots.len()));
        }
    }

    /// Has the store read its clock: from then on its time and the model's are the same.
    fn tick(&self) {
        self.lsm.put_with_ttl(b"tick", b"", Duration::ZERO).unwrap();
    }

    fn set_clock(&mut self, shown_ms: u64) {
        self.shown_ms = shown_ms;
        self.time_ms = self.time_ms.max(shown_ms);
        self.clock.set(shown_ms);
        self.tick();
    }

    /// Time starts anew with a store, so the clock is not behind it then.
    fn reopen(&mut self) {
        self.snapshots.clear();
        self.set_clock(self.time_ms);
        self.lsm.close().unwrap();
        self.lsm = open(&self.fs, &self.clock, &self.settings);
        self.tick();
    }

    fn write(&mut self, writes: &[Write]) {
        let mut batch = WriteBatch::new();
        for write in writes {
            let value = format!("{}.", self.history.len()).into_bytes();
            let key = &[b'a' + write.key];
            match write.what {
                What::Put => batch.put(key, &value),
                What::PutFor(ms) => batch.put_with_ttl(key, &value, Duration::from_millis(ms)),
                What::Delete => batch.delete(key),
                What::DeleteRange(keys) => batch.delete_range(&key[..]..&[b'a' + write.key + keys + 1][..]),
                What::Merge => batch.merge(key, &value),
            }
            .unwrap();
            let ttl_ms = match write.what {
                What::PutFor(ms) => Some(ms),
                What::Put => self.settings.default_ttl_ms,
                What::Delete | What::DeleteRange(_) | What::Merge => None,
            };
            let expiry_ms = ttl_ms.map(|ms| self.time_ms + ms);
            self.history.push(Done { key: write.key, what: write.what, value, expiry_ms });
        }
        self.lsm.write(batch).unwrap();
    }

    /// The value of a key after so many writes, now.
    fn expected(&self, key: u8, upto: usize) -> Option<Vec<u8>> {
        let concerns = |done: &&Done| match done.what {
            What::DeleteRange(keys) => (done.key..=done.key + keys).contains(&key),
            _ => done.key == key,
        };
        self.history[..upto].iter().filter(concerns).fold(None, |value, done| match done.what {
            What::Delete | What::DeleteRange(_) => None,
            What::Merge => Some([value.unwrap_or_default(), done.value.clone()].concat()),
            What::Put | What::PutFor(_) => {
                done.expiry_ms.is_none_or(|expiry_ms| self.time_ms < expiry_ms).then(|| done.value.clone())
            }
        })
    }

    fn check(&self) {
        let all = |upto: usize| (0..KEYS).map(|key| self.expected(key, upto)).collect::<Vec<_>>();
        let newest = all(self.history.len());
        let found: Vec<_> = (0..KEYS).map(|key| self.lsm.get(&[b'a' + key]).unwrap()).collect();
        assert_eq!(found, newest, "gets");
        let scan = |key: &[u8], value: &[u8]| (key[0] - b'a', value.to_vec());
        let rows = || self.lsm.range(&b"a"[..]..b"f");
        let forward: Vec<_> = rows().map(Result::unwrap).map(|(k, v)| scan(&k, &v)).collect();
        let mut backward: Vec<_> = rows().rev().map(Result::unwrap).map(|(k, v)| scan(&k, &v)).collect();
        backward.reverse();
        let expected: Vec<_> = (0..KEYS).zip(newest).filter_map(|(key, value)| Some((key, value?))).collect();
        assert_eq!(forward, expected, "a scan forward");
        assert_eq!(backward, expected, "a scan backward");
        for (snapshot, upto) in &self.snapshots {
            let found: Vec<_> = (0..KEYS).map(|key| snapshot.get(&[b'a' + key]).unwrap()).collect();
            assert_eq!(found, all(*upto), "at the snapshot after {upto} writes");
        }
    }
}

fn open(fs: &MemFs, clock: &Arc<ManualClock>, settings: &Settings) -> LSMTree {
    let clock: Arc<ManualClock> = Arc::clone(clock);
    let mut builder: Builder = LSMTree::builder("/db")
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .merge_operator(Arc::new(Append::default()))
        .clock(clock)
        .strategy(settings.shape)
        .row_cache_entries(settings.rows)
        .memtable_size(settings.memtable_size)
        .max_levels(settings.max_levels)
        .l0_compaction_trigger(2)
        .level_base_bytes(1 << 10)
        .target_table_bytes(1 << 10);
    if let Some(ms) = settings.default_ttl_ms {
        builder = builder.default_ttl(Duration::from_millis(ms));
    }
    match settings.planted {
        Some(bug) => builder.plant(bug),
        None => builder,
    }
    .open_blocking()
    .unwrap()
}

fn run(settings: &Settings, ops: &[Op]) {
    let mut world = World::new(settings);
    for op in ops {
        world.apply(op);
        if !matches!(op, Op::Write(_)) {
            world.check();
        }
    }
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_read_is_what_the_writes_fold_to(settings in settings(None), ops in ops()) {
        run(&settings, &ops);
    }
}

/// The least sequence of steps, as far as it could be shrunk, that a bug shows in.
fn steps_to_find(bug: Bug) -> usize {
    let config = Config { cases: 400, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let failed = TestRunner::new(config).run(&(settings(Some(bug)), ops()), |(settings, ops)| {
        let ran = std::panic::catch_unwind(|| run(&settings, &ops));
        ran.map_err(|_panic| TestCaseError::fail("it shows"))
    });
    match failed {
        Err(TestError::Fail(_, (_, ops))) => ops.len(),
        other => panic!("{bug:?} is not noticed: {other:?}"),
    }
}

#[test]
fn a_fold_across_a_snapshot_is_found() {
    assert!(steps_to_find(Bug::ForgetSnapshots) < 15);
}

#[test]
fn a_fold_with_nothing_that_leaves_out_deeper_tables_is_found() {
    assert!(steps_to_find(Bug::DropTombstones) < 25);
}
