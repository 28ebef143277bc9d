//! Transfers between few accounts by many at once: no money is made or lost, and nobody ever sees some missing.

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use slice::{Isolation, Result};

use crate::{bytes, number, threaded};

const ACCOUNTS: u64 = 8;
const BALANCE: u64 = 100;
const TRANSFERS: u64 = 200;
const WORKERS: u64 = 4;

fn account(n: u64) -> Vec<u8> {
    format!("account{n}").into_bytes()
}

/// Who pays whom, how much.
fn transfer(random: &mut impl Rng) -> (Vec<u8>, Vec<u8>, u64) {
    let from = random.random_range(0..ACCOUNTS);
    let to = (from + random.random_range(1..ACCOUNTS)) % ACCOUNTS;
    (account(from), account(to), random.random_range(1..=BALANCE / 2))
}

fn isolation(worker: u64) -> Isolation {
    if worker.is_multiple_of(2) { Isolation::Snapshot } else { Isolation::Serializable }
}

#[test]
fn transfers_by_threads_keep_the_sum() -> Result<()> {
    let lsm = threaded().open_blocking()?;
    (0..ACCOUNTS).try_for_each(|n| lsm.put(&account(n), &bytes(BALANCE)))?;
    let sum = |isolation| {
        lsm.transact(isolation, |transaction| {
            (0..ACCOUNTS).map(|n| Ok(number(transaction.get(&account(n))?))).sum::<Result<u64>>()
        })
    };
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (lsm, sum) = (lsm.clone(), &sum);
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(worker);
                for n in 0..TRANSFERS {
                    let (from, to, amount) = transfer(&mut random);
                    let paid = lsm.transact(isolation(worker), |transaction| {
                        let (rich, poor) = (number(transaction.get(&from)?), number(transaction.get(&to)?));
                        if rich < amount {
                            return Ok(());
                        }
                        transaction.put(&from, &bytes(rich - amount))?;
                        transaction.put(&to, &bytes(poor + amount))
                    });
                    paid.expect("it commits in the end");
                    if n % 16 == 0 {
                        assert_eq!(sum(isolation(n / 16)).expect("it reads"), ACCOUNTS * BALANCE);
                    }
                }
            });
        }
    });
    assert_eq!(sum(Isolation::Snapshot)?, ACCOUNTS * BALANCE);
    assert_eq!((lsm.stats().open_transactions, lsm.stats().conflict_index_entries), (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_by_tasks_keep_the_sum() -> Result<()> {
    let lsm = threaded().open().await?;
    for n in 0..ACCOUNTS {
        lsm.put(&account(n), &bytes(BALANCE)).await?;
    }
    let tasks: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let lsm = lsm.clone();
            tokio::spawn(async move {
                let mut random = StdRng::seed_from_u64(worker);
                for _ in 0..TRANSFERS {
                    let (from, to, amount) = transfer(&mut random);
                    let (from, to) = (&from, &to);
                    let paid = lsm.transact(isolation(worker), |transaction| async move {
                        let rich = number(transaction.get(from).await?);
                        let poor = number(transaction.get(to).await?);
                        tokio::task::yield_now().await;
                        if rich < amount {
                            return Ok(());
                        }
                        transaction.put(from, &bytes(rich - amount))?;
                        transaction.put(to, &bytes(poor + amount))
                    });
                    paid.await.expect("it commits in the end");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task panics");
    }
    let mut sum = 0;
    for n in 0..ACCOUNTS {
        sum += number(lsm.get(&account(n)).await?);
    }
    assert_eq!(sum, ACCOUNTS * BALANCE);
    assert_eq!(lsm.stats().open_transactions, 0);
    Ok(())
}
