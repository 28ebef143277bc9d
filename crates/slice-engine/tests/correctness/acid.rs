//! Atomic, consistent, isolated, durable: batches of threads that run at the same time, as each power failure would
//! leave them.
//!
//! The file system records every operation while the threads write. Afterwards the power fails behind operations from
//! the whole of that history, and the store is opened on what each failure leaves. A check gives back what is wrong, so
//! that the last tests can demand that a store with a planted bug has something wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use slice::blocking::LSMTree;
use slice::planted::Bug;
use slice::vfs::{History, MemFs};
use slice::{Background, Durability, Strategy};
use slice_crash::linearizability::Clock;

use crate::store::{Setup, batch, delayed, key_bytes, number};
use crate::tally;

/// What is wrong, if anything.
type Checked = Result<(), String>;

const WRITERS: usize = 4;
const BATCHES: u64 = 25;
const PARTS: usize = 3;
/// Power failures tried of each history, each with nothing, half and all of the unsynced kept.
const FAILURES: usize = 60;

fn setup(durability: Durability, bug: Option<Bug>) -> Setup {
    Setup { durability, strategy: Strategy::Leveled, background: Background::Threads, bug }
}

fn open(fs: &MemFs, setup: Setup) -> LSMTree {
    setup.builder(Arc::new(fs.clone())).open_blocking().expect("the disk is sound")
}

fn get(lsm: &LSMTree, key: usize) -> Option<u64> {
    lsm.get(&key_bytes(key)).expect("the disk is sound").map(|value| number(&value))
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(what()) }
}

/// Opens the store on what power failures leave, and checks it with the number of operations that were done by then.
fn after_power_failures(
    history: &History,
    setup: Setup,
    check: impl Fn(&LSMTree, u64) -> Checked,
) -> Checked {
    let step = (history.len() / FAILURES).max(1);
    let mut replay = history.replay();
    while replay.advance().is_some() {
        if !replay.applied().is_multiple_of(step) {
            continue;
        }
        for keep in [0.0, 0.5, 1.0] {
            tally::image();
            let seed = replay.applied() as u64;
            let lsm =
                open(&replay.crash_image(keep, seed), Setup { background: Background::Inline, ..setup });
            check(&lsm, seed)
                .map_err(|what| format!("power failure behind {seed} operations, {keep} kept: {what}"))?;
        }
    }
    Ok(())
}

/// The key of one part of a writer's batch: each batch writes its number to all parts.
fn part(writer: usize, part: usize) -> usize {
    writer * PARTS + part
}

/// The key that only one batch writes, with how far the writer's neighbour had got by then.
fn entry(writer: usize, n: u64) -> usize {
    1000 * (writer + 1) + n as usize
}

/// An acknowledgement: by then so many operations were done, and the writer had got so far.
type Acknowledged = (u64, usize, u64);

/// Lets the writers write, and checks what is left by power failures.
fn batches_survive(durability: Durability, bug: Option<Bug>) -> Checked {
    let (fs, setup) = (MemFs::recording(), setup(durability, bug));
    let acknowledged = Mutex::new(Vec::new());
    let lsm = open(&fs, setup);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (lsm, fs, acknowledged) = (&lsm, &fs, &acknowledged);
            scope.spawn(move || write_batches(lsm, fs, writer, acknowledged));
        }
    });
    drop(lsm);
    let acknowledged = acknowledged.into_inner().unwrap();
    let is_durable = durability == Durability::Fsync;
    after_power_failures(&fs.history(), setup, |lsm, operations| {
        let by_then = |(when, ..): &&Acknowledged| is_durable && *when <= operations;
        let got = (0..WRITERS).map(|writer| whole_prefix(lsm, writer)).collect::<Result<Vec<u64>, _>>()?;
        acknowledged.iter().filter(by_then).try_for_each(|(_, writer, n)| {
            ensure(got[*writer] >= *n, || {
                format!("writer {writer}: {n} acknowledged, {} there", got[*writer])
            })
        })?;
        (0..WRITERS).try_for_each(|writer| follows_what_was_read(lsm, writer, &got))
    })
}

