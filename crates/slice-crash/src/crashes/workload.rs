//! What is done to a store: from a seed, always the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{History, MemFs};
use slice::{Durability, ManualClock};

use super::Config;
use super::copies::Copies;
use super::settings::{DIR, Settings};
use super::written::Written;
use crate::random::Random;
use crate::small_store::{self, Change, Contents, Entries, delete_from, in_keyspace, key};

/// So few that most are overwritten, and each check can read all.
const KEYS: u64 = 24;

/// The keyspaces that come and go beside the default one.
const KEYSPACES: [&str; 2] = ["left", "right"];

/// A workload that has been run.
pub(super) struct Recorded {
    pub(super) settings: Settings,
    pub(super) history: History,
    pub(super) written: Written,
    pub(super) copies: Copies,
}

impl Recorded {
    /// Runs the workload of a seed on a sound disk.
    pub(super) fn new(config: &Config) -> Self {
        let settings = Settings::of(config);
        let mut run = Run::new(settings, config.seed);
        for _ in 0..config.ops {
            run.step();
        }
        // The last words of a store that is closed count, too.
        run.close();
        let Run { fs, settings, written, copies, .. } = run;
        Self { settings, history: fs.history(), written, copies }
    }
}

/// A workload in progress.
struct Run {
    fs: MemFs,
    clock: Arc<ManualClock>,
    settings: Settings,
    store: Option<LSMTree>,
    written: Written,
    copies: Copies,
    random: Random,
}

impl Run {
    fn new(settings: Settings, seed: u64) -> Self {
        let fs = MemFs::recording_with_log_kind(settings.log_kind);
        let (clock, written, copies) = (Arc::default(), Written::new(), Copies::default());
        let mut run = Self { fs, clock, settings, store: None, written, copies, random: Random::new(seed) };
        run.open();
        // Some have several keyspaces from the beginning; others may get them.
        if seed.is_multiple_of(4) {
            for name in KEYSPACES {
                run.store().keyspace(name).expect("the disk is sound");
            }
        }
        run
    }

    fn open(&mut self) {
        self.store = None;
        self.store =
            Some(self.settings.open(Arc::new(self.fs.clone()), &self.clock).expect("the disk is sound"));
    }

    fn store(&self) -> &LSMTree {
        self.store.as_ref().expect("open between two steps")
    }

    fn step(&mut self) {
        if self.random.below(4) == 0 {
            self.pass();
        }
        match self.random.below(100) {
            0..67 => self.write(1),
            67..69 => self.ingest(),
            69..71 => self.create(),
            71 => self.drop_keyspace(),
            72 => self.clear(),
            73 => self.flush_one(),
            74..76 => self.checkpoint(),
            76..88 => {
                let count = 2 + self.random.below(6);
                self.write(count);
            }
            // More than a memtable holds.
            88 => self.write(90),
            89..92 => self.flush(),
            92 => self.compact(),
            93..97 => self.sync(),
            97 => self.close(),
            _ => self.open(),
        }
    }

    /// Some time goes by.
    fn pass(&mut self) {
        let ms = 1 + self.random.below(9);
        self.written.pass(ms, self.fs.operations());
        self.clock.set(self.written.now_ms());
    }

    fn write(&mut self, count: u64) {
        let entries: Entries = (0..count).map(|n| self.entry(n)).collect();
        self.written.begin(&entries, self.fs.operations());
        // Several by a transaction or as a batch: on the disk there is no difference to be seen.
        let write = if count % 2 == 1 && count > 1 { small_store::transact } else { small_store::write };
        write(self.store(), &entries).expect("the disk is sound");
        if self.settings.durability == Durability::Fsync {
            self.all_is_durable();
        }
    }

    /// A load of some keys of a keyspace: a commit like any other, which makes all before it durable, too.
    fn ingest(&mut self) {
        let (keyspace, operations) = (self.any_keyspace(), self.fs.operations());
        let pair = |n| (key(n), format!("{operations}:{}", "i".repeat(40)).into_bytes());
        let count = 1 + self.random.below(KEYS);
        let pairs: BTreeMap<_, _> = (0..count).map(|_| pair(self.random.below(KEYS))).collect();
        let put = |(key, value): (Vec<u8>, Vec<u8>)| {
            (in_keyspace(keyspace.keyspace_name(), &key), Change::Put(value))
        };
        self.written.begin(&pairs.clone().into_iter().map(put).collect(), operations);
        keyspace.ingest(pairs).expect("the disk is sound");
        self.all_is_durable();
    }

