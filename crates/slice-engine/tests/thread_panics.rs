//! A panic of a background thread, here in the file system, ends that thread and nothing else. (The timer's thread calls
//! no file system.)
//!
//! Nobody is left waiting, reads go on, writes are refused, the health says why, and the store opens anew with all that
//! was acknowledged. Everything has a bound, so that a hang is a failure.

#![expect(clippy::disallowed_methods, reason = "a wait has a bound")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use slice::blocking::LSMTree;
use slice::vfs::{Call, FaultFs, Fs, MemFs};
use slice::{Builder, Compression, Durability, ErrorKind, Health};

/// How long anything here may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Does something on a thread of its own, and fails if that does not end.
fn within_limit<T: Send + 'static>(what: &str, body: impl FnOnce() -> T + Send + 'static) -> T {
    let (told, tell) = channel();
    let name = what.to_owned();
    thread::Builder::new().name(name).spawn(move || told.send(body())).unwrap();
    tell.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// A disk on which the next operation of a thread panics, once that is wished for.
struct Trap {
    disk: Arc<dyn Fs>,
    is_set: Arc<AtomicBool>,
}

fn trap(thread_name: &'static str) -> Trap {
    let faults = FaultFs::new(Arc::new(MemFs::new()));
    let is_set = Arc::new(AtomicBool::new(false));
    let is_armed = Arc::clone(&is_set);
    faults.watch(move |operation| {
        if thread_name == MERGE && operation.call == Call::CreateAppend {
            leave_a_part_to_the_helper(&is_armed);
        }
        let is_it = thread::current().name().is_some_and(|name| name.starts_with(thread_name));
        // Once: a second panic, of the clean-up behind the first, would end the process.
        assert!(
            !(is_it && is_armed.swap(false, Ordering::SeqCst)),
            "a bug in the file system, at {operation}"
        );
    });
    Trap { disk: Arc::new(faults), is_set }
}

/// A thread that helps with a large job, if there is a part left for it.
const MERGE: &str = "slice-merge";

/// Keeps a compaction thread from doing all of a job by itself, before its helper has come to the trap.
fn leave_a_part_to_the_helper(is_armed: &AtomicBool) {
    let end = Instant::now() + LIMIT;
    while thread::current().name().is_some_and(|name| name.starts_with("slice-compact"))
        && is_armed.load(Ordering::SeqCst)
        && Instant::now() < end
    {
        thread::yield_now();
    }
}

fn builder(disk: &Arc<dyn Fs>) -> Builder {
    LSMTree::builder("/db")
        .fs(Arc::clone(disk))
        .flush_interval(Duration::from_millis(1))
        .compaction_interval(Duration::from_millis(1))
        .l0_compaction_trigger(2)
}

/// Both faces of a store.
struct Faces {
    threads: LSMTree,
    tasks: slice::LSMTree,
}

fn as_task<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Lets a thread panic while `then` makes it work, and looks at what is left of the store.
fn survives(thread_name: &'static str, options: fn(Builder) -> Builder, then: fn(&Faces)) {
    let Trap { disk, is_set } = trap(thread_name);
    let tasks = as_task(options(builder(&disk)).open()).unwrap();
    let store = options(builder(&disk)).open_blocking().unwrap();
    for n in 0..3 {
        store.put(format!("old{n}").as_bytes(), b"1").unwrap();
        // In every table, so that a compaction has something to merge.
        store.put(b"kept", b"1").unwrap();
        store.flush().unwrap();
    }
    store.put(b"kept", b"2").unwrap();
    is_set.store(true, Ordering::SeqCst);
    let working = Faces { threads: store.clone(), tasks };
    within_limit("what the thread does", move || then(&working));
    let looking = store.clone();
    within_limit("the health", move || {
        while !matches!(looking.health(), Health::ReadOnly(_)) {
            thread::yield_now();
        }
    });
    is_left_usable(&store);
    within_limit("closing", move || drop(store.close()));
    within_limit("opening anew", move || {
        let store = builder(&disk).open_blocking().unwrap();
        assert!(matches!(store.health(), Health::Healthy), "{:?}", store.health());
        holds_all(&store);
        store.put(b"new", b"3").unwrap();
        store.compact().unwrap();
        store.close().unwrap();
    });
}

/// Reads go on, writes are refused, and whoever waits for what will not come is told so.
fn is_left_usable(store: &LSMTree) {
    let store = store.clone();
    within_limit("using what is left", move || {
        holds_all(&store);
        assert_eq!(store.put(b"new", b"3").unwrap_err().kind(), ErrorKind::ReadOnly);
        // Whether they can be done depends on who is gone.
        drop((store.sync(), store.flush(), store.compact()));
        holds_all(&store);
        assert!(matches!(store.health(), Health::ReadOnly(_)), "{:?}", store.health());
    });
}

fn holds_all(store: &LSMTree) {
    for n in 0..3 {
        assert_eq!(store.get(format!("old{n}").as_bytes()).unwrap(), Some(b"1".to_vec()));
    }
    assert_eq!(store.get(b"kept").unwrap(), Some(b"2".to_vec()));
}

#[test]
fn a_panic_of_the_flush_thread_leaves_nobody_waiting() {
    survives("slice-flush", |builder| builder, |store| assert!(store.threads.flush().is_err()));
}

#[test]
fn a_panic_of_a_compaction_thread_leaves_nobody_waiting() {
    // The other thread may have done it all before the end of this one is known.
    survives("slice-compact", |builder| builder, |store| drop(store.threads.compact()));
}

#[test]
fn a_panic_of_a_thread_that_helps_with_a_merge_leaves_nobody_waiting() {
    // With one processor there is no helper.
    if thread::available_parallelism().is_ok_and(|processors| processors.get() == 1) {
        return;
    }
    let in_parts = |builder: Builder| {
        let builder = builder.l0_compaction_trigger(50).l0_slowdown_trigger(100);
        builder.merge_part_bytes(1 << 10).block_size(64).compression(Compression::None)
    };
    survives(MERGE, in_parts, |store| {
        for n in 0..200 {
            store.threads.put(format!("many{n}").as_bytes(), &[b'v'; 50]).unwrap();
        }
        assert!(store.threads.compact().is_err());
    });
}

#[test]
fn a_panic_of_the_sync_thread_leaves_nobody_waiting() {
    // It serves tasks: threads sync for themselves.
    survives("slice-sync", |builder| builder, |store| assert!(as_task(store.tasks.sync()).is_err()));
}

#[test]
fn a_panic_of_the_sync_thread_acknowledges_no_write() {
    let fsync = |builder: Builder| builder.durability(Durability::Fsync);
    survives("slice-sync", fsync, |store| assert!(as_task(store.tasks.put(b"lost", b"?")).is_err()));
}

#[test]
fn a_panic_of_the_janitor_leaves_nobody_waiting() {
    // The tables that a compaction replaces are the janitor's to remove, and the compaction waits for that.
    let on_request = |builder: Builder| builder.l0_compaction_trigger(50).l0_slowdown_trigger(100);
    survives("slice-janitor", on_request, |store| assert!(store.threads.compact().is_err()));
}

#[test]
fn a_panic_of_the_janitor_leaves_no_writer_waiting_for_a_log() {
    let small =
        |builder: Builder| builder.memtable_size(16 << 10).l0_compaction_trigger(50).l0_slowdown_trigger(100);
    survives("slice-janitor", small, |store| {
        let put = |n| store.threads.put(format!("many{n}").as_bytes(), &[b'v'; 100]);
        let failure = (0..10_000).find_map(|n| put(n).err()).expect("no log is made any more");
        assert_eq!(failure.kind(), ErrorKind::ReadOnly);
    });
}
