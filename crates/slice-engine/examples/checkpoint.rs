//! A copy of an open store, to be backed up or tried things on: made of links, while writes go on.

use slice::{LSMTree, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let (live, copy) = (dir.path().join("live"), dir.path().join("copy"));
    let lsm = LSMTree::new(&live).await?;
    for n in 0..1000_u32 {
        lsm.put(&n.to_be_bytes(), b"before").await?;
    }

    lsm.checkpoint(&copy).await?;
    for n in 0..1000_u32 {
        lsm.put(&n.to_be_bytes(), b"after").await?;
    }

    // The copy is a store of its own: what happens to the one does not happen to the other.
    let backup = LSMTree::new(&copy).await?;
    backup.delete(&7_u32.to_be_bytes()).await?;
    println!("the copy has {} of 1000 keys", backup.count::<&[u8], _>(..).await?);
    assert_eq!(backup.get(&8_u32.to_be_bytes()).await?.as_deref(), Some(&b"before"[..]));
    assert_eq!(lsm.get(&7_u32.to_be_bytes()).await?.as_deref(), Some(&b"after"[..]));
    Ok(())
}
