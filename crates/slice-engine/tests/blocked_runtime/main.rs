//! No method of the async face blocks the runtime: while the disk holds back what a task of slice waits for, other tasks
//! of the same worker go on.
//!
//! ```text
//!   one worker:   task: get ──┐                      ┌── answer
//!                             │ neighbour: 1 2 3 ... │
//!   disk:                     └──── held ────────────┘ let go
//! ```
//!
//! The disk answers only after the neighbour has had all of its turns. Were the worker blocked, the neighbour would have
//! none: no clock decides, but for the bound on hangs.

mod held;

use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use held::{Ask, HeldFs, LIMIT};
use slice::{Builder, Durability, Isolation, LSMTree, Result, WriteBatch};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The turns of the neighbour.
const TURNS: u32 = 1000;

/// A store on a disk that can hold back, and the one thread that all tasks have.
struct Scene {
    fs: HeldFs,
    lsm: LSMTree,
    runtime: Runtime,
}

/// No caches, so that every read asks the disk.
fn builder(fs: &HeldFs) -> Builder {
    let builder = LSMTree::builder("/db").fs(Arc::new(fs.clone()));
    builder.block_cache_bytes(0).row_cache_entries(0).memtable_size(16 << 10).max_frozen_memtables(1)
}

impl Scene {
    /// Some hundred keys in tables.
    fn new(options: impl FnOnce(Builder) -> Builder) -> Self {
        let fs = HeldFs::new();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
        let runtime = runtime.expect("a runtime can be made");
        let lsm = runtime.block_on(async {
            let lsm = options(builder(&fs)).open().await?;
            for n in 0..300 {
                lsm.put(&key(n), &[b'v'; 100]).await?;
            }
            lsm.flush().await?;
            Ok::<_, slice::Error>(lsm)
        });
        Self { lsm: lsm.expect("an empty store opens and takes writes"), fs, runtime }
    }

    /// Does something while the disk holds back, and asserts that a neighbour has its turns until the disk goes on.
    #[track_caller]
    fn neighbour_goes_on<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        held: &[Ask],
        task: impl FnOnce(LSMTree) -> F,
    ) -> T {
        self.fs.hold(held);
        let task = self.runtime.spawn(task(self.lsm.clone()));
        self.fs.wait_for_arrival();
        let turns = self.neighbour(LIMIT / 6);
        let is_done = task.is_finished();
        self.fs.let_go();
        assert_eq!(turns, Ok(()), "the worker is blocked");
        assert!(!is_done, "it did not wait for the disk");
        self.done(task)
    }

    /// Something for a memtable.
    fn put_one(&self) {
        self.runtime.block_on(self.lsm.put(&key(1), b"new")).expect("the store takes writes");
    }

    /// A task that takes all of its turns, or how that was not possible within a time.
    fn neighbour(&self, limit: Duration) -> std::result::Result<(), RecvTimeoutError> {
        let (done, dones) = channel();
        self.runtime.spawn(async move {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            done.send(())
        });
        dones.recv_timeout(limit)
    }

    #[track_caller]
    fn done<T: Send + 'static>(&self, task: JoinHandle<T>) -> T {
        let output = self.runtime.block_on(async { tokio::time::timeout(LIMIT, task).await });
        output.expect("it ends once the disk goes on").expect("it does not panic")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // The store's threads wait for the disk when a test has failed.
        self.fs.let_go();
    }
}

fn key(n: u32) -> Vec<u8> {
    format!("key:{n:06}").into_bytes()
}

#[test]
fn reads_of_what_is_on_the_disk_do_not_block_the_worker() {
    let scene = Scene::new(|builder| builder);
    let reads = [Ask::Read];
    let found = scene.neighbour_goes_on(&reads, |lsm| async move { lsm.get(&key(7)).await });
    assert_eq!(found.unwrap(), Some(vec![b'v'; 100]));
    let found = scene.neighbour_goes_on(&reads, |lsm| async move { lsm.get_pinned(&key(250)).await });
    assert_eq!(found.unwrap().as_deref(), Some(&[b'v'; 100][..]));
    let found = scene.neighbour_goes_on(&reads, |lsm| async move { lsm.contains_key(&key(3)).await });
    assert!(found.unwrap());
    let found = scene.neighbour_goes_on(&reads, |lsm| async move { lsm.multi_get([key(1), key(299)]).await });
    assert!(found.unwrap().iter().all(Option::is_some));
    let found = scene.neighbour_goes_on(&reads, |lsm| async move { lsm.snapshot().get(&key(9)).await });
    assert!(found.unwrap().is_some());
}

#[test]
fn scans_of_what_is_on_the_disk_do_not_block_the_worker() {
    let scene = Scene::new(|builder| builder);
    let reads = [Ask::Read];
    let count = scene.neighbour_goes_on(&reads, |lsm| async move { lsm.count(key(0)..).await });
    assert_eq!(count.unwrap(), 300);
    let last = scene.neighbour_goes_on(&reads, |lsm| async move { lsm.last_key_value().await });
    assert_eq!(last.unwrap().expect("there are keys").0, key(299));
    let seventh = scene.neighbour_goes_on(&reads, |lsm| async move {
        let mut scan = lsm.iter();
        for _ in 0..6 {
            scan.next().await;
        }
        scan.next().await
    });
    assert_eq!(seventh.expect("there are keys").unwrap().0, key(6));
}

