//! Filling a store with sorted pairs: straight into tables, many times faster than one put after another.

#![expect(clippy::disallowed_methods, reason = "an example reads the clock as it likes")]

use std::time::Instant;

use slice::{LSMTree, Result};

const PAIRS: u32 = 200_000;

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let lsm = LSMTree::new(&dir).await?;
    lsm.put(&7_u32.to_be_bytes(), b"from before").await?;

    // Pairs come in ascending order of their keys, from a file or another store.
    let pairs = (0..PAIRS).map(|n| (n.to_be_bytes(), format!("{n} loaded")));
    let since = Instant::now();
    let loaded = lsm.ingest(pairs).await?;
    println!("{loaded} pairs in {:.0?}", since.elapsed());

    // What was loaded replaces what was there, all of it at one moment.
    assert_eq!(lsm.get(&7_u32.to_be_bytes()).await?.as_deref(), Some(&b"7 loaded"[..]));
    assert_eq!(lsm.count::<&[u8], _>(..).await?, u64::from(PAIRS));
    println!("{}", lsm.stats());

    let disorder = lsm.ingest([(b"b", b"1"), (b"a", b"2")]).await;
    println!("out of order: {}", disorder.expect_err("the keys descend"));
    Ok(())
}
