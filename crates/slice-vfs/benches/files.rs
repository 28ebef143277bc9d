//! What the operating system's files cost through the traits: appending to logs and tables, reading at a place, syncs.
//!
//! `cargo bench -p slice-vfs`. A record has 130 bytes, as a log's record of a 16-byte key and a 100-byte value; a block has
//! 4 KiB, and is read from the page cache.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slice_vfs::{Access, Fs, LogFile, RandomAccessFile, StdFs, SyncSite};
use tempfile::TempDir;

const RECORD: [u8; 130] = [7; 130];
const BLOCK: [u8; 4096] = [7; 4096];
const LOG_LEN_MAX: u64 = 64 << 20;
const TABLE_LEN_MAX: u64 = 64 << 20;
const BLOCKS: u64 = 4096;
const SITE: SyncSite = SyncSite::new("bench.bytes");

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a writable directory")
}

/// A log that is followed by another in its file when it is full, as an engine's are.
struct Log {
    fs: StdFs,
    dir: PathBuf,
    file: Box<dyn LogFile>,
    number: u64,
}

impl Log {
    fn new(fs: StdFs, dir: &Path) -> Self {
        let file = fs.create_log(&dir.join("0")).expect("a writable directory");
        Self { fs, dir: dir.to_path_buf(), file, number: 0 }
    }

    fn append(&mut self) {
        if self.file.len() > LOG_LEN_MAX {
            self.rotate();
        }
        if self.file.is_low() {
            self.file.control().allocate_ahead().expect("space on the disk");
        }
        self.file.append(&[black_box(&RECORD)]).expect("space on the disk");
    }

    fn rotate(&mut self) {
        let from = self.dir.join(self.number.to_string());
        self.number += 1;
        let to = self.dir.join(self.number.to_string());
        self.file = self.fs.recycle_log(&from, &to).expect("the log is there");
    }

    fn sync(&self) {
        self.file.control().sync(SITE).expect("a disk that syncs");
    }
}

fn log_kinds() -> [(&'static str, StdFs); 2] {
    [("mapped", StdFs::new()), ("plain", StdFs::plain_logs())]
}

fn log_append(c: &mut Criterion) {
    let mut group = c.benchmark_group("log/append 130 B");
    for (name, fs) in log_kinds() {
        let dir = temporary();
        let mut log = Log::new(fs, dir.path());
        group.bench_function(name, |b| b.iter(|| log.append()));
    }
    group.finish();
}

/// What a durable write waits for when nobody shares the wait.
fn log_sync(c: &mut Criterion) {
    let mut group = c.benchmark_group("log/append 130 B and sync");
    group.sample_size(20);
    for (name, fs) in log_kinds() {
        let dir = temporary();
        let mut log = Log::new(fs, dir.path());
        group.bench_function(name, |b| {
            b.iter(|| {
                log.append();
                log.sync();
            });
        });
    }
    group.finish();
}

/// A table's bytes, in the chunks that a writer of tables appends. A full file is removed, and the next one begun.
fn table_append(c: &mut Criterion) {
    let (dir, fs) = (temporary(), StdFs::new());
    let mut group = c.benchmark_group("table");
    for chunk in [4 << 10, 64 << 10, 1 << 20] {
        let (path, bytes) = (dir.path().join("table"), vec![7; chunk]);
        let open = || (fs.create_append(&path).expect("a writable directory"), 0);
        let (mut file, mut len) = open();
        group.throughput(Throughput::Bytes(chunk as u64));
        group.bench_function(format!("append {} KiB", chunk >> 10), |b| {
            b.iter(|| {
                if len >= TABLE_LEN_MAX {
                    fs.remove_file(&path).expect("the table is there");
                    (file, len) = open();
                }
                file.append(black_box(&bytes)).expect("space on the disk");
                len += chunk as u64;
            });
        });
        fs.remove_file(&path).expect("the table is there");
    }
    group.finish();
}

fn sixteen_mib(fs: &StdFs, dir: &Path) -> Arc<dyn RandomAccessFile> {
    let path = dir.join("table");
    let mut file = fs.create_append(&path).expect("a writable directory");
    (0..BLOCKS).for_each(|_| file.append(&BLOCK).expect("space on the disk"));
    fs.open_random(&path).expect("the table is there")
}

/// Reads that the page cache answers: what a miss of the block cache costs at least.
fn read(c: &mut Criterion) {
    let (dir, fs) = (temporary(), StdFs::new());
    let file = sixteen_mib(&fs, dir.path());
    file.advise(Access::Random);
    let mut at = 0;
    let mut next = || {
        at = (at + 2_531) % BLOCKS;
        at * BLOCK.len() as u64
    };
    let mut group = c.benchmark_group("read 4 KiB");
    let mut block = BLOCK;
    group.bench_function("waiting", |b| {
        b.iter(|| file.read_exact_at(black_box(&mut block), next()).expect("the table is long enough"));
    });
    group.bench_function("only if in memory", |b| {
        b.iter(|| file.try_read_exact_at(black_box(&mut block), next()).expect("the table is long enough"));
    });
    group.finish();
}

fn directory(c: &mut Criterion) {
    let (dir, fs) = (temporary(), StdFs::new());
    let path = dir.path().join("table");
    let mut group = c.benchmark_group("directory");
    group.bench_function("create and remove a file", |b| {
        b.iter(|| {
            drop(fs.create_append(&path).expect("a writable directory"));
            fs.remove_file(&path).expect("the file is there");
        });
    });
    let open = || fs.open_random(&dir.path().join("table")).expect("the table is there");
    drop(sixteen_mib(&fs, dir.path()));
    group.bench_function("open a file", |b| b.iter(open));
    group.finish();
}

criterion_group!(benches, log_append, log_sync, table_append, read, directory);
criterion_main!(benches);
