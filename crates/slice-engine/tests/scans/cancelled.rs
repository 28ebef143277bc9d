//! Futures of an async scan that are dropped at every point where they wait.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use slice::vfs::MemFs;
use slice::{LSMTree, Result};

/// Polls a future a few times without waiting for its wake-up, and drops it if it is not done.
fn poll_some<T>(future: impl Future<Output = T>, times: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return Some(value);
        }
        std::thread::yield_now();
    }
    None
}

async fn filled() -> Result<LSMTree> {
    let lsm =
        LSMTree::builder("/db").fs(Arc::new(MemFs::new())).block_cache_bytes(0).block_size(64).open().await?;
    for n in 0..500_u32 {
        lsm.put(&n.to_be_bytes(), &[7; 40]).await?;
    }
    lsm.flush().await?;
    Ok(lsm)
}

#[tokio::test]
async fn a_dropped_next_loses_no_entry() -> Result<()> {
    let lsm = filled().await?;
    for times in 0..4 {
        let mut scan = lsm.iter();
        let mut expected = 0_u32;
        loop {
            let entry = match poll_some(scan.next(), times) {
                Some(entry) => entry,
                None => scan.next().await,
            };
            let Some(entry) = entry else { break };
            assert_eq!(entry?.0, expected.to_be_bytes()[..], "polled {times} times");
            expected += 1;
        }
        assert_eq!(expected, 500);
    }
    Ok(())
}

#[tokio::test]
async fn a_scan_dropped_while_it_reads_leaves_a_store_that_closes() -> Result<()> {
    for times in 0..8 {
        let lsm = filled().await?;
        let mut scan = lsm.iter();
        drop(poll_some(scan.next(), times));
        drop(scan);
        assert_eq!(lsm.get(&3_u32.to_be_bytes()).await?, Some(vec![7; 40]));
        lsm.close().await?;
    }
    Ok(())
}
