//! The memtables side by side: `cargo bench -p slice-memtable --bench bake_off [-- ROUNDS [tree]]`.
//!
//! 16-byte keys, 100-byte values, as many as fill 64 MiB. All structures in each round, in turn, and the medians of the
//! rounds, in nanoseconds for each operation. With `tree`, the tree alone: to compare two versions of it.
#![expect(clippy::disallowed_methods, reason = "it measures time, and involves no store")]

mod runs;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use slice_memtable::{BTreeMemTable, MemTable, SkipListMemTable};
use slice_types::{EntryIterator, EntryKind, SeqNo, Trailer};

use runs::Runs;

const ENTRIES: u64 = 450_000;
const VALUE: [u8; 100] = [0x5a; 100];
/// Lookups, and seeks, of a measurement.
const LOOKUPS: u64 = 200_000;
const SEEKS: u64 = 50_000;

type Key = [u8; 16];
/// Of each measurement of a structure: what the rounds gave.
type Figures = BTreeMap<(usize, &'static str), BTreeMap<&'static str, Vec<f64>>>;

/// A bijection on the numbers below 2^64 (SplitMix64's finalizer): keys in an order without locality, none twice.
const fn scatter(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// A permutation of the numbers below `ENTRIES`, more or less.
const fn shuffled(n: u64) -> u64 {
    n.wrapping_mul(2_654_435_761) % ENTRIES
}

/// Sixteen digits, as the workload driver has them.
fn decimal(n: u64) -> Key {
    let mut key = [b'0'; 16];
    let mut rest = n;
    for digit in key.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

fn trailer(n: u64) -> Trailer {
    Trailer::new(SeqNo::new(n), EntryKind::Put)
}

/// Nanoseconds for each of so many operations.
fn timed<R>(operations: u64, work: impl FnOnce() -> R) -> (f64, R) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_nanos() as f64 / operations as f64, result)
}

fn fill<M: MemTable>(keys: &[Key]) -> Arc<M> {
    let table = Arc::new(M::new());
    for (n, key) in (1..).zip(keys) {
        table.insert(key, trailer(n), &VALUE);
    }
    table
}

fn get<M: MemTable>(table: &M, keys: &[Key]) {
    for n in 0..LOOKUPS {
        let key = &keys[(scatter(n) % keys.len() as u64) as usize];
        black_box(table.get(key, SeqNo::MAX).map(|(_, value)| value[0]));
    }
}

fn iterate<M: MemTable>(table: &Arc<M>) {
    let mut iter = table.iter();
    iter.seek_to_first().expect("memory does not fail");
    while let Some(entry) = iter.entry() {
        black_box((entry.key[0], entry.value[0]));
        iter.next().expect("memory does not fail");
    }
}

fn seek<M: MemTable>(table: &Arc<M>, keys: &[Key]) {
    for n in 0..SEEKS {
        let key = &keys[(scatter(n) % keys.len() as u64) as usize];
        let mut iter = table.iter();
        iter.seek(key, Trailer::FIRST).expect("memory does not fail");
        for _ in 0..10 {
            black_box(iter.entry().map(|entry| entry.value.first().copied()));
            iter.next().expect("memory does not fail");
        }
    }
}

/// Runs `read` while another thread inserts.
fn beside_writes<M: MemTable>(table: &Arc<M>, more: &[Key], read: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (n, key) in (ENTRIES..).zip(more) {
                table.insert(key, trailer(n), &VALUE);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        read();
        stop.store(true, Ordering::Relaxed);
    });
}

/// All measurements of a structure, once.
fn measure<M: MemTable>(name: &'static str, keys: &Keys, figures: &mut Figures) {
    let mut note = |at: usize, what, figure: f64| {
        figures.entry((at, what)).or_default().entry(name).or_default().push(figure);
    };
    let (ns, table) = timed(ENTRIES, || fill::<M>(&keys.sorted));
    note(0, "insert, in order", ns);
    note(1, "get, filled in order", timed(LOOKUPS, || get(&*table, &keys.random)).0);
    note(2, "iterate, filled in order", timed(ENTRIES, || iterate(&table)).0);
    drop(table);
    let (ns, table) = timed(ENTRIES, || fill::<M>(&keys.binary));
    note(3, "insert, random bytes", ns);
    note(4, "get, random bytes", timed(LOOKUPS, || get(&*table, &keys.binary)).0);
    drop(table);
    let (ns, table) = timed(ENTRIES, || fill::<M>(&keys.random));
    note(5, "insert, random", ns);
    note(6, "get", timed(LOOKUPS, || get(&*table, &keys.random)).0);
    note(7, "get, not there", timed(LOOKUPS, || get(&*table, &keys.others)).0);
    note(8, "get, table empty", timed(LOOKUPS, || get(&M::new(), &keys.random)).0);
    note(9, "iterate", timed(ENTRIES, || iterate(&table)).0);
    note(10, "seek and 10", timed(SEEKS, || seek(&table, &keys.random)).0);
    note(11, "bytes an entry", table.memory_used() as f64 / ENTRIES as f64);
    beside_writes(&table, &keys.others, || {
        note(12, "get beside writes", timed(LOOKUPS, || get(&*table, &keys.random)).0);
    });
    beside_writes(&table, &keys.binary, || {
        note(13, "seek and 10 beside writes", timed(SEEKS, || seek(&table, &keys.random)).0);
    });
    note(14, "drop, of each entry", timed(ENTRIES, || drop(table)).0);
}

