//! One or two transactions at a time: what each sees, and which of them commits.

use slice::{ErrorKind, Isolation, MAX_KEY_LEN, Result};

use crate::{inline, store};

const BOTH: [Isolation; 2] = [Isolation::Snapshot, Isolation::Serializable];

/// What a read gives that finds this.
#[expect(clippy::unnecessary_wraps, reason = "it is compared with what reads give")]
fn value(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

#[test]
fn a_transaction_reads_its_moment_and_its_own_writes() -> Result<()> {
    for isolation in BOTH {
        let lsm = store();
        lsm.put(b"a", b"1")?;
        lsm.put(b"b", b"1")?;
        let transaction = lsm.begin(isolation);
        lsm.put(b"a", b"2")?;
        lsm.put(b"c", b"2")?;
        lsm.compact()?;
        assert_eq!(transaction.get(b"a")?, value("1"));
        assert_eq!(transaction.get(b"c")?, None);
        transaction.put(b"d", b"mine")?;
        transaction.delete(b"b")?;
        assert_eq!(transaction.get(b"d")?, value("mine"));
        assert_eq!(transaction.get(b"b")?, None);
        transaction.put(b"b", b"again")?;
        assert_eq!(transaction.get(b"b")?, value("again"));
        assert_eq!(lsm.get(b"d")?, None, "nobody else sees it");
    }
    Ok(())
}

#[test]
fn a_commit_writes_all_at_once_and_a_rollback_or_a_drop_nothing() -> Result<()> {
    for isolation in BOTH {
        let lsm = store();
        let before = lsm.snapshot();
        let transaction = lsm.begin(isolation);
        transaction.put(b"a", b"1")?;
        transaction.put(b"b", b"1")?;
        transaction.commit()?;
        assert_eq!((lsm.get(b"a")?, lsm.get(b"b")?), (value("1"), value("1")));
        assert_eq!(lsm.snapshot().seqno() - before.seqno(), 2);
        let transaction = lsm.begin(isolation);
        transaction.put(b"a", b"2")?;
        transaction.rollback();
        let transaction = lsm.begin(isolation);
        transaction.put(b"a", b"3")?;
        drop(transaction);
        assert_eq!(lsm.get(b"a")?, value("1"));
        assert_eq!(lsm.stats().open_transactions, 0);
    }
    Ok(())
}

#[test]
fn of_two_that_write_to_one_key_the_first_to_commit_wins() -> Result<()> {
    for isolation in BOTH {
        let lsm = store();
        let (first, second) = (lsm.begin(isolation), lsm.begin(isolation));
        first.put(b"k", b"first")?;
        second.put(b"k", b"second")?;
        second.put(b"other", b"second")?;
        first.commit()?;
        let error = second.commit().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.is_retryable());
        assert_eq!((lsm.get(b"k")?, lsm.get(b"other")?), (value("first"), None));
    }
    Ok(())
}

#[test]
fn every_kind_of_single_write_is_a_conflict() -> Result<()> {
    let writes: [fn(&slice::blocking::LSMTree) -> Result<()>; 4] = [
        |lsm| lsm.put(b"k", b"theirs"),
        |lsm| lsm.delete(b"k"),
        |lsm| {
            let mut batch = slice::WriteBatch::new();
            batch.put(b"j", b"theirs")?;
            batch.delete(b"k")?;
            lsm.write(batch)
        },
        |lsm| lsm.compare_and_swap(b"k", None, Some(b"theirs")).map(|swapped| assert!(swapped)),
    ];
    for isolation in BOTH {
        for write in writes {
            let lsm = store();
            let transaction = lsm.begin(isolation);
            transaction.put(b"k", b"mine")?;
            write(&lsm)?;
            assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Conflict);
        }
    }
    Ok(())
}

#[test]
fn what_happened_before_a_transaction_began_is_no_conflict() -> Result<()> {
    for isolation in BOTH {
        let lsm = store();
        let _old = lsm.begin(isolation);
        lsm.put(b"k", b"1")?;
        let transaction = lsm.begin(isolation);
        lsm.put(b"other", b"2")?;
        assert_eq!(transaction.get(b"k")?, value("1"));
        transaction.put(b"k", b"3")?;
        transaction.commit()?;
        assert_eq!(lsm.get(b"k")?, value("3"));
    }
    Ok(())
}

