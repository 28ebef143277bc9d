//! Commits that are given up at each of their waits: they have happened or not, and nothing stays locked.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use slice::vfs::{Fs, MemFs};
use slice::{Builder, Durability, ErrorKind, Isolation, LSMTree, Result};

use crate::gate::{Gate, gates};

/// Polls a future a number of times at most. Whether it is done, and with what.
async fn poll_times<T>(future: &mut Pin<&mut impl Future<Output = T>>, times: usize) -> Option<T> {
    for _ in 0..times {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(answer);
        }
        tokio::task::yield_now().await;
    }
    None
}

fn builder(fs: Arc<dyn Fs>) -> Builder {
    LSMTree::builder("/db").fs(fs).memtable_size(1 << 10).max_frozen_memtables(1)
}

/// A store whose next write waits for a flush, which stands before the gate.
async fn full_store() -> Result<(LSMTree, Gate)> {
    let (fs, [gate]) = gates(["slice-flush"]);
    let lsm = builder(Arc::new(fs)).open().await?;
    gate.shut();
    for _ in 0..2 {
        lsm.put(b"filler", &[0; 2 << 10]).await?;
    }
    gate.arrival();
    Ok((lsm, gate))
}

fn assert_nothing_is_kept(lsm: &LSMTree) {
    let stats = lsm.stats();
    assert_eq!((stats.open_transactions, stats.conflict_index_entries), (0, 0));
}

#[tokio::test]
async fn a_commit_given_up_while_it_waits_for_a_flush_is_rolled_back() -> Result<()> {
    let (lsm, gate) = full_store().await?;
    for times in 1..4 {
        let transaction = lsm.begin(Isolation::Serializable);
        transaction.put(b"k", b"v")?;
        let mut commit = Box::pin(transaction.commit());
        assert!(poll_times(&mut commit.as_mut(), times).await.is_none(), "there is no room");
        drop(commit);
        assert_nothing_is_kept(&lsm);
    }
    gate.open();
    lsm.put(b"after", b"v").await?;
    assert_eq!(lsm.get(b"k").await?, None);
    Ok(())
}

#[tokio::test]
async fn a_commit_that_waited_for_a_flush_is_checked_when_its_turn_comes() -> Result<()> {
    let (lsm, gate) = full_store().await?;
    let begin = |value: &'static [u8]| {
        let transaction = lsm.begin(Isolation::Snapshot);
        transaction.put(b"k", value).map(|()| transaction.commit())
    };
    let (mut first, mut second) = (pin!(begin(b"first")?), pin!(begin(b"second")?));
    assert!(poll_times(&mut first, 1).await.is_none() && poll_times(&mut second, 1).await.is_none());
    gate.open();
    first.await?;
    assert_eq!(second.await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(lsm.get(b"k").await?, Some(b"first".to_vec()));
    assert_nothing_is_kept(&lsm);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_given_up_anywhere_has_happened_as_a_whole_or_not_at_all() -> Result<()> {
    let lsm = builder(Arc::new(MemFs::new())).durability(Durability::Fsync).open().await?;
    let mut done = 0;
    for round in 0..150_u32 {
        let value = round.to_be_bytes();
        let transaction = lsm.begin(Isolation::Serializable);
        let before = transaction.get(b"a").await?;
        transaction.put(b"a", &value)?;
        transaction.put(b"b", &value)?;
        let mut commit = Box::pin(transaction.commit());
        let answer = poll_times(&mut commit.as_mut(), 1 << (round % 15)).await;
        drop(commit);
        assert_nothing_is_kept(&lsm);
        let (a, b) = (lsm.get(b"a").await?, lsm.get(b"b").await?);
        assert_eq!(a, b, "half of it happened");
        assert!(a == Some(value.to_vec()) || answer.is_none() && a == before, "{answer:?}");
        done += usize::from(answer.transpose()?.is_some());
    }
    assert!(done > 0, "none was waited for to its end");
    Ok(())
}

#[tokio::test]
async fn an_update_given_up_while_it_waits_for_a_flush_has_not_happened() -> Result<()> {
    let (lsm, gate) = full_store().await?;
    {
        let mut update = pin!(lsm.fetch_update(b"k", |_| Some(b"v".to_vec())));
        assert!(poll_times(&mut update, 2).await.is_none(), "there is no room");
    }
    {
        let mut swap = pin!(lsm.compare_and_swap(b"k", None, Some(b"v")));
        assert!(poll_times(&mut swap, 2).await.is_none(), "there is no room");
    }
    assert_nothing_is_kept(&lsm);
    gate.open();
    assert_eq!(lsm.get(b"k").await?, None);
    Ok(())
}

#[tokio::test]
async fn a_transact_given_up_in_its_body_is_rolled_back() -> Result<()> {
    let lsm = builder(Arc::new(MemFs::new())).open().await?;
    {
        let mut run = pin!(lsm.transact(Isolation::Serializable, |transaction| async move {
            transaction.put(b"k", b"v")?;
            std::future::pending::<()>().await;
            Ok(())
        }));
        assert!(poll_times(&mut run, 3).await.is_none());
        assert_eq!(lsm.stats().open_transactions, 1);
    }
    assert_nothing_is_kept(&lsm);
    assert_eq!(lsm.get(b"k").await?, None);
    Ok(())
}