fn write_batches(lsm: &LSMTree, fs: &MemFs, writer: usize, acknowledged: &Mutex<Vec<Acknowledged>>) {
    for n in 1..=BATCHES {
        let neighbour = get(lsm, part((writer + 1) % WRITERS, 0)).unwrap_or(0);
        let mut entries: Vec<_> = (0..PARTS).map(|of| (part(writer, of), Some(n))).collect();
        entries.push((entry(writer, n), Some(neighbour)));
        lsm.write(batch(&entries).unwrap()).unwrap();
        acknowledged.lock().unwrap().push((fs.operations(), writer, n));
    }
}

/// How far a writer got: its last batch is whole, and those before it are all there.
fn whole_prefix(lsm: &LSMTree, writer: usize) -> Result<u64, String> {
    let parts: Vec<u64> = (0..PARTS).map(|of| get(lsm, part(writer, of)).unwrap_or(0)).collect();
    let got = parts[0];
    ensure(parts.iter().all(|n| *n == got), || format!("writer {writer}: a batch in parts, {parts:?}"))?;
    for n in 1..=BATCHES {
        let is_there = get(lsm, entry(writer, n)).is_some();
        ensure(is_there == (n <= got), || {
            format!("writer {writer}: {n} is there: {is_there}, last is {got}")
        })?;
    }
    Ok(got)
}

/// What a batch was written in the knowledge of is there if the batch is.
fn follows_what_was_read(lsm: &LSMTree, writer: usize, got: &[u64]) -> Checked {
    let neighbour = (writer + 1) % WRITERS;
    (1..=got[writer]).try_for_each(|n| {
        let read = get(lsm, entry(writer, n)).unwrap_or(0);
        ensure(read <= got[neighbour], || {
            format!(
                "batch {n} of {writer} had read {read} of {neighbour}, of which {} are left",
                got[neighbour]
            )
        })
    })
}

#[test]
fn batches_are_atomic_and_a_prefix_of_each_client_whenever_the_power_fails() {
    tally::bounded(|| batches_survive(Durability::Buffered, None)).unwrap();
    tally::report();
}

#[test]
fn acknowledged_batches_are_durable_whenever_the_power_fails() {
    tally::bounded(|| batches_survive(Durability::Fsync, None)).unwrap();
    tally::report();
}

const ACCOUNTS: usize = 6;
const DEPOSIT: u64 = 100;

/// Transfers between accounts by batches, over several openings, and what the sum is at each and after power failures.
fn sums_stay(bug: Option<Bug>) -> Checked {
    let (fs, setup) = (MemFs::recording(), setup(Durability::Buffered, bug));
    let accounts: Vec<_> = (0..ACCOUNTS).map(|_| Mutex::new(DEPOSIT)).collect();
    let deposits: Vec<_> = (0..ACCOUNTS).map(|account| (account, Some(DEPOSIT))).collect();
    open(&fs, setup).write(batch(&deposits).unwrap()).unwrap();
    for opening in 0..4 {
        let lsm = open(&fs, setup);
        sum_is_right(&lsm)?;
        std::thread::scope(|scope| {
            for teller in 0..WRITERS {
                let (lsm, accounts) = (&lsm, &accounts);
                scope.spawn(move || (0..15).for_each(|n| transfer(lsm, accounts, opening + teller + n * 7)));
            }
        });
        sum_is_right(&lsm)?;
    }
    after_power_failures(&fs.history(), setup, |lsm, _| sum_is_right(lsm))
}

/// Holds both accounts, the smaller first, as a program does that has no transactions.
fn transfer(lsm: &LSMTree, accounts: &[Mutex<u64>], choice: usize) {
    let (one, other) = (choice % ACCOUNTS, (choice + 1 + choice % (ACCOUNTS - 1)) % ACCOUNTS);
    let (first, second) = (one.min(other), one.max(other));
    let (mut from, mut to) = (accounts[first].lock().unwrap(), accounts[second].lock().unwrap());
    let amount = (choice as u64 % 40).min(*from);
    (*from, *to) = (*from - amount, *to + amount);
    lsm.write(batch(&[(first, Some(*from)), (second, Some(*to))]).unwrap()).unwrap();
}

