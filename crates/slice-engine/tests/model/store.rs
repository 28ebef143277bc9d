//! The store under test, on a file system that knows what a power failure leaves.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use proptest_state_machine::StateMachineTest;
use slice::blocking::{LSMTree, Scan, Snapshot};
use slice::vfs::{LogKind, MemFs};
use slice::{Health, ManualClock, WriteBatch};

use crate::alphabet::{Key, Value, brief};
use crate::ops::{Crash, Leave, Look, Op, Write, bounds};
use crate::reference::{Commit, Contents, Model, Pairs, Reference, apply_commit, one_of, scan};
use crate::settings::Settings;

/// What a step gives back.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Got(Option<Vec<u8>>),
    Found(Pairs),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Got(None) => f.write_str("nothing"),
            Self::Got(Some(value)) => f.write_str(&brief(value)),
            Self::Found(pairs) => {
                f.debug_map().entries(pairs.iter().map(|(key, value)| (brief(key), brief(value)))).finish()
            }
        }
    }
}

/// An open store, its disk and its settings.
pub(crate) struct Store {
    fs: MemFs,
    clock: Arc<ManualClock>,
    settings: Settings,
    /// `None` only between leaving and opening.
    lsm: Option<LSMTree>,
    /// Of the open store.
    snapshots: Vec<Snapshot>,
}

impl Store {
    pub(crate) fn new(log_kind: LogKind, settings: Settings) -> Self {
        let (fs, clock) = (MemFs::with_log_kind(log_kind), Arc::default());
        let mut store = Self { fs, clock, settings, lsm: None, snapshots: Vec::new() };
        store.open();
        store
    }