fn fill_runs(keys: &[Key]) -> Runs {
    let mut table = Runs::default();
    for (n, key) in (1..).zip(keys) {
        table.insert(key, trailer(n), &VALUE);
    }
    table
}

fn get_from_runs(table: &Runs, keys: &[Key]) {
    for n in 0..LOOKUPS {
        let key = &keys[(scatter(n) % keys.len() as u64) as usize];
        black_box(table.get(key, SeqNo::MAX).map(|entry| entry.value[0]));
    }
}

fn iterate_runs(table: &Runs) {
    table.scan(&[0; 16], usize::MAX, |entry| {
        black_box((entry.key[0], entry.value[0]));
    });
}

fn seek_in_runs(table: &Runs, keys: &[Key]) {
    for n in 0..SEEKS {
        let key = &keys[(scatter(n) % keys.len() as u64) as usize];
        table.scan(key, 10, |entry| {
            black_box(entry.value[0]);
        });
    }
}

/// Those measurements that a structure for one thread can have.
fn measure_runs(keys: &Keys, figures: &mut Figures) {
    let mut note = |at: usize, what, figure: f64| {
        figures.entry((at, what)).or_default().entry("runs").or_default().push(figure);
    };
    let (ns, table) = timed(ENTRIES, || fill_runs(&keys.sorted));
    note(0, "insert, in order", ns);
    note(1, "get, filled in order", timed(LOOKUPS, || get_from_runs(&table, &keys.random)).0);
    note(2, "iterate, filled in order", timed(ENTRIES, || iterate_runs(&table)).0);
    drop(table);
    let (ns, table) = timed(ENTRIES, || fill_runs(&keys.binary));
    note(3, "insert, random bytes", ns);
    note(4, "get, random bytes", timed(LOOKUPS, || get_from_runs(&table, &keys.binary)).0);
    drop(table);
    let (ns, table) = timed(ENTRIES, || fill_runs(&keys.random));
    note(5, "insert, random", ns);
    note(6, "get", timed(LOOKUPS, || get_from_runs(&table, &keys.random)).0);
    note(7, "get, not there", timed(LOOKUPS, || get_from_runs(&table, &keys.others)).0);
    note(9, "iterate", timed(ENTRIES, || iterate_runs(&table)).0);
    note(10, "seek and 10", timed(SEEKS, || seek_in_runs(&table, &keys.random)).0);
    note(11, "bytes an entry", table.memory_used() as f64 / ENTRIES as f64);
    note(14, "drop, of each entry", timed(ENTRIES, || drop(table)).0);
}

struct Keys {
    sorted: Vec<Key>,
    random: Vec<Key>,
    /// Between those, and none of them.
    others: Vec<Key>,
    binary: Vec<Key>,
}

impl Keys {
    fn new() -> Self {
        let binary = |n| (u128::from(scatter(n)) << 64 | u128::from(n)).to_be_bytes();
        Self {
            sorted: (0..ENTRIES).map(|n| decimal(n * 4)).collect(),
            random: (0..ENTRIES).map(|n| decimal(shuffled(n) * 4)).collect(),
            others: (0..ENTRIES).map(|n| decimal(shuffled(n) * 4 + 1)).collect(),
            binary: (0..ENTRIES).map(binary).collect(),
        }
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() -> std::io::Result<()> {
    let rounds = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(3);
    let is_alone = std::env::args().any(|arg| arg == "tree");
    let (keys, mut figures) = (Keys::new(), Figures::new());
    for _ in 0..rounds {
        measure::<BTreeMemTable>("B+-tree", &keys, &mut figures);
        if !is_alone {
            measure::<SkipListMemTable>("skip list", &keys, &mut figures);
            measure_runs(&keys, &mut figures);
        }
    }
    let mut out = std::io::stdout().lock();
    for ((_, what), structures) in &mut figures {
        write!(out, "{what:28}")?;
        for (name, figures) in structures {
            write!(out, " {name}: {:7.1}", median(figures))?;
        }
        writeln!(out)?;
    }
    Ok(())
}
