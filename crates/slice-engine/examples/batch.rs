//! Writes that belong together: an order, its lines and the stock are changed as one, or not at all.

use slice::{LSMTree, Result, WriteBatch};

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let lsm = LSMTree::new(&dir).await?;
    lsm.put(b"stock:tea", b"10").await?;

    let mut order = WriteBatch::new();
    order.put(b"order:1", b"alice")?;
    order.put(b"order:1:line:1", b"3 tea")?;
    order.put(b"stock:tea", b"7")?;
    order.delete(b"cart:alice")?;
    println!("{} writes as one", order.len());
    lsm.write(order).await?;

    // Whoever sees the order sees the stock without it, also after a crash.
    assert_eq!(lsm.get(b"order:1").await?.as_deref(), Some(&b"alice"[..]));
    assert_eq!(lsm.get(b"stock:tea").await?.as_deref(), Some(&b"7"[..]));
    Ok(())
}
