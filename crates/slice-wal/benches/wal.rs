//! What a log costs: encoding, appending one small entry, replaying.
//!
//! An entry has a 16-byte key and a 100-byte value. `append` is what a commit does under its lock, the file's rotation
//! included, which happens every 64 MiB.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slice_types::{EntryKind, KeyspaceId, LogNumber, SeqNo};
use slice_vfs::{Fs, StdFs};
use slice_wal::{EncodedBatch, LogWriter, RecoveryMode, replay};

const KEY: &[u8; 16] = b"0123456789abcdef";
const VALUE: &[u8; 100] = &[b'v'; 100];
const LOG_LEN_MAX: u64 = 64 << 20;

fn fill(batch: &mut EncodedBatch) {
    batch.clear();
    batch.push(KeyspaceId::DEFAULT, EntryKind::Put, black_box(KEY), black_box(VALUE)).expect("within limits");
    batch.seal();
}

fn one_entry() -> EncodedBatch {
    let mut batch = EncodedBatch::new();
    fill(&mut batch);
    batch
}

/// A log that is rotated as an engine would: into the file of the one before, or into a new one.
struct Rotating {
    fs: StdFs,
    dir: PathBuf,
    recycles: bool,
    log: LogWriter,
}

impl Rotating {
    fn new(fs: StdFs, dir: &Path, recycles: bool) -> Self {
        let log = begin(&fs, dir, LogNumber(0), None);
        Self { fs, dir: dir.to_path_buf(), recycles, log }
    }

    fn append(&mut self, batch: &EncodedBatch) {
        if self.log.position().offset > LOG_LEN_MAX {
            self.rotate();
        }
        if self.log.is_low() {
            self.log.control().allocate_ahead().expect("space on the disk");
        }
        black_box(self.log.append(SeqNo::new(1), batch).expect("space on the disk"));
    }

    fn rotate(&mut self) {
        let old = self.log.path().to_path_buf();
        let number = LogNumber(self.log.number().0 + 1);
        self.log = begin(&self.fs, &self.dir, number, self.recycles.then_some(&old));
        if !self.recycles {
            self.fs.remove_file(&old).expect("the old log is there");
        }
    }
}

fn begin(fs: &StdFs, dir: &Path, number: LogNumber, from: Option<&PathBuf>) -> LogWriter {
    let path = dir.join(format!("wal_{number}.log"));
    let file = match from {
        Some(from) => fs.recycle_log(from, &path),
        None => fs.create_log(&path),
    };
    LogWriter::create(file.expect("a writable directory"), path, number).expect("space on the disk")
}

fn append(c: &mut Criterion) {
    let mut group = c.benchmark_group("append 16+100 B");
    let kinds = [("mapped", StdFs::new(), false), ("mapped, recycled", StdFs::new(), true)];
    for (name, fs, recycles) in kinds.into_iter().chain([("plain", StdFs::plain_logs(), false)]) {
        let dir = tempfile::tempdir().expect("a writable directory");
        let mut log = Rotating::new(fs, dir.path(), recycles);
        let batch = one_entry();
        group.bench_function(name, |b| b.iter(|| log.append(black_box(&batch))));
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    let mut batch = EncodedBatch::new();
    c.bench_function("encode and seal 16+100 B", |b| b.iter(|| fill(black_box(&mut batch))));
}

fn replay_log(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a writable directory");
    let fs = StdFs::plain_logs();
    let mut log = begin(&fs, dir.path(), LogNumber(1), None);
    let batch = one_entry();
    while log.position().offset < 16 << 20 {
        log.append(SeqNo::new(1), &batch).expect("space on the disk");
    }
    let bytes = slice_vfs::read_all(&fs, log.path()).expect("the log is there");
    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("16 MiB of single puts", |b| {
        b.iter(|| replayed_bytes(black_box(&bytes), log.number()));
    });
    // An empty log in a recycled file: all of the past life is looked through for records.
    let next = LogNumber(log.number().0 + 1);
    group.bench_function("16 MiB of past life", |b| b.iter(|| replayed_bytes(black_box(&bytes), next)));
    group.finish();
}

fn replayed_bytes(bytes: &[u8], number: LogNumber) -> usize {
    let mut total = 0;
    let mode = RecoveryMode::default();
    replay(bytes, Path::new("bench"), number, mode, None, None, &mut |_, _, entries| {
        for entry in entries {
            let entry = entry?;
            total += entry.key.len() + entry.value.len();
        }
        Ok(())
    })
    .expect("a whole log");
    total
}

criterion_group!(benches, append, encode, replay_log);
criterion_main!(benches);
