//! What the methods promise, on both faces and in batches.

use std::ops::Bound;

use slice::vfs::MemFs;
use slice::{ErrorKind, Result, WriteBatch};

use crate::support::{fill, key, present, quiet};

#[test]
fn every_kind_of_bound_deletes_what_it_says() -> Result<()> {
    type Deletes = ((Bound<u32>, Bound<u32>), &'static [u32]);
    let deletes: [Deletes; 6] = [
        ((Bound::Included(2), Bound::Excluded(4)), &[0, 1, 4, 5]),
        ((Bound::Included(2), Bound::Included(4)), &[0, 1, 5]),
        ((Bound::Excluded(2), Bound::Excluded(4)), &[0, 1, 2, 4, 5]),
        ((Bound::Unbounded, Bound::Excluded(3)), &[3, 4, 5]),
        ((Bound::Excluded(3), Bound::Unbounded), &[0, 1, 2, 3]),
        ((Bound::Unbounded, Bound::Unbounded), &[]),
    ];
    for ((start, end), left) in deletes {
        let fs = MemFs::new();
        let lsm = quiet(&fs).open_blocking()?;
        fill(&lsm, 0..6);
        lsm.delete_range((start.map(key), end.map(key)))?;
        assert_eq!(present(&lsm, 6), left, "in memory");
        drop(lsm);
        let lsm = quiet(&fs).open_blocking()?;
        assert_eq!(present(&lsm, 6), left, "out of the log");
        lsm.flush()?;
        assert_eq!(present(&lsm, 6), left, "out of tables");
        drop(lsm);
        assert_eq!(present(&quiet(&fs).open_blocking()?, 6), left, "reopened");
    }
    Ok(())
}

#[test]
fn a_range_that_ends_before_it_begins_is_refused_and_an_empty_one_does_nothing() -> Result<()> {
    let lsm = quiet(&MemFs::new()).open_blocking()?;
    fill(&lsm, 0..3);
    let last = lsm.stats().last_seqno;
    assert_eq!(lsm.delete_range("b".."a").unwrap_err().kind(), ErrorKind::InvalidArgument);
    let mut batch = WriteBatch::new();
    assert_eq!(batch.delete_range("b".."a").unwrap_err().kind(), ErrorKind::InvalidArgument);
    batch.delete_range("a".."a")?;
    assert!(batch.is_empty());
    lsm.delete_range(key(1)..key(1))?;
    assert_eq!((present(&lsm, 3), lsm.stats().last_seqno), (vec![0, 1, 2], last));
    Ok(())
}

#[test]
fn a_closed_store_deletes_no_range() -> Result<()> {
    let lsm = quiet(&MemFs::new()).open_blocking()?;
    lsm.close()?;
    assert_eq!(lsm.delete_range("a".."b").unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(lsm.delete_range("a".."a").unwrap_err().kind(), ErrorKind::Closed);
    Ok(())
}

#[test]
fn in_a_batch_the_order_of_writes_counts() -> Result<()> {
    let fs = MemFs::new();
    let lsm = quiet(&fs).open_blocking()?;
    fill(&lsm, [1, 2]);
    let mut batch = WriteBatch::new();
    batch.put(&key(3), b"before")?;
    batch.delete_range(key(0)..key(9))?;
    batch.put(&key(2), b"after")?;
    batch.put(&key(4), b"after")?;
    lsm.write(batch)?;
    for step in 0..4 {
        let lsm = if step == 0 { lsm.clone() } else { quiet(&fs).open_blocking()? };
        assert_eq!(present(&lsm, 9), [2, 4], "step {step}");
        match step {
            1 => lsm.flush()?,
            2 => lsm.compact()?,
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn both_faces_delete_ranges() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let fs = MemFs::new();
    let lsm = quiet(&fs).open_blocking()?;
    fill(&lsm, 0..4);
    runtime.block_on(async {
        let lsm = quiet(&fs).open().await?;
        lsm.delete_range(..key(2)).await?;
        let reversed = lsm.delete_range(key(2)..key(1)).await.unwrap_err();
        assert_eq!(reversed.kind(), ErrorKind::InvalidArgument);
        assert_eq!(lsm.get(&key(1)).await?, None);
        Ok::<_, slice::Error>(())
    })?;
    assert_eq!(present(&lsm, 4), [2, 3]);
    Ok(())
}