#[test]
fn a_conflict_is_found_after_the_other_write_was_flushed_and_compacted() -> Result<()> {
    for isolation in BOTH {
        let lsm = store();
        let transaction = lsm.begin(isolation);
        lsm.put(b"k", b"theirs")?;
        lsm.compact()?;
        transaction.put(b"k", b"mine")?;
        assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Conflict);
    }
    Ok(())
}

/// Two doctors on call, who each go home if the other stays.
fn both_go_home(isolation: Isolation) -> Result<[Result<()>; 2]> {
    let lsm = store();
    lsm.put(b"alice", b"on call")?;
    lsm.put(b"bob", b"on call")?;
    let (first, second) = (lsm.begin(isolation), lsm.begin(isolation));
    assert!(first.get(b"bob")?.is_some() && second.get(b"alice")?.is_some());
    first.delete(b"alice")?;
    second.delete(b"bob")?;
    Ok([first.commit(), second.commit()])
}

#[test]
fn write_skew_happens_under_snapshot_isolation() -> Result<()> {
    assert!(both_go_home(Isolation::Snapshot)?.iter().all(Result::is_ok));
    Ok(())
}

#[test]
fn write_skew_is_refused_under_serializable_isolation() -> Result<()> {
    let [first, second] = both_go_home(Isolation::Serializable)?;
    first?;
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Conflict);
    Ok(())
}

#[test]
fn a_key_that_was_looked_for_in_vain_and_appears_is_a_conflict() -> Result<()> {
    let lsm = store();
    let transaction = lsm.begin(Isolation::Serializable);
    assert_eq!(transaction.get(b"name")?, None);
    transaction.put(b"mine", b"1")?;
    lsm.put(b"name", b"theirs")?;
    assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Conflict);
    Ok(())
}

#[test]
fn a_transaction_that_only_reads_never_conflicts() -> Result<()> {
    for isolation in BOTH {
        let lsm = store();
        lsm.put(b"k", b"1")?;
        let transaction = lsm.begin(isolation);
        assert_eq!(transaction.get(b"k")?, value("1"));
        lsm.put(b"k", b"2")?;
        transaction.commit()?;
    }
    Ok(())
}

#[test]
fn a_read_of_an_own_write_depends_on_nobody_else_than_the_write_does() -> Result<()> {
    let lsm = store();
    let transaction = lsm.begin(Isolation::Serializable);
    let start = transaction.savepoint();
    transaction.put(b"k", b"mine")?;
    assert_eq!(transaction.get(b"k")?, value("mine"));
    transaction.rollback_to(start)?;
    transaction.put(b"other", b"mine")?;
    lsm.put(b"k", b"theirs")?;
    transaction.commit()
}

#[test]
fn what_was_read_before_a_rollback_to_a_savepoint_still_counts() -> Result<()> {
    let lsm = store();
    let transaction = lsm.begin(Isolation::Serializable);
    let start = transaction.savepoint();
    assert_eq!(transaction.get(b"k")?, None);
    transaction.rollback_to(start)?;
    transaction.put(b"other", b"there is no k")?;
    lsm.put(b"k", b"theirs")?;
    assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Conflict);
    Ok(())
}

#[test]
fn a_commit_after_a_rollback_to_a_savepoint_writes_what_is_left() -> Result<()> {
    let lsm = store();
    let transaction = lsm.begin(Isolation::Snapshot);
    transaction.put(b"a", b"1")?;
    let savepoint = transaction.savepoint();
    transaction.put(b"a", b"2")?;
    transaction.put(b"b", b"2")?;
    transaction.rollback_to(savepoint)?;
    assert_eq!((transaction.get(b"a")?, transaction.get(b"b")?), (value("1"), None));
    lsm.put(b"b", b"theirs")?;
    transaction.commit()?;
    assert_eq!((lsm.get(b"a")?, lsm.get(b"b")?), (value("1"), value("theirs")));
    Ok(())
}

