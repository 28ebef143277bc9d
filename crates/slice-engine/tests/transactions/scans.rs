//! Scans, merges and deletes of ranges within a transaction, held against a map that is changed in the same way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use slice::blocking::{LSMTree, Transaction};
use slice::operators::Append;
use slice::{ErrorKind, Isolation, Result};

use crate::{inline, store};

/// Keys are numbers below this.
const KEYS: u8 = 20;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Op {
    Put(u8, u8),
    Delete(u8),
    Merge(u8, u8),
    DeleteRange(u8, u8),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        3 => (0..KEYS, any::<u8>()).prop_map(|(key, value)| Op::Put(key, value)),
        2 => (0..KEYS).prop_map(Op::Delete),
        2 => (0..KEYS, any::<u8>()).prop_map(|(key, value)| Op::Merge(key, value)),
        1 => (0..KEYS, 0..6_u8).prop_map(|(start, len)| Op::DeleteRange(start, start + len)),
    ];
    prop::collection::vec(op, 0..25)
}

impl Op {
    fn apply(&self, model: &mut Model) {
        match *self {
            Self::Put(key, value) => {
                model.insert(vec![key], vec![value]);
            }
            Self::Delete(key) => {
                model.remove(&vec![key]);
            }
            Self::Merge(key, value) => model.entry(vec![key]).or_default().push(value),
            Self::DeleteRange(start, end) => model.retain(|key, _| !(start..end).contains(&key[0])),
        }
    }

    fn write(&self, to: &Transaction) -> Result<()> {
        match *self {
            Self::Put(key, value) => to.put(&[key], &[value]),
            Self::Delete(key) => to.delete(&[key]),
            Self::Merge(key, value) => to.merge(&[key], &[value]),
            Self::DeleteRange(start, end) => to.delete_range([start]..[end]),
        }
    }
}

fn mergeable() -> LSMTree {
    inline().merge_operator(Arc::new(Append::default())).open_blocking().expect("it opens")
}

