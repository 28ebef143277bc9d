//! Futures of an async scan that are dropped at every point where they wait.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};

use slice::vfs::MemFs;
use slice::{LSMTree, Result};
use tokio::runtime::{Builder, Runtime};

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

/// A store of five hundred keys, none of which is in memory.
async fn filled() -> Result<LSMTree> {
    let fs = MemFs::new();
    fs.make_cold();
    let builder = LSMTree::builder("/db").fs(Arc::new(fs)).block_cache_bytes(0).row_cache_entries(0);
    let lsm = builder.block_size(64).open().await?;
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
        let mut dropped = 0;
        loop {
            let entry = if let Some(entry) = poll_some(scan.next(), times) {
                entry
            } else {
                dropped += 1;
                scan.next().await
            };
            let Some(entry) = entry else { break };
            assert_eq!(entry?.0, expected.to_be_bytes()[..], "polled {times} times");
            expected += 1;
        }
        assert_eq!(expected, 500);
        assert!(dropped > 0 || times > 0, "nothing was dropped");
    }
    Ok(())
}

#[tokio::test]
async fn a_scan_whose_ends_take_turns_gives_each_key_once() -> Result<()> {
    let lsm = filled().await?;
    let mut scan = lsm.iter();
    let (mut front, mut back) = (Vec::new(), Vec::new());
    for turn in 0_u32.. {
        let is_front = turn % 3 == 0;
        if turn % 7 == 0 {
            // Read ahead from one end, and leave it to the other.
            if let Some(Some(entry)) = poll_some(scan.next_back(), 1) {
                back.push(entry?.0);
            }
        }
        let entry = if is_front { scan.next().await } else { scan.next_back().await };
        let Some(entry) = entry else { break };
        if is_front { &mut front } else { &mut back }.push(entry?.0);
    }
    back.reverse();
    front.extend(back);
    assert_eq!(front, (0..500_u32).map(|n| n.to_be_bytes().to_vec()).collect::<Vec<_>>());
    Ok(())
}

/// A runtime with a single thread that may block.
fn one_blocking_thread() -> Runtime {
    Builder::new_current_thread().max_blocking_threads(1).build().expect("a runtime")
}

/// Keeps that thread busy until what is returned is dropped.
fn occupy() -> Sender<()> {
    let (sender, receiver) = channel::<()>();
    tokio::task::spawn_blocking(move || receiver.recv());
    sender
}

#[test]
fn a_seek_while_a_batch_is_read_goes_where_it_was_told() -> Result<()> {
    one_blocking_thread().block_on(seek_while_away())
}

async fn seek_while_away() -> Result<()> {
    let lsm = filled().await?;
    let mut scan = lsm.iter();
    for target in [400_u32, 20, 499, 0] {
        let busy = occupy();
        assert!(poll_some(scan.next(), 1).is_none(), "a batch is on its way");
        scan.seek(target.to_be_bytes());
        drop(busy);
        let entry = scan.next().await.expect("a key")?;
        assert_eq!(entry.0, target.to_be_bytes()[..]);
        scan.seek([0; 4]);
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

#[tokio::test]
async fn a_dropped_read_of_many_keys_holds_nothing_up() -> Result<()> {
    let lsm = filled().await?;
    let keys = || (0..500_u32).map(u32::to_be_bytes);
    for times in 0..4 {
        drop(poll_some(lsm.multi_get(keys()), times));
        drop(poll_some(lsm.count(""..), times));
        drop(poll_some(lsm.last_key_value(), times));
    }
    assert!(lsm.multi_get(keys()).await?.iter().all(Option::is_some));
    lsm.close().await
}

#[test]
fn many_deleted_keys_in_memory_do_not_keep_the_thread() -> Result<()> {
    one_blocking_thread().block_on(scan_deleted())
}

async fn scan_deleted() -> Result<()> {
    let fs = Arc::new(MemFs::new());
    let lsm = LSMTree::builder("/db").fs(fs).open().await?;
    for n in 0..5000_u32 {
        lsm.delete(&n.to_be_bytes()).await?;
    }
    lsm.put(b"z", b"last").await?;
    let mut scan = lsm.iter();
    let busy = occupy();
    assert!(poll_some(scan.next(), 1).is_none(), "it is looked for on another thread");
    drop(busy);
    assert_eq!(scan.next().await.transpose()?, Some(("z".into(), "last".into())));
    Ok(())
}