    /// A value that is written once, for ever or for a time, or merged; or a delete, of a key or a range. In any keyspace.
    fn entry(&mut self, n: u64) -> (Vec<u8>, Change) {
        let names = self.store().keyspaces();
        let name = &names[self.random.below(names.len() as u64) as usize];
        if self.random.below(16) == 0 {
            let (key, change) = delete_from(self.random.below(KEYS), self.random.below(6));
            return (in_keyspace(name, &key), change);
        }
        let key = in_keyspace(name, &key(self.random.below(KEYS)));
        let value = format!("{}.{n}:{}", self.fs.operations(), "v".repeat(self.random.below(140) as usize));
        let change = match self.random.below(10) {
            0..2 => Change::Delete,
            2..4 => Change::Merge(value.into_bytes()),
            4..6 => Change::PutFor(value.into_bytes(), self.random.below(60)),
            _ => Change::Put(value.into_bytes()),
        };
        (key, change)
    }

    fn all_is_durable(&mut self) {
        self.written.all_is_durable(self.fs.operations());
    }

    fn keyspaces(&self) -> Vec<LSMTree> {
        small_store::keyspaces(self.store()).expect("they are there")
    }

    fn any_keyspace(&mut self) -> LSMTree {
        let keyspaces = self.keyspaces();
        keyspaces[self.random.below(keyspaces.len() as u64) as usize].clone()
    }

    fn flush(&mut self) {
        self.keyspaces().iter().for_each(|keyspace| keyspace.flush().expect("the disk is sound"));
        self.all_is_durable();
    }

    /// What others have not flushed stays in the log, and need not be durable.
    fn flush_one(&mut self) {
        self.any_keyspace().flush().expect("the disk is sound");
    }

    fn compact(&mut self) {
        self.keyspaces().iter().for_each(|keyspace| keyspace.compact().expect("the disk is sound"));
        self.all_is_durable();
    }

    /// Makes a keyspace, unless it is there. That alone changes no contents.
    fn create(&mut self) {
        let name = self.random.choose(&KEYSPACES);
        self.store().keyspace(name).expect("the disk is sound");
    }

    fn drop_keyspace(&mut self) {
        let name = self.random.choose(&KEYSPACES);
        if self.store().keyspaces().iter().any(|other| other == name) {
            self.written.begin_clear(name, self.fs.operations());
            self.store().drop_keyspace(name).expect("the disk is sound");
            self.all_is_durable();
        }
    }

    fn clear(&mut self) {
        let keyspace = self.any_keyspace();
        self.written.begin_clear(keyspace.keyspace_name(), self.fs.operations());
        keyspace.clear().expect("the disk is sound");
        self.all_is_durable();
    }

    /// What it copies need not be durable in the store itself.
    fn checkpoint(&mut self) {
        let (dir, begun) = (self.copies.next_dir(), self.fs.operations());
        self.store().checkpoint(&dir).expect("the disk is sound");
        self.copies.add(dir, begun, self.fs.operations(), self.written.newest());
    }

    fn sync(&mut self) {
        self.store().sync().expect("the disk is sound");
        self.all_is_durable();
    }

    fn close(&mut self) {
        self.store().close().expect("the disk is sound");
        self.all_is_durable();
        self.open();
    }
}

/// All that is there.
pub(super) fn contents(store: &LSMTree) -> slice::Result<Contents> {
    let contents = small_store::contents(store, KEYS)?;
    small_store::check_scans(store, KEYS, &contents)?;
    Ok(contents)
}

/// The files that nothing refers to, or that are missing, beside an open store without threads.
pub(super) fn check_files(disk: &MemFs, store: &LSMTree) -> Result<(), String> {
    small_store::check_files(disk, DIR, store)
}
