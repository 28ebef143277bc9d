//! `compare_and_swap` and `fetch_update`: one key, read and written as one.

use slice::Result;

use crate::{bytes, number, store, threaded};

#[test]
fn a_swap_happens_where_the_value_is_as_expected() -> Result<()> {
    let lsm = store();
    assert!(!lsm.compare_and_swap(b"k", Some(b"1"), Some(b"2"))?, "it is not there");
    assert!(lsm.compare_and_swap(b"k", None, Some(b"1"))?);
    assert!(!lsm.compare_and_swap(b"k", None, Some(b"2"))?, "it is there");
    assert!(!lsm.compare_and_swap(b"k", Some(b"2"), None)?);
    assert_eq!(lsm.get(b"k")?, Some(b"1".to_vec()));
    assert!(lsm.compare_and_swap(b"k", Some(b"1"), None)?);
    assert_eq!(lsm.get(b"k")?, None);
    Ok(())
}

#[test]
fn an_update_gives_what_was_there_before() -> Result<()> {
    let lsm = store();
    let add = |value: Option<&[u8]>| Some([value.unwrap_or_default(), b"+"].concat());
    assert_eq!(lsm.fetch_update(b"k", add)?, None);
    assert_eq!(lsm.fetch_update(b"k", add)?, Some(b"+".to_vec()));
    assert_eq!(lsm.fetch_update(b"k", |_| None)?, Some(b"++".to_vec()));
    let before = lsm.snapshot();
    assert_eq!(lsm.fetch_update(b"k", |_| None)?, None);
    assert_eq!(lsm.snapshot().seqno(), before.seqno(), "no tombstone for what is not there");
    Ok(())
}

#[test]
fn an_update_sees_a_write_that_came_in_between() -> Result<()> {
    let lsm = store();
    lsm.put(b"k", b"1")?;
    let mut runs = 0;
    let before = lsm.fetch_update(b"k", |value| {
        runs += 1;
        if runs == 1 {
            lsm.put(b"k", b"2").expect("it writes");
        }
        Some([value.unwrap_or_default(), b"+"].concat())
    })?;
    assert_eq!((runs, before, lsm.get(b"k")?), (2, Some(b"2".to_vec()), Some(b"2+".to_vec())));
    Ok(())
}

#[test]
fn of_updates_and_swaps_by_threads_none_is_lost() -> Result<()> {
    const EACH: u64 = 500;
    let lsm = threaded().open_blocking()?;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let lsm = lsm.clone();
            scope.spawn(move || {
                for _ in 0..EACH {
                    if thread % 2 == 0 {
                        lsm.fetch_update(b"k", |value| Some(bytes(number(value.map(<[u8]>::to_vec)) + 1)))
                            .expect("it writes");
                    } else {
                        count_up_by_swapping(&lsm);
                    }
                }
            });
        }
    });
    assert_eq!(number(lsm.get(b"k")?), 4 * EACH);
    assert_eq!((lsm.stats().open_transactions, lsm.stats().conflict_index_entries), (0, 0));
    Ok(())
}

fn count_up_by_swapping(lsm: &slice::blocking::LSMTree) {
    loop {
        let value = lsm.get(b"k").expect("it reads");
        let next = bytes(number(value.clone()) + 1);
        if lsm.compare_and_swap(b"k", value.as_deref(), Some(&next)).expect("it writes") {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_updates_and_swaps_by_tasks_none_is_lost() -> Result<()> {
    const EACH: u64 = 300;
    let lsm = threaded().open().await?;
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let lsm = lsm.clone();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    if task % 2 == 0 {
                        let add = |value: Option<&[u8]>| Some(bytes(number(value.map(<[u8]>::to_vec)) + 1));
                        lsm.fetch_update(b"k", add).await.expect("it writes");
                        continue;
                    }
                    loop {
                        let value = lsm.get(b"k").await.expect("it reads");
                        let next = bytes(number(value.clone()) + 1);
                        let swapped = lsm.compare_and_swap(b"k", value.as_deref(), Some(&next)).await;
                        if swapped.expect("it writes") {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task panics");
    }
    assert_eq!(number(lsm.get(b"k").await?), 4 * EACH);
    Ok(())
}
