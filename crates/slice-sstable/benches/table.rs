//! A whole table: built, looked up at random, scanned. Built into files that discard what they are given, and read
//! from memory, so that the code is measured and neither a disk nor the memory that stands in for one.

mod support;

use std::collections::HashMap;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slice_sstable::{
    BlockShelf, BlockStore, CachePolicy, Compression, IterOptions, ReadMode, SharedBlock, Table,
    TableBuilder, TableFiles, TableOptions, TableProperties, TableSources,
};
use slice_types::{EntryIterator, SeqNo, TableId};
use slice_vfs::{AppendFile, Fs, MemFs, SyncSite, read_all};

use support::{Entry, Random, decimal16, entries};

const ENTRIES: usize = 200_000;

/// Keeps every block.
#[derive(Clone, Default)]
struct KeepAll(Arc<Mutex<HashMap<(TableId, usize), SharedBlock>>>);

impl BlockStore for KeepAll {
    type Shelf = Kept;

    fn shelf(&self, table: TableId, _: usize) -> Kept {
        Kept { store: self.clone(), table }
    }
}

/// The blocks of one table.
struct Kept {
    store: KeepAll,
    table: TableId,
}

impl BlockShelf for Kept {
    type Kept = Box<SharedBlock>;

    fn get(&self, block: usize) -> Option<Box<SharedBlock>> {
        self.store
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&(self.table, block))
            .cloned()
            .map(Box::new)
    }

    fn insert(&self, block: usize, kept: &SharedBlock) {
        self.store.0.lock().unwrap_or_else(PoisonError::into_inner).insert((self.table, block), kept.clone());
    }
}

/// A file that keeps nothing.
#[derive(Debug)]
struct Discard;

impl AppendFile for Discard {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        black_box(bytes);
        Ok(())
    }

    fn sync(&mut self, _site: SyncSite) -> io::Result<()> {
        Ok(())
    }
}

fn discard() -> TableFiles {
    TableFiles { data: Box::new(Discard), index: Box::new(Discard), filter: Box::new(Discard) }
}

fn in_memory(fs: &MemFs) -> TableFiles {
    let create = |name| fs.create_append(Path::new(name)).unwrap();
    TableFiles { data: create("/db"), index: create("/idx"), filter: create("/bloom") }
}

fn build(files: TableFiles, entries: &[Entry], compression: Compression) -> TableProperties {
    let mut builder =
        TableBuilder::new(files, TableOptions { compression, ..TableOptions::default() }).unwrap();
    for entry in entries {
        builder.add(entry.as_ref()).unwrap();
    }
    builder.finish().unwrap()
}

fn open(fs: &MemFs) -> Arc<Table<KeepAll>> {
    let read = |name| read_all(fs, Path::new(name)).unwrap();
    let sources = TableSources {
        data: fs.open_random(Path::new("/db")).unwrap(),
        data_path: "/db".into(),
        index: read("/idx"),
        index_path: "/idx".into(),
        filter: read("/bloom"),
        filter_path: "/bloom".into(),
    };
    Table::open(TableId(1), sources, &KeepAll::default()).unwrap()
}

fn measure(c: &mut Criterion, name: &str, compression: Compression) {
    let entries = entries(decimal16, ENTRIES);
    let raw_bytes: usize = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
    let mut group = c.benchmark_group(name);
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(300));

    group.throughput(Throughput::Bytes(raw_bytes as u64));
    group.bench_function("build", |b| b.iter(|| build(discard(), &entries, compression)));

    let fs = MemFs::new();
    let properties = build(in_memory(&fs), &entries, compression);
    println!("{name}/size: {} raw bytes, {} stored", properties.raw_bytes, properties.stored_bytes());
    group.bench_function("scan, read ahead", |b| b.iter(|| scan(&open(&fs))));

    let table = open(&fs);
    scan_filling(&table);
    group.throughput(Throughput::Elements(1));
    let mut random = Random(3);
    group.bench_function("get, block in store", |b| {
        b.iter(|| {
            let entry = &entries[random.below(entries.len())];
            assert!(table.get(&entry.key, SeqNo::MAX, ReadMode::Wait).unwrap().is_some());
        });
    });
    group.finish();
}

fn scan(table: &Arc<Table<KeepAll>>) -> usize {
    let options =
        IterOptions { cache_policy: CachePolicy::Bypass, readahead_bytes: 1 << 20, ..IterOptions::default() };
    walk(table, options)
}

fn scan_filling(table: &Arc<Table<KeepAll>>) {
    assert_eq!(walk(table, IterOptions::default()), ENTRIES);
}

fn walk(table: &Arc<Table<KeepAll>>, options: IterOptions) -> usize {
    let mut iter = table.iter(options);
    iter.seek_to_first().unwrap();
    let mut count = 0;
    while iter.entry().is_some() {
        count += 1;
        iter.next().unwrap();
    }
    count
}

fn all(c: &mut Criterion) {
    measure(c, "none", Compression::None);
    measure(c, "lz4", Compression::Lz4);
}

criterion_group!(tables, all);
criterion_main!(tables);