#[test]
fn writes_that_wait_for_an_fsync_do_not_block_the_worker() {
    let scene = Scene::new(|builder| builder.durability(Durability::Fsync));
    let syncs = [Ask::SyncLog];
    scene.neighbour_goes_on(&syncs, |lsm| async move { lsm.put(b"a", b"1").await }).unwrap();
    scene.neighbour_goes_on(&syncs, |lsm| async move { lsm.delete(b"a").await }).unwrap();
    let batch = |lsm: LSMTree| async move {
        let mut batch = WriteBatch::new();
        batch.put(b"b", b"2")?;
        lsm.write(batch).await
    };
    scene.neighbour_goes_on(&syncs, batch).unwrap();
    let transaction = |lsm: LSMTree| async move {
        let transaction = lsm.begin(Isolation::Snapshot);
        transaction.put(b"c", b"3")?;
        transaction.commit().await
    };
    scene.neighbour_goes_on(&syncs, transaction).unwrap();
}

#[test]
fn a_sync_does_not_block_the_worker() {
    let scene = Scene::new(|builder| builder);
    scene.put_one();
    scene.neighbour_goes_on(&[Ask::SyncLog], |lsm| async move { lsm.sync().await }).unwrap();
}

#[test]
fn many_writers_that_share_an_fsync_do_not_block_the_worker() {
    let scene = Scene::new(|builder| builder.durability(Durability::Fsync));
    let writers = |lsm: LSMTree| async move {
        let write = |n| {
            let lsm = lsm.clone();
            tokio::spawn(async move { lsm.put(&key(n), b"new").await })
        };
        let writers: Vec<_> = (0..16).map(write).collect();
        for writer in writers {
            writer.await.expect("it does not panic")?;
        }
        Ok::<_, slice::Error>(())
    };
    scene.neighbour_goes_on(&[Ask::SyncLog], writers).unwrap();
}

/// Far more than all memtables hold.
async fn fill(lsm: LSMTree) -> Result<()> {
    for n in 0..2_000 {
        lsm.put(&key(n), &[b'w'; 100]).await?;
    }
    Ok(())
}

#[test]
fn writers_that_wait_for_a_flush_do_not_block_the_worker() {
    let scene = Scene::new(|builder| builder);
    scene.neighbour_goes_on(&[Ask::Write], fill).unwrap();
    let delays = scene.lsm.stats().write_delays_by_cause;
    assert!(delays.memtables_full > Duration::ZERO, "{delays:?}");
}

#[test]
fn a_switch_of_memtables_does_not_block_the_worker_while_no_name_can_be_given() {
    let scene = Scene::new(|builder| builder.max_frozen_memtables(1000));
    scene.neighbour_goes_on(&[Ask::Name], fill).unwrap();
    let stats = scene.lsm.stats();
    assert!(stats.flush_stats.flushes > 1, "{stats:?}");
}

#[test]
fn a_flush_on_request_does_not_block_the_worker_while_no_name_can_be_given() {
    let scene = Scene::new(|builder| builder);
    scene.put_one();
    scene.neighbour_goes_on(&[Ask::Name], |lsm| async move { lsm.flush().await }).unwrap();
}

#[test]
fn writers_do_not_block_the_worker_while_the_disk_does_nothing_at_all() {
    let scene = Scene::new(|builder| builder);
    scene.neighbour_goes_on(&Ask::ALL, fill).unwrap();
    let scene = Scene::new(|builder| builder.durability(Durability::Fsync));
    scene.neighbour_goes_on(&Ask::ALL, fill).unwrap();
}

#[test]
fn upkeep_does_not_block_the_worker() {
    let scene = Scene::new(|builder| builder);
    let all = Ask::ALL;
    scene.put_one();
    scene.neighbour_goes_on(&all, |lsm| async move { lsm.flush().await }).unwrap();
    scene.put_one();
    scene.neighbour_goes_on(&all, |lsm| async move { lsm.compact().await }).unwrap();
    scene.neighbour_goes_on(&all, |lsm| async move { lsm.verify().await.map(drop) }).unwrap();
    scene.neighbour_goes_on(&all, |lsm| async move { lsm.checkpoint("/copy").await.map(drop) }).unwrap();
    scene.neighbour_goes_on(&all, |lsm| async move { lsm.keyspace("other").await.map(drop) }).unwrap();
    scene.neighbour_goes_on(&all, |lsm| async move { lsm.drop_keyspace("other").await.map(drop) }).unwrap();
}

#[test]
fn opening_and_closing_do_not_block_the_worker() {
    let scene = Scene::new(|builder| builder);
    scene.neighbour_goes_on(&Ask::ALL, |lsm| async move { lsm.close().await }).unwrap();
    let fs = scene.fs.clone();
    let open = |_| async move { builder(&fs).open().await?.get(&key(1)).await };
    assert!(scene.neighbour_goes_on(&Ask::ALL, open).unwrap().is_some());
}

#[test]
fn a_worker_that_is_blocked_is_noticed() {
    let scene = Scene::new(|builder| builder);
    let blocking = builder(&scene.fs).open_blocking().expect("the same store, by its other face");
    scene.fs.hold(&[Ask::Read]);
    // What a user must not do, and what a method of the async face must not do either.
    let task = scene.runtime.spawn(async move { blocking.get(&key(7)) });
    scene.fs.wait_for_arrival();
    // What must not happen has no signal: a moment has to do.
    let turns = scene.neighbour(Duration::from_millis(100));
    scene.fs.let_go();
    assert_eq!(turns, Err(RecvTimeoutError::Timeout), "the worker was not blocked");
    assert!(scene.done(task).unwrap().is_some());
}