/// What the transaction reads, in every way, is what the model holds.
fn check(transaction: &Transaction, model: &Model) -> Result<()> {
    let all: Vec<(Vec<u8>, Vec<u8>)> =
        model.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let owned = |entry: Result<(bytes::Bytes, bytes::Bytes)>| {
        entry.map(|(key, value)| (key.to_vec(), value.to_vec()))
    };
    assert_eq!(transaction.iter().map(owned).collect::<Result<Vec<_>>>()?, all);
    let mut backward = transaction.iter().rev().map(owned).collect::<Result<Vec<_>>>()?;
    backward.reverse();
    assert_eq!(backward, all);
    let within = transaction.range([5]..[15]).map(owned).collect::<Result<Vec<_>>>()?;
    assert!(within.iter().eq(all.iter().filter(|(key, _)| (5..15).contains(&key[0]))));
    let keys: Vec<[u8; 1]> = (0..KEYS).rev().map(|key| [key]).collect();
    let together = transaction.multi_get(&keys)?;
    for (key, found) in keys.iter().zip(together) {
        let expected = model.get(&key[..]);
        assert_eq!(transaction.get(key)?.as_ref(), expected);
        assert_eq!(found.as_deref(), expected.map(Vec::as_slice));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_transaction_is_the_store_at_its_moment_with_its_own_writes(
        before in ops(), own in ops(), taken_back in ops(), after in ops(), is_flushed in any::<bool>(),
    ) {
        let lsm = mergeable();
        let mut model = Model::new();
        lsm.transact(Isolation::Snapshot, |setup| before.iter().try_for_each(|op| op.write(setup))).unwrap();
        for op in &before {
            op.apply(&mut model);
        }
        let transaction = lsm.begin(Isolation::Serializable);
        if is_flushed {
            lsm.flush().unwrap();
        }
        for op in &own {
            op.write(&transaction).unwrap();
            op.apply(&mut model);
        }
        check(&transaction, &model).unwrap();
        let savepoint = transaction.savepoint();
        taken_back.iter().try_for_each(|op| op.write(&transaction)).unwrap();
        transaction.rollback_to(savepoint).unwrap();
        check(&transaction, &model).unwrap();
        for op in &after {
            op.write(&transaction).unwrap();
            op.apply(&mut model);
        }
        check(&transaction, &model).unwrap();
        transaction.commit().unwrap();
        check(&lsm.begin(Isolation::Snapshot), &model).unwrap();
    }
}

#[test]
fn a_scan_of_a_transaction_does_not_change_while_it_goes_on_writing() -> Result<()> {
    let lsm = store();
    lsm.put(b"a", b"1")?;
    let transaction = lsm.begin(Isolation::Snapshot);
    transaction.put(b"b", b"1")?;
    let mut scan = transaction.iter();
    transaction.put(b"c", b"1")?;
    transaction.delete(b"a")?;
    lsm.put(b"aa", b"1")?;
    transaction.rollback();
    let keys: Result<Vec<_>> = scan.by_ref().map(|entry| entry.map(|(key, _)| key)).collect();
    assert_eq!(keys?, [&b"a"[..], b"b"]);
    Ok(())
}

#[test]
fn a_key_that_appears_in_a_scanned_range_is_refused_under_serializable_isolation_only() -> Result<()> {
    for (isolation, is_refused) in [(Isolation::Snapshot, false), (Isolation::Serializable, true)] {
        let lsm = store();
        lsm.put(b"room:1", b"alice")?;
        let transaction = lsm.begin(isolation);
        assert_eq!(transaction.prefix("room:").count(), 1);
        transaction.put(b"rooms", b"1")?;
        lsm.put(b"room:2", b"bob")?;
        let conflict = transaction.commit().map_err(|error| error.kind());
        assert_eq!(conflict, if is_refused { Err(ErrorKind::Conflict) } else { Ok(()) });
    }
    Ok(())
}

#[test]
fn what_changes_outside_of_a_scanned_range_is_no_conflict() -> Result<()> {
    let lsm = store();
    let transaction = lsm.begin(Isolation::Serializable);
    assert_eq!(transaction.range("b".."d").count(), 0);
    transaction.put(b"x", b"1")?;
    lsm.put(b"a", b"1")?;
    lsm.put(b"d", b"1")?;
    transaction.commit()
}

#[test]
fn a_deleted_range_conflicts_with_reads_and_writes_of_its_keys_and_the_other_way_round() -> Result<()> {
    let lsm = store();
    let (reader, writer) = (lsm.begin(Isolation::Serializable), lsm.begin(Isolation::Snapshot));
    let (beside, deleter) = (lsm.begin(Isolation::Serializable), lsm.begin(Isolation::Snapshot));
    assert_eq!((reader.get(b"c")?, beside.get(b"d")?), (None, None));
    reader.put(b"x", b"1")?;
    writer.put(b"c", b"1")?;
    beside.put(b"y", b"1")?;
    deleter.delete_range("c"..="cc")?;
    lsm.delete_range("b".."d")?;
    beside.commit()?;
    for late in [reader, writer, deleter] {
        assert_eq!(late.commit().unwrap_err().kind(), ErrorKind::Conflict);
    }
    Ok(())
}

#[test]
fn a_reversed_range_is_refused_and_an_empty_one_does_nothing() -> Result<()> {
    let lsm = store();
    let transaction = lsm.begin(Isolation::Serializable);
    assert_eq!(transaction.delete_range("b".."a").unwrap_err().kind(), ErrorKind::InvalidArgument);
    let first = transaction.range("b".."a").next().expect("an error");
    assert_eq!(first.unwrap_err().kind(), ErrorKind::InvalidArgument);
    transaction.delete_range("a".."a")?;
    assert_eq!(transaction.range("a".."a").count(), 0);
    lsm.put(b"a", b"theirs")?;
    transaction.put(b"k", b"1")?;
    transaction.commit()
}

#[test]
fn a_merge_without_an_operator_is_refused_at_once() -> Result<()> {
    let lsm = store();
    let transaction = lsm.begin(Isolation::Snapshot);
    assert_eq!(transaction.merge(b"k", b"1").unwrap_err().kind(), ErrorKind::InvalidArgument);
    transaction.put(b"k", b"1")?;
    transaction.commit()
}

#[test]
fn a_value_with_a_time_is_read_as_it_is_and_goes_after_the_commit() -> Result<()> {
    let clock = Arc::new(slice::ManualClock::new(1000));
    let lsm = inline().clock(Arc::clone(&clock) as _).open_blocking()?;
    let transaction = lsm.begin(Isolation::Snapshot);
    transaction.put_with_ttl(b"k", b"v", Duration::from_millis(10))?;
    clock.advance(Duration::from_millis(20));
    assert_eq!(transaction.get(b"k")?.as_deref(), Some(&b"v"[..]));
    transaction.commit()?;
    clock.advance(Duration::from_millis(9));
    assert_eq!(lsm.get(b"k")?.as_deref(), Some(&b"v"[..]));
    clock.advance(Duration::from_millis(1));
    assert_eq!(lsm.get(b"k")?, None);
    Ok(())
}

#[tokio::test]
async fn the_async_face_scans_and_reads_the_same() -> Result<()> {
    let lsm = inline().merge_operator(Arc::new(Append::default())).open().await?;
    for key in ["a", "b", "c", "d"] {
        lsm.put(key.as_bytes(), b"1").await?;
    }
    let transaction = lsm.begin(Isolation::Serializable);
    transaction.delete_range("b".."d")?;
    transaction.put(b"bb", b"2")?;
    transaction.merge(b"d", b"2")?;
    let mut scan = transaction.range("a"..);
    let mut found = Vec::new();
    while let Some(entry) = scan.next().await {
        let (key, value) = entry?;
        found.push((key.to_vec(), value.to_vec()));
    }
    let expected = [("a", "1"), ("bb", "2"), ("d", "12")];
    assert!(
        found
            .iter()
            .map(|(key, value)| (&key[..], &value[..]))
            .eq(expected.map(|(k, v)| (k.as_bytes(), v.as_bytes())))
    );
    assert_eq!(transaction.get_pinned(b"d").await?.as_deref(), Some(&b"12"[..]));
    assert_eq!(transaction.last_key_value().await?.map(|(key, _)| key.to_vec()), Some(b"d".to_vec()));
    transaction.commit().await?;
    assert_eq!(lsm.count::<&str, _>(..).await?, 3);
    Ok(())
}
