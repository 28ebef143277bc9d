//! Opens a store, writes, reads, deletes, flushes, compacts, and looks at the cache. Writes `./data`.

#![expect(unused_variables, reason = "kept as its first users know it: the first handle is replaced at once")]

use slice::LSMTree;
#[tokio::main]
async fn main() -> slice::Result<()> {
    // Initialize the LSM tree with default cache (1000 entries)
    let lsm = LSMTree::new("./data").await?;
    // Or initialize with custom cache size
    let lsm = LSMTree::new_with_cache_size("./data", 5000).await?;
    // Put key-value pairs
    lsm.put(b"user:1", b"Alice").await?;
    lsm.put(b"user:2", b"Bob").await?;
    // Get values
    if let Some(value) = lsm.get(b"user:1").await? {
        println!("user:1 = {}", String::from_utf8_lossy(&value));
    }
    // Delete keys
    lsm.delete(b"user:2").await?;
    // Manual flush and compaction
    lsm.flush().await?;
    lsm.compact().await?;
    // Check cache statistics
    let stats = lsm.stats();
    stats.print(); // Shows cache hit ratio and size
    // Clear cache if needed
    lsm.clear_cache();
    Ok(())
}
