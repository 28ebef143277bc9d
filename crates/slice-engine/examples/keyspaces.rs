//! Several ordered maps in one store: own options for each, one log, and batches over all of them.

use std::sync::Arc;

use slice::{Durability, KeyspaceOptions, LSMTree, Result, WriteBatch, WriteOptions, operators};

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    // Declared when the store is opened: compactions may need the operator before anybody asks for the keyspace.
    let counters = KeyspaceOptions::new().merge_operator(Some(Arc::new(operators::Counter)));
    let lsm = LSMTree::builder(&dir).keyspace("counters", counters).open().await?;

    let users = lsm.keyspace("users").await?;
    let posts = lsm.keyspace_with("posts", KeyspaceOptions::new().memtable_size(4 << 20)).await?;
    let counters = lsm.keyspace("counters").await?;

    // A post, its author's last one, and the number of posts: all of it, or nothing, also after a crash.
    for (id, text) in [("1", "first"), ("2", "second")] {
        let mut batch = WriteBatch::new();
        batch.put_in(&posts, id.as_bytes(), text.as_bytes())?;
        batch.put_in(&users, b"alice", id.as_bytes())?;
        batch.merge_in(&counters, b"posts", &1_i64.to_le_bytes())?;
        lsm.write_with(batch, WriteOptions { durability: Durability::Fsync }).await?;
    }

    println!("keyspaces: {}", lsm.keyspaces().join(", "));
    assert_eq!(users.get(b"alice").await?.as_deref(), Some(&b"2"[..]));
    assert_eq!(counters.get(b"posts").await?, Some(2_i64.to_le_bytes().to_vec()));
    assert_eq!(lsm.get(b"alice").await?, None, "the default keyspace knows nothing of it");

    lsm.drop_keyspace("posts").await?;
    let refused = posts.get(b"1").await.expect_err("it is dropped");
    println!("of a keyspace that was dropped: {refused}");
    Ok(())
}
