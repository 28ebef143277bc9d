//! The same through the async face.

use std::sync::Arc;
use std::time::Duration;

use slice::operators::Append;
use slice::vfs::MemFs;
use slice::{ErrorKind, ManualClock, Result};

use crate::support::{quiet, timed};

#[tokio::test]
async fn tasks_merge_and_read_what_has_a_time() -> Result<()> {
    let clock = Arc::new(ManualClock::new(0));
    let fs = MemFs::new();
    let lsm = timed(&fs, &clock).merge_operator(Arc::new(Append::with(b"+"))).open().await?;
    lsm.put_with_ttl(b"k", b"a", Duration::from_millis(10)).await?;
    lsm.flush().await?;
    lsm.merge(b"k", b"b").await?;
    lsm.flush().await?;
    let snapshot = lsm.snapshot();
    lsm.merge(b"k", b"c").await?;
    assert_eq!(lsm.get(b"k").await?.as_deref(), Some(&b"a+b+c"[..]));
    assert_eq!(snapshot.get(b"k").await?.as_deref(), Some(&b"a+b"[..]));
    clock.set(10);
    lsm.compact().await?;
    assert_eq!(lsm.get(b"k").await?.as_deref(), Some(&b"b+c"[..]));
    assert_eq!(snapshot.get(b"k").await?.as_deref(), Some(&b"b"[..]));
    Ok(())
}

/// What is folded from blocks of several tables may have to wait for the disk in the midst of it.
#[tokio::test]
async fn operands_in_tables_that_are_in_no_cache_are_folded() -> Result<()> {
    let fs = MemFs::new();
    let open = || {
        let builder = quiet(&fs).row_cache_entries(0).block_cache_bytes(0);
        builder.merge_operator(Arc::new(Append::default())).open()
    };
    let lsm = open().await?;
    for operand in [b"a", b"b", b"c"] {
        lsm.merge(b"k", operand).await?;
        lsm.flush().await?;
    }
    lsm.close().await?;
    assert_eq!(open().await?.get(b"k").await?.as_deref(), Some(&b"abc"[..]));
    Ok(())
}

#[tokio::test]
async fn a_merge_without_an_operator_is_refused() -> Result<()> {
    let lsm = quiet(&MemFs::new()).open().await?;
    assert_eq!(lsm.merge(b"k", b"1").await.unwrap_err().kind(), ErrorKind::InvalidArgument);
    Ok(())
}