    fn open(&mut self) {
        let opened = self.settings.open(&self.fs, &self.clock);
        self.lsm = Some(opened.unwrap_or_else(|error| panic!("the store does not open: {error}")));
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    fn lsm(&self) -> &LSMTree {
        self.lsm.as_ref().expect("it is open between two steps")
    }

    /// Does a step other than a crash.
    pub(crate) fn apply(&mut self, op: &Op) -> Answer {
        match op {
            Op::Write(write) => self.write(write),
            Op::Batch(writes) => self.write_batch(writes),
            Op::Ingest(pairs) => self.ingest(pairs),
            Op::Get(probe) => return Answer::Got(self.get(&probe.bytes())),
            Op::Scan(look) => return Answer::Found(found(self.lsm().range(inclusive(look)), look)),
            Op::Snapshot => self.snapshots.push(self.lsm().snapshot()),
            Op::Release(which) => {
                drop(one_of(*which, &self.snapshots).map(|at| self.snapshots.remove(at)));
            }
            Op::LookBack(which, look) => {
                let snapshot = one_of(*which, &self.snapshots).map(|at| &self.snapshots[at]);
                let pairs = snapshot.map(|snapshot| found(snapshot.range(inclusive(look)), look));
                return Answer::Found(pairs.unwrap_or_default());
            }
            Op::Pass(ms) => self.clock.advance(Duration::from_millis(*ms)),
            Op::ClearCache => self.lsm().clear_cache(),
            Op::Sync => self.lsm().sync().expect("sync"),
            Op::Flush => self.lsm().flush().expect("flush"),
            Op::Compact => self.lsm().compact().expect("compact"),
            Op::Reopen(leave, next) => self.reopen(*leave, self.settings.succeeded_by(Settings::clone(next))),
            Op::Crash(_) => unreachable!("only a model can say what a crash may leave"),
        }
        assert!(
            matches!(self.lsm().health(), Health::Healthy),
            "the disk is sound: {:?}",
            self.lsm().health()
        );
        Answer::Done
    }

    fn write(&self, write: &Write) {
        match write {
            Write::Put(key, value) => self.lsm().put(&key.bytes(), &value.bytes()),
            Write::PutFor(key, value, ms) => {
                self.lsm().put_with_ttl(&key.bytes(), &value.bytes(), Duration::from_millis(*ms))
            }
            Write::Merge(key, value) => self.lsm().merge(&key.bytes(), &value.bytes()),
            Write::Delete(key) => self.lsm().delete(&key.bytes()),
            Write::DeleteRange(start, end) => self.lsm().delete_range(bounds(*start, *end)),
        }
        .expect("write");
    }

    fn write_batch(&self, writes: &[Write]) {
        let mut batch = WriteBatch::new();
        for write in writes {
            match write {
                Write::Put(key, value) => batch.put(&key.bytes(), &value.bytes()),
                Write::PutFor(key, value, ms) => {
                    batch.put_with_ttl(&key.bytes(), &value.bytes(), Duration::from_millis(*ms))
                }
                Write::Merge(key, value) => batch.merge(&key.bytes(), &value.bytes()),
                Write::Delete(key) => batch.delete(&key.bytes()),
                Write::DeleteRange(start, end) => batch.delete_range(bounds(*start, *end)),
            }
            .expect("within the limits");
        }
        self.lsm().write(batch).expect("write a batch");
    }

    fn ingest(&self, pairs: &[(Key, Value)]) {
        let sorted: BTreeMap<_, _> = pairs.iter().map(|(key, value)| (key.bytes(), value.bytes())).collect();
        let count = sorted.len() as u64;
        assert_eq!(self.lsm().ingest(sorted).expect("ingest"), count);
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.lsm().get(key).unwrap_or_else(|error| panic!("get {}: {error}", brief(key)))
    }

    fn reopen(&mut self, leave: Leave, next: Settings) {
        if let Leave::Close = leave {
            self.lsm().close().expect("close");
        }
        self.snapshots.clear();
        self.lsm = None;
        self.settings = next;
        self.open();
    }

    /// All that is there, by asking for every key that was ever written.
    ///
    /// # Panics
    ///
    /// When a scan gives something else.
    pub(crate) fn contents(&self) -> Vec<(Arc<[u8]>, Vec<u8>)> {
        let asked: Vec<_> = Key::all().filter_map(|key| Some((Arc::clone(&key), self.get(&key)?))).collect();
        let sorted: BTreeMap<_, _> = asked.iter().map(|(key, value)| (key.to_vec(), value.clone())).collect();
        let forward: Vec<_> = self.lsm().iter().map(owned).collect();
        let mut backward: Vec<_> = self.lsm().iter().rev().map(owned).collect();
        backward.reverse();
        let sorted: Vec<_> = sorted.into_iter().collect();
        assert!(forward == sorted && backward == sorted, "scans and gets give different contents");
        asked
    }

    /// # Panics
    ///
    /// When the store holds anything else; names the keys.
    fn assert_holds(&self, expected: &Contents, now_ms: u64) {
        let wrong = Key::all().filter_map(|key| {
            let (found, wanted) = (self.get(&key), expected.get(&key).and_then(|held| held.at(now_ms)));
            (found != wanted).then(|| {
                let (found, wanted) = (Answer::Got(found), Answer::Got(wanted));
                format!("{}: found {found:?}, expected {wanted:?}", brief(&key))
            })
        });
        let wrong: Vec<_> = wrong.collect();
        assert!(wrong.is_empty(), "wrong values: {wrong:#?}");
    }

    /// Power fails and comes back: the store holds a prefix of the history, with all that was durable, and a second
    /// failure right after the recovery changes nothing. What was lost is written again.
    fn crash(&mut self, crash: Crash, model: &Model) {
        let image = self.fs.crash_image(crash.keep, crash.seed);
        self.snapshots.clear();
        self.lsm = None;
        self.fs = image;
        self.open();
        let kept = self.kept(model);
        let is_all = *kept.end() == model.unsynced.len();
        assert!(crash.keep < 1.0 || is_all, "only {kept:?} commits are kept, and the disk kept every byte");
        let found = self.contents();
        self.lsm = None;
        self.fs = self.fs.crash_image(0.0, crash.seed);
        self.open();
        assert!(self.contents() == found, "a second power failure lost what the recovery had found");
        for commit in &model.unsynced[*kept.start()..] {
            self.write_batch(&again(commit, model.now_ms));
        }
    }

    /// How many of the commits survived. It is a range where commits in a row leave the same: to do all of them but the
    /// least number again leaves what doing none of them again would.
    ///
    /// # Panics
    ///
    /// When what is there is not what some number of them leaves.
    fn kept(&self, model: &Model) -> RangeInclusive<usize> {
        let found = self.contents();
        let mut state = model.durable.clone();
        let mut fitting = is_same(&found, &state, model.now_ms).then_some(0..=0);
        for (commit, n) in model.unsynced.iter().zip(1..) {
            apply_commit(&mut state, commit);
            if is_same(&found, &state, model.now_ms) {
                fitting = Some(fitting.map_or(n, |fitting| *fitting.start())..=n);
            }
        }
        fitting.unwrap_or_else(|| {
            let found: Vec<_> = found.iter().map(|(key, value)| (brief(key), brief(value))).collect();
            panic!("not a prefix of the history behind what was durable: {found:#?}")
        })
    }
}

fn inclusive(look: &Look) -> RangeInclusive<Vec<u8>> {
    let (lower, upper) = look.bounds();
    lower..=upper
}

/// What a scan gives.
fn found(scan: Scan, look: &Look) -> Pairs {
    if look.is_backward {
        scan.rev().map(owned).take(look.take).collect()
    } else {
        scan.map(owned).take(look.take).collect()
    }
}

fn owned(entry: <Scan as Iterator>::Item) -> (Vec<u8>, Vec<u8>) {
    let (key, value) = entry.unwrap_or_else(|error| panic!("scan: {error}"));
    (key.to_vec(), value.to_vec())
}

/// The writes of a commit as they are done again later: what is left of their time is shorter.
fn again(commit: &Commit, now_ms: u64) -> Vec<Write> {
    let shorter = |write: &Write| match write {
        Write::PutFor(key, value, ms) => {
            Write::PutFor(*key, *value, (commit.now_ms + ms).saturating_sub(now_ms))
        }
        write => write.clone(),
    };
    commit.writes.iter().map(shorter).collect()
}

fn is_same(found: &[(Arc<[u8]>, Vec<u8>)], expected: &Contents, now_ms: u64) -> bool {
    let expected = expected.iter().filter_map(|(key, held)| Some((Arc::clone(key), held.at(now_ms)?)));
    expected.collect::<BTreeMap<_, _>>() == found.iter().cloned().collect()
}

/// The comparison of a [`Store`] with a [`Model`].
#[derive(Debug)]
pub(crate) struct Compare;

impl StateMachineTest for Compare {
    type SystemUnderTest = Store;
    type Reference = Reference;

    fn init_test(model: &Model) -> Store {
        Store::new(model.log_kind, model.settings.clone())
    }

    fn apply(mut store: Store, model: &Model, op: Op) -> Store {
        match &op {
            Op::Crash(crash) => store.crash(*crash, model),
            op => check_answer(&store.apply(op), op, model),
        }
        if op.is_upkeep() {
            store.assert_holds(&model.contents, model.now_ms);
        }
        store
    }

    fn teardown(store: Store, model: Model) {
        store.assert_holds(&model.contents, model.now_ms);
    }
}

fn check_answer(answer: &Answer, op: &Op, model: &Model) {
    let expected = match op {
        Op::Get(probe) => {
            let held = model.contents.get(&probe.bytes()[..]);
            Answer::Got(held.and_then(|held| held.at(model.now_ms)))
        }
        Op::Scan(look) => Answer::Found(scan(&model.contents, look, model.now_ms)),
        Op::LookBack(which, look) => {
            let then = one_of(*which, &model.snapshots).map(|at| &model.snapshots[at]);
            Answer::Found(then.map(|then| scan(then, look, model.now_ms)).unwrap_or_default())
        }
        _ => Answer::Done,
    };
    assert_eq!(*answer, expected, "{op:?}");
}
