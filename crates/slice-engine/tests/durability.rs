//! What each durability level promises, and that the waiting for it is shared, ends, and is told of failures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use slice::vfs::{Fault, FaultFs, Fs, MemFs};
use slice::{Durability, ErrorKind, Health, LSMTree, blocking};

fn after_power_failure(fs: &MemFs, key: &[u8]) -> Option<Vec<u8>> {
    let image: Arc<dyn Fs> = Arc::new(fs.crash_image(0.0, 7));
    blocking::LSMTree::builder("/db").fs(image).open_blocking().unwrap().get(key).unwrap()
}

async fn open(fs: &MemFs, durability: Durability) -> LSMTree {
    LSMTree::builder("/db").fs(Arc::new(fs.clone())).durability(durability).open().await.unwrap()
}

#[tokio::test]
async fn an_fsynced_write_survives_a_power_failure_at_once() {
    let fs = MemFs::new();
    let lsm = open(&fs, Durability::Fsync).await;
    for n in 0..20_u32 {
        lsm.put(&n.to_be_bytes(), b"v").await.unwrap();
        assert!(after_power_failure(&fs, &n.to_be_bytes()).is_some(), "write {n}");
    }
}

#[tokio::test]
async fn a_buffered_write_survives_a_power_failure_after_sync() {
    let fs = MemFs::new();
    let lsm = open(&fs, Durability::Buffered).await;
    lsm.put(b"k", b"v").await.unwrap();
    assert_eq!(after_power_failure(&fs, b"k"), None, "nothing asked for it to be durable");
    lsm.sync().await.unwrap();
    assert_eq!(after_power_failure(&fs, b"k"), Some(b"v".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the promise is about time")]
async fn an_interval_write_survives_a_power_failure_a_while_later() {
    let fs = MemFs::new();
    let lsm = open(&fs, Durability::Interval(Duration::from_millis(2))).await;
    lsm.put(b"k", b"v").await.unwrap();
    let begun = Instant::now();
    while after_power_failure(&fs, b"k").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(30), "never synced");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_that_wait_for_an_fsync_all_get_theirs() {
    let fs = MemFs::new();
    let lsm = open(&fs, Durability::Fsync).await;
    let writers: Vec<_> = (0..16_u32)
        .map(|writer| {
            let lsm = lsm.clone();
            tokio::spawn(async move {
                for n in 0..50_u32 {
                    lsm.put(&[writer.to_be_bytes(), n.to_be_bytes()].concat(), b"v").await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for writer in 0..16_u32 {
        let last = [writer.to_be_bytes(), 49_u32.to_be_bytes()].concat();
        assert!(after_power_failure(&fs, &last).is_some(), "writer {writer}");
    }
}

#[test]
fn a_failed_fsync_of_the_log_refuses_writes_and_answers_reads_until_it_is_opened_anew() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let shared: Arc<dyn Fs> = Arc::new(fs.clone());
    let builder = blocking::LSMTree::builder("/db").fs(shared).durability(Durability::Fsync);
    let lsm = builder.clone().open_blocking().unwrap();
    lsm.put(b"before", b"v").unwrap();
    // The append is one operation, the sync behind it the next.
    fs.fail_at(fs.operations() + 1, Fault::Eio);
    assert_eq!(lsm.put(b"failed", b"v").unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(lsm.put(b"after", b"v").unwrap_err().kind(), ErrorKind::ReadOnly);
    assert!(matches!(lsm.health(), Health::ReadOnly(_)));
    assert_eq!(lsm.get(b"before").unwrap(), Some(b"v".to_vec()));
    drop(lsm);
    let lsm = builder.open_blocking().unwrap();
    assert_eq!(lsm.get(b"before").unwrap(), Some(b"v".to_vec()));
    lsm.put(b"after", b"v").unwrap();
    assert!(matches!(lsm.health(), Health::Healthy));
}

#[test]
fn a_full_disk_is_a_retryable_error_and_heals_by_itself() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let shared: Arc<dyn Fs> = Arc::new(fs.clone());
    let lsm = blocking::LSMTree::builder("/db").fs(shared).memtable_size(16 << 10).open_blocking().unwrap();
    fs.fail_at_for(fs.operations(), Fault::Enospc, slice::vfs::Span::Forever);
    let mut acknowledged = 0_u32;
    let error = loop {
        match lsm.put(&acknowledged.to_be_bytes(), &[1; 100]) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    assert!(error.is_retryable());
    fs.clear();
    for n in acknowledged..acknowledged + 1000 {
        // The memory for writes may be full until the flush is tried again, a second later at most.
        while let Err(error) = lsm.put(&n.to_be_bytes(), &[1; 100]) {
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        }
    }
    lsm.flush().unwrap();
    for n in 0..acknowledged + 1000 {
        assert_eq!(lsm.get(&n.to_be_bytes()).unwrap(), Some(vec![1; 100]), "{n} of {acknowledged}");
    }
    assert!(matches!(lsm.health(), Health::Healthy));
}
