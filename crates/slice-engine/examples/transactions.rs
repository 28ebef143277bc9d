//! Bank transfers under contention: many tasks move money between a few accounts, and none of it is lost or made.

use rand::RngExt;
use slice::{ErrorKind, Isolation, LSMTree, Result, Transaction};

const ACCOUNTS: u8 = 5;
const EACH: u64 = 1000;
const TASKS: usize = 8;
const TRANSFERS: usize = 50;

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let lsm = LSMTree::new(&dir).await?;
    for account in 0..ACCOUNTS {
        lsm.put(&[account], &EACH.to_be_bytes()).await?;
    }

    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(transfers(lsm.clone()))).collect();
    for task in tasks {
        task.await.expect("no transfer panics")?;
    }

    let mut sum = 0;
    let mut accounts = lsm.iter();
    while let Some(entry) = accounts.next().await {
        sum += amount(&entry?.1);
    }
    println!("{} transfers later there is as much money as before: {sum}", TASKS * TRANSFERS);
    assert_eq!(sum, EACH * u64::from(ACCOUNTS));

    // What `transact` does by itself: a commit that has lost a race says so, and may be tried again.
    let (one, other) = (lsm.begin(Isolation::Serializable), lsm.begin(Isolation::Serializable));
    set(&one, 0, balance(&one, 0).await? + 1)?;
    set(&other, 0, balance(&other, 0).await? + 1)?;
    one.commit().await?;
    let lost = other.commit().await.expect_err("both read the same balance");
    assert_eq!((lost.kind(), lost.is_retryable()), (ErrorKind::Conflict, true));
    println!("the loser of a race hears: {lost}");
    Ok(())
}

async fn transfers(lsm: LSMTree) -> Result<()> {
    for _ in 0..TRANSFERS {
        let (from, to, wish) = {
            let mut random = rand::rng();
            (random.random_range(0..ACCOUNTS), random.random_range(0..ACCOUNTS), random.random_range(1..100))
        };
        lsm.transact(Isolation::Serializable, |transaction| async move {
            let there = balance(&transaction, from).await?;
            let moved = wish.min(there);
            set(&transaction, from, there - moved)?;
            // Read again, so that a transfer from an account to itself changes nothing.
            let there = balance(&transaction, to).await?;
            set(&transaction, to, there + moved)
        })
        .await?;
    }
    Ok(())
}

async fn balance(transaction: &Transaction, account: u8) -> Result<u64> {
    Ok(transaction.get(&[account]).await?.map_or(0, |value| amount(&value)))
}

fn set(transaction: &Transaction, account: u8, amount: u64) -> Result<()> {
    transaction.put(&[account], &amount.to_be_bytes())
}

fn amount(value: &[u8]) -> u64 {
    value.try_into().map_or(0, u64::from_be_bytes)
}
