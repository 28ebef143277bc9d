//! Power failures at every operation of a log's life, over the in-memory file system.
//!
//! A workload appends, syncs, rotates and recycles. It writes down when it was told that something is durable. Then its
//! history is replayed, and after every operation several crash images are recovered as an engine would do it:
//!
//! - what was acknowledged as durable is there;
//! - what is there is a prefix of what was written;
//! - the default mode calls none of it corrupt: a crash is no damage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice_types::{EntryKind, KeyspaceId, LogNumber, Result, SeqNo};
use slice_vfs::{Fs, LogKind, MemFs, StdFs, SyncSite, read_all};
use slice_wal::{
    EncodedBatch, Entries, GroupSync, LogEnd, LogPosition, LogWriter, RecoveryMode, durable_mark, replay,
};

const DIR: &str = "/";
const STEPS: u64 = 90;
const KINDS: [LogKind; 2] = [LogKind::Plain, LogKind::Preallocated { chunk: 8 << 10 }];

/// Xorshift: the test wants the same numbers for ever, not good ones.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

fn path_of(dir: &Path, number: LogNumber) -> PathBuf {
    dir.join(format!("wal_{:06}.log", number.0))
}

/// The value of the entry with this number: long enough to pass over the sectors of a disk, and no two alike.
fn value_of(seqno: u64) -> Vec<u8> {
    let len = (seqno * 37) % 700;
    seqno.to_le_bytes().into_iter().cycle().take(len as usize).collect()
}

/// Something that is true from an operation of the file system on.
struct Since<T> {
    operations: u64,
    fact: T,
}

fn latest<T: Copy + Default>(facts: &[Since<T>], operations: u64) -> T {
    facts
        .iter()
        .rev()
        .find(|since| since.operations <= operations)
        .map_or_else(T::default, |since| since.fact)
}

/// The logs that recovery reads start at `first_log`; up to `seqno` all is durable elsewhere.
#[derive(Clone, Copy, Default)]
struct Needed {
    first_log: LogNumber,
    seqno: u64,
}

/// A store's log, without the store.
struct Workload {
    fs: Arc<dyn Fs>,
    operations: Box<dyn Fn() -> u64>,
    dir: PathBuf,
    random: Random,
    group: GroupSync,
    log: LogWriter,
    /// The older logs that are still needed, with their last numbers.
    older: Vec<(LogNumber, u64)>,
    last_seqno: u64,
    acknowledged: Vec<Since<u64>>,
    needed: Vec<Since<Needed>>,
}

impl Workload {
    fn begin(fs: Arc<dyn Fs>, dir: &Path, seed: u64, operations: Box<dyn Fn() -> u64>) -> Self {
        let path = path_of(dir, LogNumber(0));
        let log = LogWriter::create(fs.create_log(&path).unwrap(), path, LogNumber(0)).unwrap();
        let workload = Self {
            fs,
            operations,
            dir: dir.to_path_buf(),
            random: Random(seed + 1),
            group: GroupSync::new(),
            log,
            older: Vec::new(),
            last_seqno: 0,
            acknowledged: Vec::new(),
            needed: Vec::new(),
        };
        workload.announce();
        workload
    }

    fn announce(&self) {
        let (fs, dir) = (Arc::clone(&self.fs), self.dir.clone());
        self.group.add_log(
            self.log.number(),
            "log".into(),
            self.log.control(),
            Box::new(move || fs.sync_dir(&dir, SyncSite::new("log.name"))),
        );
    }

    fn run(mut self) -> Self {
        for _ in 0..STEPS {
            match self.random.below(12) {
                0 => self.rotate(),
                1 | 2 => self.sync(),
                _ => self.append(),
            }
        }
        self
    }

    fn append(&mut self) {
        let mut batch = EncodedBatch::new();
        let first = self.last_seqno + 1;
        for _ in 0..=self.random.below(3) {
            self.last_seqno += 1;
            let (key, value) = (self.last_seqno.to_le_bytes(), value_of(self.last_seqno));
            batch.push(KeyspaceId::DEFAULT, EntryKind::Put, &key, &value).unwrap();
        }
        batch.seal();
        self.log.set_sync_mark(self.group.durable());
        let end = self.log.append(SeqNo::new(first), &batch).unwrap();
        self.group.appended(end);
    }

    fn sync(&mut self) {
        self.group.sync_now().unwrap();
        self.acknowledged.push(Since { operations: (self.operations)(), fact: self.last_seqno });
    }

    /// Goes on in another log: in the file of one that is not needed any more, or in a new one.
    fn rotate(&mut self) {
        if self.random.below(2) == 0 {
            self.log.finish().unwrap();
        }
        self.older.push((self.log.number(), self.last_seqno));
        let number = LogNumber(self.log.number().0 + 1);
        let path = path_of(&self.dir, number);
        let file = if self.older.len() > 2 {
            let (oldest, seqno) = self.older.remove(0);
            self.forget(oldest, seqno);
            self.fs.recycle_log(&path_of(&self.dir, oldest), &path).unwrap()
        } else {
            self.fs.create_log(&path).unwrap()
        };
        self.log = LogWriter::create(file, path, number).unwrap();
        self.announce();
    }

