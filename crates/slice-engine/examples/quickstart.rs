//! The least that is of use: open, write, read, close.

use slice::LSMTree;

#[tokio::main]
async fn main() -> slice::Result<()> {
    let lsm = LSMTree::new("./quickstart-data").await?;

    lsm.put(b"planet:3", b"Earth").await?;
    lsm.put(b"planet:4", b"Mars").await?;
    lsm.delete(b"planet:4").await?;

    assert_eq!(lsm.get(b"planet:3").await?.as_deref(), Some(&b"Earth"[..]));
    assert_eq!(lsm.get(b"planet:4").await?, None);
    println!("planet:3 is Earth, and there is no planet:4");

    // Dropping the last handle would do; this also says if the last bytes could not be made durable.
    lsm.close().await
}
