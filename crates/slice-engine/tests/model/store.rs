//! The store under test, on a file system that knows what a power failure leaves.

use std::sync::Arc;

use proptest_state_machine::StateMachineTest;
use slice::blocking::LSMTree;
use slice::vfs::{LogKind, MemFs};
use slice::{Health, WriteBatch};

use crate::alphabet::{Key, brief};
use crate::ops::{Crash, Leave, Op, Write};
use crate::reference::{Commit, Contents, Model, Reference, apply_commit};
use crate::settings::Settings;

/// What a step gives back.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Got(Option<Vec<u8>>),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Got(None) => f.write_str("nothing"),
            Self::Got(Some(value)) => f.write_str(&brief(value)),
        }
    }
}

/// An open store, its disk and its settings.
pub(crate) struct Store {
    fs: MemFs,
    settings: Settings,
    /// `None` only between leaving and opening.
    lsm: Option<LSMTree>,
}

impl Store {
    pub(crate) fn new(log_kind: LogKind, settings: Settings) -> Self {
        let mut store = Self { fs: MemFs::with_log_kind(log_kind), settings, lsm: None };
        store.open();
        store
    }

    fn open(&mut self) {
        let opened = self.settings.open(&self.fs);
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
            Op::Get(probe) => return Answer::Got(self.get(&probe.bytes())),
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
            Write::Delete(key) => self.lsm().delete(&key.bytes()),
        }
        .expect("write");
    }

    fn write_batch(&self, writes: &[Write]) {
        let mut batch = WriteBatch::new();
        for write in writes {
            match write {
                Write::Put(key, value) => batch.put(&key.bytes(), &value.bytes()),
                Write::Delete(key) => batch.delete(&key.bytes()),
            }
            .expect("within the limits");
        }
        self.lsm().write(batch).expect("write a batch");
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.lsm().get(key).unwrap_or_else(|error| panic!("get {}: {error}", brief(key)))
    }

    fn reopen(&mut self, leave: Leave, next: Settings) {
        if let Leave::Close = leave {
            self.lsm().close().expect("close");
        }
        self.lsm = None;
        self.settings = next;
        self.open();
    }

    /// All that is there, by asking for every key that was ever written.
    pub(crate) fn contents(&self) -> Vec<(Arc<[u8]>, Vec<u8>)> {
        Key::all().filter_map(|key| Some((Arc::clone(&key), self.get(&key)?))).collect()
    }

    /// # Panics
    ///
    /// When the store holds anything else; names the keys.
    fn assert_holds(&self, expected: &Contents) {
        let wrong = Key::all().filter_map(|key| {
            let (found, wanted) = (self.get(&key), expected.get(&key).map(|value| value.bytes()));
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
        self.lsm = None;
        self.fs = image;
        self.open();
        let lost = self.lost(model);
        assert!(crash.keep < 1.0 || lost.is_empty(), "{lost:?} is lost, and the disk kept every byte");
        let found = self.contents();
        self.lsm = None;
        self.fs = self.fs.crash_image(0.0, crash.seed);
        self.open();
        assert!(self.contents() == found, "a second power failure lost what the recovery had found");
        for commit in lost {
            self.write_batch(commit);
        }
    }

    /// The commits that did not survive.
    ///
    /// # Panics
    ///
    /// When what is there is not what some number of them leaves.
    fn lost<'a>(&self, model: &'a Model) -> &'a [Commit] {
        let found = self.contents();
        let mut state = model.durable.clone();
        let mut fitting = is_same(&found, &state).then_some(0);
        for (commit, n) in model.unsynced.iter().zip(1..) {
            apply_commit(&mut state, commit);
            if is_same(&found, &state) {
                fitting = Some(n);
            }
        }
        let kept = fitting.unwrap_or_else(|| {
            let found: Vec<_> = found.iter().map(|(key, value)| (brief(key), brief(value))).collect();
            panic!("not a prefix of the history behind what was durable: {found:#?}")
        });
        &model.unsynced[kept..]
    }
}

fn is_same(found: &[(Arc<[u8]>, Vec<u8>)], expected: &Contents) -> bool {
    found.len() == expected.len()
        && found.iter().all(|(key, value)| expected.get(key).is_some_and(|wanted| wanted.bytes() == *value))
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
            store.assert_holds(&model.contents);
        }
        store
    }

    fn teardown(store: Store, model: Model) {
        store.assert_holds(&model.contents);
    }
}

fn check_answer(answer: &Answer, op: &Op, model: &Model) {
    if let Op::Get(probe) = op {
        let expected = model.contents.get(&probe.bytes()[..]).map(|value| value.bytes());
        assert_eq!(*answer, Answer::Got(expected), "{op:?}");
    }
}
