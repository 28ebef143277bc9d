//! A cache of sessions: each is gone by itself when its time is over, and compaction takes back the space.

use std::sync::Arc;
use std::time::Duration;

use slice::{LSMTree, ManualClock, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    // A clock to turn by hand, so that nobody waits for an hour here. Without one, it is the operating system's.
    let clock = Arc::new(ManualClock::default());
    let lsm =
        LSMTree::builder(&dir).default_ttl(Duration::from_secs(3600)).clock(clock.clone()).open().await?;

    lsm.put(b"session:alice", b"green").await?;
    lsm.put_with_ttl(b"session:bob", b"blue", Duration::from_secs(60)).await?;

    clock.advance(Duration::from_secs(61));
    println!("after a minute: alice {}, bob {}", state(&lsm, "alice").await?, state(&lsm, "bob").await?);
    assert_eq!(lsm.get(b"session:bob").await?, None);

    // Writing it anew gives it another hour.
    lsm.put(b"session:alice", b"green").await?;
    clock.advance(Duration::from_secs(3599));
    assert!(lsm.contains_key(b"session:alice").await?);
    clock.advance(Duration::from_secs(2));
    println!("after an hour: alice {}", state(&lsm, "alice").await?);
    assert_eq!(lsm.count::<&[u8], _>(..).await?, 0);

    lsm.compact().await?;
    println!("tables after compaction: {:?}", lsm.stats().level_stats);
    Ok(())
}

async fn state(lsm: &LSMTree, user: &str) -> Result<&'static str> {
    let key = format!("session:{user}");
    Ok(if lsm.contains_key(key.as_bytes()).await? { "is there" } else { "is gone" })
}
