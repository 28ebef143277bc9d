//! A report that adds up although the accounts change meanwhile: all of it is read from one snapshot.

use slice::{LSMTree, Result, Snapshot};

const ACCOUNTS: u32 = 100;
const EACH: u32 = 50;

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let lsm = LSMTree::new(&dir).await?;
    for account in 0..ACCOUNTS {
        set(&lsm, account, EACH).await?;
    }
    let before = lsm.snapshot();

    // The reader's task and this one run side by side.
    let report = tokio::spawn(sum(before.clone()));
    for account in 0..ACCOUNTS {
        set(&lsm, account, 0).await?;
    }
    lsm.compact().await?;

    println!("at the snapshot: {}", report.await.expect("the report does not panic")?);
    println!("now: {}", sum(lsm.snapshot()).await?);
    assert_eq!(sum(before).await?, ACCOUNTS * EACH);
    Ok(())
}

async fn set(lsm: &LSMTree, account: u32, amount: u32) -> Result<()> {
    lsm.put(&account.to_be_bytes(), &amount.to_be_bytes()).await
}

async fn sum(snapshot: Snapshot) -> Result<u32> {
    let mut sum = 0;
    for account in 0..ACCOUNTS {
        let amount = snapshot.get(&account.to_be_bytes()).await?.unwrap_or_default();
        sum += amount.try_into().map_or(0, u32::from_be_bytes);
    }
    Ok(sum)
}
