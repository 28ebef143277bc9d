//! Columns against restart points: seek, scan, build and size, over blocks of 4 KiB.
//!
//! `load` is what a block costs once, when it comes from disk: columns are validated there, restart points entry by
//! entry on the way.
//!
//! The figures are in `docs/decisions/0002-block-layout.md`.

mod restart;
mod support;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use slice_sstable::block::{Block, BlockBuilder, BlockCursor};
use slice_types::{EntryRef, Trailer};

use restart::{RestartBuilder, RestartCursor};
use support::{Entry, Random, decimal16, entries};

/// What 4 KiB hold of such entries, the same number for both layouts.
const ENTRIES_A_BLOCK: usize = 32;
/// As many blocks as stay in the second-level cache.
const BLOCKS: usize = 64;

fn binary8(n: u64) -> Vec<u8> {
    n.to_be_bytes().to_vec()
}

fn url40(n: u64) -> Vec<u8> {
    format!("https://example.com/articles/{n:011}").into_bytes()
}

/// What a layout can do.
trait Layout {
    const NAME: &'static str;
    type Loaded;

    fn build(&mut self, entries: &[Entry]) -> Vec<u8>;
    fn load(raw: Vec<u8>) -> Self::Loaded;
    fn seek(&mut self, block: &Self::Loaded, key: &[u8]) -> usize;
    fn scan(&mut self, block: &Self::Loaded) -> usize;
}

#[derive(Default)]
struct Columnar {
    builder: BlockBuilder,
    cursor: BlockCursor,
}

impl Layout for Columnar {
    const NAME: &'static str = "columnar";
    type Loaded = Block;

    fn build(&mut self, entries: &[Entry]) -> Vec<u8> {
        let mut out = Vec::with_capacity(8192);
        for entry in entries {
            self.builder.add(entry.as_ref());
        }
        self.builder.finish(&mut out);
        out
    }

    fn load(raw: Vec<u8>) -> Block {
        Block::decode(Bytes::from(raw)).unwrap()
    }

    fn seek(&mut self, block: &Block, key: &[u8]) -> usize {
        let found = block.lower_bound(key, Trailer::FIRST);
        assert!(block.has_key(found, key));
        block.value(found).len()
    }

    fn scan(&mut self, block: &Block) -> usize {
        self.cursor.enter(block.clone(), 0);
        let mut sum = weigh(self.cursor.entry());
        while self.cursor.next_in_block() {
            sum += weigh(self.cursor.entry());
        }
        sum
    }
}

#[derive(Default)]
struct Restart {
    builder: RestartBuilder,
    cursor: RestartCursor,
}

impl Layout for Restart {
    const NAME: &'static str = "restart";
    type Loaded = Vec<u8>;

    fn build(&mut self, entries: &[Entry]) -> Vec<u8> {
        let mut out = Vec::with_capacity(8192);
        for entry in entries {
            self.builder.add(entry.as_ref());
        }
        self.builder.finish(&mut out);
        out
    }

    fn load(raw: Vec<u8>) -> Vec<u8> {
        raw
    }

    fn seek(&mut self, block: &Vec<u8>, key: &[u8]) -> usize {
        self.cursor.seek(block, key, Trailer::FIRST);
        let entry = self.cursor.entry(block).unwrap();
        assert_eq!(entry.key, key);
        entry.value.len()
    }

    fn scan(&mut self, block: &Vec<u8>) -> usize {
        self.cursor.seek_to_first();
        let mut sum = 0;
        while self.cursor.step(block) {
            sum += weigh(self.cursor.entry(block));
        }
        sum
    }
}

fn weigh(entry: Option<EntryRef<'_>>) -> usize {
    entry.map_or(0, |entry| black_box(entry).key.len() + entry.value.len())
}

fn measure<L: Layout + Default>(c: &mut Criterion, name: &str, entries: &[Entry]) {
    let mut layout = L::default();
    let raw: Vec<_> = entries.chunks(ENTRIES_A_BLOCK).map(|block| layout.build(block)).collect();
    report_size::<L>(name, &raw, entries.len());
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(entries.len() as u64));
    group.bench_function(format!("load/{}", L::NAME), |b| {
        b.iter_batched(
            || raw.clone(),
            |raw| raw.into_iter().map(L::load).collect::<Vec<_>>(),
            BatchSize::LargeInput,
        );
    });
    let blocks: Vec<_> = raw.into_iter().map(L::load).collect();

    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("seek/{}", L::NAME), |b| {
        let mut random = Random(2);
        b.iter(|| {
            let i = random.below(entries.len());
            layout.seek(&blocks[i / ENTRIES_A_BLOCK], &entries[i].key)
        });
    });
    group.throughput(Throughput::Elements(entries.len() as u64));
    group.bench_function(format!("scan/{}", L::NAME), |b| {
        b.iter(|| blocks.iter().map(|block| layout.scan(block)).sum::<usize>());
    });
    group.bench_function(format!("build/{}", L::NAME), |b| {
        b.iter(|| entries.chunks(ENTRIES_A_BLOCK).map(|block| layout.build(block).len()).sum::<usize>());
    });
    group.finish();
}

fn report_size<L: Layout>(name: &str, raw: &[Vec<u8>], entries: usize) {
    let packed: usize = raw.iter().map(|block| lz4_flex::block::compress(block).len()).sum();
    let raw: usize = raw.iter().map(Vec::len).sum();
    let per_entry = |bytes: usize| bytes as f64 / entries as f64;
    println!(
        "{name}/size/{}: {:.1} raw, {:.1} LZ4 bytes an entry",
        L::NAME,
        per_entry(raw),
        per_entry(packed)
    );
}

fn compare(c: &mut Criterion, name: &str, key: fn(u64) -> Vec<u8>) {
    let entries = entries(key, ENTRIES_A_BLOCK * BLOCKS);
    measure::<Restart>(c, name, &entries);
    measure::<Columnar>(c, name, &entries);
}

fn all(c: &mut Criterion) {
    compare(c, "decimal16", decimal16);
    compare(c, "binary8", binary8);
    compare(c, "url40", url40);
}

fn quick() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group!(name = layouts; config = quick(); targets = all);
criterion_main!(layouts);