#[test]
fn a_savepoint_of_another_transaction_is_refused() -> Result<()> {
    let lsm = store();
    let (one, other) = (lsm.begin(Isolation::Snapshot), lsm.begin(Isolation::Snapshot));
    other.put(b"k", b"kept")?;
    let error = other.rollback_to(one.savepoint()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    other.commit()?;
    assert_eq!(lsm.get(b"k")?, value("kept"));
    Ok(())
}

#[test]
fn keys_and_values_too_long_are_refused_at_once_and_the_transaction_goes_on() -> Result<()> {
    let lsm = store();
    let transaction = lsm.begin(Isolation::Serializable);
    let long = vec![0; MAX_KEY_LEN + 1];
    let refusals =
        [transaction.put(&long, b""), transaction.delete(&long), transaction.get(&long).map(|_| ())];
    for refusal in refusals {
        assert_eq!(refusal.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    transaction.put(b"k", b"1")?;
    transaction.commit()?;
    assert_eq!(lsm.get(b"k")?, value("1"));
    Ok(())
}

#[test]
fn after_the_store_was_closed_a_transaction_neither_reads_nor_commits() -> Result<()> {
    let lsm = store();
    let (writes, reads) = (lsm.begin(Isolation::Snapshot), lsm.begin(Isolation::Snapshot));
    writes.put(b"k", b"1")?;
    lsm.close()?;
    let outcomes = [writes.get(b"other").map(|_| ()), writes.commit(), reads.commit()];
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Closed);
    }
    Ok(())
}

#[test]
fn once_a_transaction_was_committed_or_rolled_back_its_clones_are_of_no_use() -> Result<()> {
    let lsm = store();
    let ends: [fn(slice::blocking::Transaction) -> Result<()>; 3] = [
        |transaction| transaction.commit(),
        |transaction| {
            transaction.rollback();
            Ok(())
        },
        |transaction| transaction.put(b"k", b"v").and_then(|()| transaction.commit()),
    ];
    for end in ends {
        let transaction = lsm.begin(Isolation::Serializable);
        let savepoint = transaction.savepoint();
        end(transaction.clone())?;
        assert_eq!(lsm.stats().open_transactions, 0);
        let refusals = [
            transaction.get(b"k").map(|_| ()),
            transaction.put(b"k", b"late"),
            transaction.delete(b"k"),
            transaction.rollback_to(savepoint),
            transaction.commit(),
        ];
        for refusal in refusals {
            assert_eq!(refusal.unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }
    assert_eq!(lsm.get(b"k")?, value("v"));
    Ok(())
}

#[test]
fn a_committed_transaction_survives_a_reopening() -> Result<()> {
    let builder = inline();
    let lsm = builder.clone().open_blocking()?;
    lsm.transact(Isolation::Serializable, |transaction| {
        transaction.put(b"a", b"1")?;
        transaction.put(b"b", b"1")
    })?;
    drop(lsm);
    let lsm = builder.open_blocking()?;
    assert_eq!((lsm.get(b"a")?, lsm.get(b"b")?), (value("1"), value("1")));
    Ok(())
}

#[test]
fn transact_runs_again_what_lost_a_race_and_gives_up_in_the_end() -> Result<()> {
    let lsm = store();
    let mut runs = 0_u32;
    lsm.transact(Isolation::Snapshot, |transaction| {
        runs += 1;
        if runs < 5 {
            lsm.put(b"k", b"theirs")?;
        }
        transaction.put(b"k", b"mine")
    })?;
    assert_eq!((runs, lsm.get(b"k")?), (5, value("mine")));
    let mut runs = 0_u32;
    let lost = lsm.transact(Isolation::Snapshot, |transaction| {
        runs += 1;
        lsm.put(b"k", b"theirs")?;
        transaction.put(b"k", b"mine")
    });
    assert_eq!((runs, lost.unwrap_err().kind()), (64, ErrorKind::Conflict));
    assert_eq!(lsm.get(b"k")?, value("theirs"));
    Ok(())
}

#[test]
fn an_error_of_the_body_rolls_back_and_is_the_answer() -> Result<()> {
    let lsm = store();
    let mut runs = 0;
    let refused = lsm.transact(Isolation::Snapshot, |transaction| {
        runs += 1;
        transaction.put(b"k", b"mine")?;
        transaction.put(&vec![0; MAX_KEY_LEN + 1], b"")
    });
    assert_eq!((runs, refused.unwrap_err().kind()), (1, ErrorKind::InvalidArgument));
    assert_eq!(lsm.get(b"k")?, None);
    Ok(())
}
