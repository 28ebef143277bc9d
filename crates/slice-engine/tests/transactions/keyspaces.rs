//! Transactions over several keyspaces.

use slice::{ErrorKind, Isolation, Result};

use crate::store;

#[test]
fn a_transaction_over_keyspaces_is_committed_as_one() -> Result<()> {
    let lsm = store();
    let (users, names) = (lsm.keyspace("users")?, lsm.keyspace("names")?);
    let transaction = users.begin(Isolation::Serializable);
    transaction.put(b"17", b"ada")?;
    let in_names = transaction.in_keyspace(&names)?;
    in_names.put(b"ada", b"17")?;
    assert_eq!((transaction.get(b"ada")?, in_names.get(b"17")?), (None, None), "each has keys of its own");
    transaction.in_keyspace(&lsm)?.put(b"count", b"1")?;
    assert_eq!(in_names.iter().count(), 1);
    in_names.commit()?;
    assert_eq!(users.get(b"17")?, Some(b"ada".to_vec()));
    assert_eq!(names.get(b"ada")?, Some(b"17".to_vec()));
    assert_eq!(lsm.get(b"count")?, Some(b"1".to_vec()));
    assert_eq!(transaction.put(b"18", b"bob").unwrap_err().kind(), ErrorKind::InvalidArgument);
    Ok(())
}

#[test]
fn a_key_of_another_keyspace_is_no_conflict_and_one_of_the_same_is() -> Result<()> {
    let lsm = store();
    let users = lsm.keyspace("users")?;
    let (one, other) = (lsm.begin(Isolation::Serializable), lsm.begin(Isolation::Serializable));
    one.put(b"k", b"mine")?;
    other.in_keyspace(&users)?.put(b"k", b"mine")?;
    users.put(b"k", b"theirs")?;
    one.commit()?;
    assert_eq!(other.commit().unwrap_err().kind(), ErrorKind::Conflict);
    Ok(())
}

#[test]
fn a_keyspace_that_was_cleared_is_a_conflict_and_one_that_was_dropped_is_refused() -> Result<()> {
    let lsm = store();
    let users = lsm.keyspace("users")?;
    users.put(b"k", b"1")?;
    let reads = users.begin(Isolation::Serializable);
    reads.get(b"k")?;
    reads.in_keyspace(&lsm)?.put(b"seen", b"1")?;
    users.clear()?;
    assert_eq!(reads.commit().unwrap_err().kind(), ErrorKind::Conflict);
    let late = lsm.begin(Isolation::Snapshot);
    late.in_keyspace(&users)?.put(b"k", b"2")?;
    lsm.drop_keyspace("users")?;
    assert_eq!(late.in_keyspace(&users).unwrap_err().kind(), ErrorKind::InvalidArgument);
    late.commit().unwrap_err();
    Ok(())
}

#[test]
fn a_keyspace_of_another_store_is_refused() {
    let (lsm, other) = (store(), store());
    let transaction = lsm.begin(Isolation::Snapshot);
    assert_eq!(transaction.in_keyspace(&other).unwrap_err().kind(), ErrorKind::InvalidArgument);
}
