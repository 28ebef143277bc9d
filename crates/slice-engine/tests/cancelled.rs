//! Futures that are dropped before they are done: at each of their steps the store stays consistent, and nothing stays
//! locked. Scans, transactions and bulk loads are tried beside their other tests.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use slice::vfs::MemFs;
use slice::{Builder, Durability, LSMTree, Result, WriteBatch};

/// How long anything may take: what is not done by then hangs.
const LIMIT: Duration = Duration::from_secs(60);
/// After how many steps a future is dropped.
const STEPS: [usize; 6] = [1, 2, 3, 5, 20, 200];

type Call<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Memtables so small, and fsyncs so many, that a write waits for everything that it can wait for.
fn builder(fs: &MemFs) -> Builder {
    let builder = LSMTree::builder("/db").fs(Arc::new(fs.clone())).durability(Durability::Fsync);
    builder.memtable_size(1 << 10).max_frozen_memtables(1).l0_compaction_trigger(2)
}

/// Runs a future for a few steps, and drops it; says whether it was done by then.
async fn dropped_after(steps: usize, mut future: Call<'_>) -> bool {
    for _ in 0..steps {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

async fn bounded<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("something is locked for ever")
}

async fn contents(lsm: &LSMTree) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut scan = lsm.iter();
    let mut found = BTreeMap::new();
    while let Some(entry) = bounded(scan.next()).await {
        let (key, value) = entry.unwrap();
        found.insert(key.to_vec(), value.to_vec());
    }
    found
}

/// A write of 300 bytes; a batch of two that is whole or not there; and what else waits for something.
fn operation(lsm: &LSMTree, which: usize, n: u32) -> Call<'_> {
    match which {
        0 => Box::pin(async move { lsm.put(format!("put:{n}").as_bytes(), &[7; 300]).await }),
        1 => Box::pin(async move {
            let mut batch = WriteBatch::new();
            batch.put(format!("first:{n}").as_bytes(), &[1; 200])?;
            batch.put(format!("second:{n}").as_bytes(), &[2; 200])?;
            lsm.write(batch).await
        }),
        2 => Box::pin(async move { lsm.delete_range(format!("put:{n}")..format!("put:{n}~")).await }),
        3 => Box::pin(lsm.flush()),
        4 => Box::pin(lsm.compact()),
        5 => Box::pin(lsm.sync()),
        6 => Box::pin(async move { lsm.checkpoint(format!("/copy-{n}")).await }),
        7 => Box::pin(async move { lsm.keyspace(&format!("keyspace-{n}")).await.map(drop) }),
        8 => Box::pin(async move { lsm.drop_keyspace("none").await.or(Ok(())) }),
        9 => Box::pin(async move { lsm.keyspace("cleared").await?.clear().await }),
        10 => Box::pin(async move { lsm.verify().await.map(drop) }),
        _ => Box::pin(async move { lsm.get(b"put:0").await.map(drop) }),
    }
}

const OPERATIONS: usize = 12;

fn assert_whole_batches(found: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let numbers = |name: &str| -> Vec<String> {
        let keys = found.keys().map(|key| String::from_utf8_lossy(key).into_owned());
        keys.filter_map(|key| key.strip_prefix(name).map(str::to_owned)).collect()
    };
    assert_eq!(numbers("first:"), numbers("second:"), "a batch is there by half");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_is_dropped_leaves_the_store_consistent_and_nothing_locked() {
    let fs = MemFs::new();
    let lsm = builder(&fs).open().await.unwrap();
    let mut dropped = 0;
    for (n, steps) in (0..).zip(STEPS.into_iter().cycle().take(3 * STEPS.len())) {
        for which in 0..OPERATIONS {
            let is_done = bounded(dropped_after(steps, operation(&lsm, which, n))).await;
            dropped += usize::from(!is_done);
            // Whatever was left in the midst: others write, flush and read on.
            let key = format!("after:{n}:{which}");
            bounded(lsm.put(key.as_bytes(), b"written")).await.unwrap();
            assert_eq!(bounded(lsm.get(key.as_bytes())).await.unwrap().as_deref(), Some(&b"written"[..]));
        }
        bounded(lsm.flush()).await.unwrap();
        assert_whole_batches(&contents(&lsm).await);
    }
    assert!(dropped > 50, "only {dropped} futures were not done");
    bounded(lsm.compact()).await.unwrap();
    let before = contents(&lsm).await;
    bounded(lsm.close()).await.unwrap();
    drop(lsm);
    let after_a_crash = fs.crash_image(0.0, 0);
    let lsm = builder(&after_a_crash).open().await.unwrap();
    assert_eq!(contents(&lsm).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_or_a_close_that_is_dropped_leaves_a_directory_that_opens() {
    let fs = MemFs::new();
    for (n, steps) in (0_u32..).zip(STEPS.into_iter().cycle().take(4 * STEPS.len())) {
        let open = builder(&fs).open();
        bounded(dropped_after(steps, Box::pin(async move { open.await.map(drop) }))).await;
        let lsm = bounded(builder(&fs).open()).await.unwrap();
        bounded(lsm.put(&n.to_be_bytes(), b"kept")).await.unwrap();
        bounded(dropped_after(steps, Box::pin(lsm.close()))).await;
        drop(lsm);
        let lsm = bounded(builder(&fs).open()).await.unwrap();
        for n in 0..=n {
            let kept = bounded(lsm.get(&n.to_be_bytes())).await.unwrap();
            assert_eq!(kept.as_deref(), Some(&b"kept"[..]), "key {n} with {steps} steps");
        }
    }
}
