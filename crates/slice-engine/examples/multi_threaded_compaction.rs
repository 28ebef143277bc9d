//! Bounds how much compaction is done at once, and prints what it has done. Writes `./data`.

use slice::{LSMTree, compaction::CompactionConfig};
#[tokio::main]
async fn main() -> slice::Result<()> {
    // Configure multi-threaded compaction
    let compaction_config = CompactionConfig {
        max_concurrent_compactions: 4, // Allow up to 4 concurrent compactions
        merge_parallelism: 8,          // Use 8 parallel merge tasks
        max_sstables_per_job: 5,       // Limit job size for better parallelism
        enable_parallel_merge: true,   // Enable parallel merging
    };
    // Create LSM tree with custom compaction configuration
    let lsm = LSMTree::new_with_config(
        "./data",
        1000, // cache size
        compaction_config,
    )
    .await?;
    // Check compaction statistics
    let stats = lsm.stats();
    println!("Compaction stats:");
    println!(" Total compactions: {}", stats.compaction_stats.total_compactions);
    println!(" Active compactions: {}", stats.compaction_stats.concurrent_compactions);
    println!(" Parallel merges: {}", stats.compaction_stats.parallel_merges);
    println!(" Bytes compacted: {} MB", stats.compaction_stats.bytes_compacted / 1024 / 1024);
    Ok(())
}