/// All accounts, or none before the deposits.
fn sum_is_right(lsm: &LSMTree) -> Checked {
    let balances: Vec<_> = (0..ACCOUNTS).filter_map(|account| get(lsm, account)).collect();
    let is_right = balances.is_empty() || balances.iter().sum::<u64>() == DEPOSIT * ACCOUNTS as u64;
    ensure(is_right, || format!("the balances are {balances:?}"))
}

#[test]
fn the_sum_over_accounts_is_consistent_at_each_opening_and_whenever_the_power_fails() {
    tally::bounded(|| sums_stay(None)).unwrap();
    tally::report();
}

/// One writer of batches, and readers that go around their keys: no value may be older than one read before.
fn readers_never_go_back(seed: u64, bug: Option<Bug>) -> Checked {
    let clock = Arc::new(Clock::new());
    let slow = delayed(&MemFs::new(), Arc::clone(&clock), seed);
    let lsm = setup(Durability::Buffered, bug).builder(Arc::new(slow)).open_blocking().unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|reader| {
                scope.spawn({
                    let (lsm, clock, is_done) = (&lsm, &clock, &is_done);
                    move || read_around(lsm, clock, is_done, reader)
                })
            })
            .collect();
        for n in 1..=60 {
            let entries: Vec<_> = (0..PARTS).map(|part| (part, Some(n))).collect();
            lsm.write(batch(&entries).unwrap()).unwrap();
        }
        is_done.store(true, Ordering::Release);
        readers.into_iter().try_for_each(|reader| reader.join().expect("a reader ends well"))
    })
}

fn read_around(lsm: &LSMTree, clock: &Clock, is_done: &AtomicBool, reader: usize) -> Checked {
    let mut newest = 0;
    let mut keys = (0..PARTS).cycle().skip(reader);
    // Either way round: forwards meets the parts in the order of the batch, backwards against it.
    while let Some(key) = keys.next().filter(|_| !is_done.load(Ordering::Acquire)) {
        let key = if reader == 0 { PARTS - 1 - key } else { key };
        let found = get(lsm, key).unwrap_or(0);
        clock.tick();
        ensure(found >= newest, || format!("batch {found} on key {key} after batch {newest} on another"))?;
        newest = found;
        std::thread::yield_now();
    }
    Ok(())
}

#[test]
fn readers_are_isolated_from_batches_in_the_making() {
    for seed in tally::seeds(0..4) {
        let checked = tally::bounded(move || readers_never_go_back(seed, None));
        assert!(checked.is_ok(), "SLICE_SEED={seed}: {}", checked.unwrap_err());
    }
}

#[test]
fn split_batches_break_atomicity_consistency_and_isolation() {
    let bug = Some(Bug::SplitBatch);
    let in_parts = |what: String| what.contains("in parts");
    let found = (0..20)
        .any(|_| tally::bounded(move || batches_survive(Durability::Buffered, bug)).is_err_and(in_parts));
    assert!(found, "no crash left half a batch");
    assert!((0..20).any(|_| tally::bounded(move || sums_stay(bug)).is_err()), "no crash changed the sum");
    let found = (0..40).any(|seed| tally::bounded(move || readers_never_go_back(seed, bug)).is_err());
    assert!(found, "no reader saw half a batch");
}

#[test]
fn acknowledgements_before_the_fsync_break_durability() {
    let bug = Some(Bug::AckBeforeSync);
    let is_lost = |what: String| what.contains("acknowledged");
    let found =
        (0..20).any(|_| tally::bounded(move || batches_survive(Durability::Fsync, bug)).is_err_and(is_lost));
    assert!(found, "no acknowledged batch was lost");
}
