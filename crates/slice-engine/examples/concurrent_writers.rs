//! Ten tasks write a thousand records each, at the same time. Writes `./data`.

#![expect(clippy::uninlined_format_args, reason = "kept as its first users know it")]

use slice::LSMTree;
use std::sync::Arc;
#[tokio::main]
async fn main() -> slice::Result<()> {
    let lsm = Arc::new(LSMTree::new("./data").await?);
    // Spawn multiple concurrent writers
    let mut handles = Vec::new();
    for writer_id in 0..10 {
        let lsm_clone = lsm.clone();
        let handle = tokio::spawn(async move {
            for i in 0..1000 {
                let key = format!("writer{}:key{}", writer_id, i);
                let value = format!("value_{}_{}", writer_id, i);
                lsm_clone.put(key.as_bytes(), value.as_bytes()).await.unwrap();
            }
        });
        handles.push(handle);
    }
    // Wait for all writers to complete
    for handle in handles {
        handle.await.unwrap();
    }
    println!("All concurrent writes completed!");
    Ok(())
}