    /// As if a flush had been recorded in a manifest.
    fn forget(&mut self, log: LogNumber, seqno: u64) {
        let fact = Needed { first_log: LogNumber(log.0 + 1), seqno };
        self.needed.push(Since { operations: (self.operations)(), fact });
        self.group.forget_through(log);
    }
}

/// Collects what follows on what it has: a batch out of sequence ends the history.
struct Recovered {
    last_seqno: u64,
    has_hole: bool,
}

impl Recovered {
    fn take(&mut self, first: SeqNo, count: u32, entries: Entries<'_>) -> Result<()> {
        if first.get() != self.last_seqno + 1 || self.has_hole {
            self.has_hole = true;
            return Ok(());
        }
        assert_eq!(entries.clone().count(), count as usize, "batches come back whole");
        for entry in entries {
            let entry = entry?;
            self.last_seqno += 1;
            assert_eq!(entry.key, self.last_seqno.to_le_bytes());
            assert_eq!(entry.value, value_of(self.last_seqno));
        }
        Ok(())
    }
}

/// The logs in a directory from `first` on, oldest first, with their bytes.
fn logs_in(fs: &dyn Fs, dir: &Path, first: LogNumber) -> Vec<(LogNumber, PathBuf, Vec<u8>)> {
    let number_of = |name: &String| name.strip_prefix("wal_")?.strip_suffix(".log")?.parse().ok();
    let numbers = fs.list_dir(dir).unwrap().iter().filter_map(number_of).map(LogNumber).collect::<Vec<_>>();
    let read = |number| {
        let path = path_of(dir, number);
        let bytes = read_all(fs, &path).unwrap();
        (number, path, bytes)
    };
    numbers.into_iter().filter(|number| *number >= first).map(read).collect()
}

/// Recovers as an engine does, and returns the last sequence number.
fn recover(fs: &dyn Fs, dir: &Path, needed: Needed, mode: RecoveryMode) -> Result<u64> {
    let logs = logs_in(fs, dir, needed.first_log);
    let mut recovered = Recovered { last_seqno: needed.seqno, has_hole: false };
    for (n, (number, path, bytes)) in logs.iter().enumerate() {
        let durable: Option<LogPosition> =
            logs[n + 1..].iter().filter_map(|(later, _, bytes)| durable_mark(bytes, *later)).max();
        let log = replay(bytes, path, *number, mode, None, durable, &mut |first, count, entries| {
            recovered.take(first, count, entries)
        })?;
        let again = replay(bytes, path, *number, mode, Some(log.valid_len), durable, &mut |_, _, _| Ok(()))?;
        assert_eq!((again.end, again.batches), (LogEnd::Clean, log.batches), "a recovery is repeated");
        if log.end != LogEnd::Clean || recovered.has_hole {
            break;
        }
    }
    Ok(recovered.last_seqno)
}

#[test]
fn a_power_failure_at_any_operation_loses_nothing_that_was_acknowledged() {
    let mut images = 0;
    for (seed, kind) in (0..2).flat_map(|seed| KINDS.map(|kind| (seed, kind))) {
        let fs = MemFs::recording_with_log_kind(kind);
        let counted = fs.clone();
        let operations = Box::new(move || counted.operations());
        let workload = Workload::begin(Arc::new(fs.clone()), Path::new(DIR), seed, operations).run();
        let mut history = fs.history().replay();
        while history.advance().is_some() {
            let applied = history.applied() as u64;
            let (acknowledged, needed) =
                (latest(&workload.acknowledged, applied), latest(&workload.needed, applied));
            let crashes = [(0.0, 1), (0.5, applied), (0.5, applied + 1), (0.9, applied), (1.0, 1)];
            let crashes = crashes.map(|(keep, seed)| history.crash_image(keep, seed));
            for image in crashes.into_iter().chain([history.torn_image(applied)]) {
                for mode in [RecoveryMode::TolerateTornTail, RecoveryMode::PointInTime] {
                    let last_seqno = recover(&image, Path::new(DIR), needed, mode).unwrap_or_else(|error| {
                        panic!("seed {seed}, {kind:?}, after operation {applied}: {error}")
                    });
                    assert!(
                        (acknowledged..=workload.last_seqno).contains(&last_seqno),
                        "seed {seed}, {kind:?}, after operation {applied}: {last_seqno}, not {acknowledged}"
                    );
                }
                images += 1;
            }
        }
    }
    assert!(images > 2_000, "only {images} crashes were tried");
}

#[test]
fn logs_of_the_real_file_system_come_back_whole() {
    for fs in [StdFs::new(), StdFs::plain_logs()] {
        for seed in 0..3 {
            let dir = tempfile::tempdir().unwrap();
            let workload = Workload::begin(Arc::new(fs.clone()), dir.path(), seed, Box::new(|| 0)).run();
            let needed = latest(&workload.needed, 0);
            assert!(needed.first_log > LogNumber(0), "seed {seed} recycles no log");
            let last_seqno = recover(&fs, dir.path(), needed, RecoveryMode::Absolute).unwrap();
            assert_eq!(last_seqno, workload.last_seqno, "seed {seed}");
        }
    }
}
