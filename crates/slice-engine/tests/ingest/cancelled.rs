//! Futures of loads and checkpoints that are dropped on their way: they are done or not, and nothing stays locked.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use slice::LSMTree;
use slice::vfs::MemFs;

use super::{key, pairs, value};

/// Polls a future so many times, and drops it if it is not done by then.
fn poll_some<T>(future: impl Future<Output = T>, times: usize) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if future.as_mut().poll(&mut cx).is_ready() {
            return;
        }
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_dropped_load_happens_whole_or_not_at_all_and_holds_nobody_up() -> slice::Result<()> {
    for times in 0..20 {
        let fs = MemFs::new();
        let lsm = LSMTree::builder("/db").fs(Arc::new(fs.clone())).open().await?;
        lsm.put(&key(0), &value(0, 1)).await?;
        poll_some(lsm.ingest(pairs(0..100, 2)), times);
        lsm.put(&key(200), &value(200, 1)).await?;
        // A load of its own waits for the one that goes on alone, if there is one.
        lsm.ingest(pairs(300..310, 3)).await?;
        let snapshot = lsm.snapshot();
        let first = snapshot.get(&key(1)).await?;
        for n in 2..100 {
            assert_eq!(snapshot.get(&key(n)).await?.is_some(), first.is_some(), "polled {times} times");
        }
        assert_eq!(lsm.get(&key(305)).await?, Some(value(305, 3)));
        assert!(lsm.get(&key(200)).await?.is_some());
        lsm.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_dropped_checkpoint_leaves_the_store_as_it_was() -> slice::Result<()> {
    for times in 0..20 {
        let fs = MemFs::new();
        let lsm = LSMTree::builder("/db").fs(Arc::new(fs.clone())).open().await?;
        lsm.put(&key(1), &value(1, 1)).await?;
        poll_some(lsm.checkpoint("/dropped"), times);
        lsm.put(&key(2), &value(2, 1)).await?;
        lsm.checkpoint("/copy").await?;
        let copy = LSMTree::builder("/copy").fs(Arc::new(fs.clone())).open().await?;
        assert_eq!(copy.get(&key(2)).await?, Some(value(2, 1)), "polled {times} times");
        lsm.close().await?;
    }
    Ok(())
}
