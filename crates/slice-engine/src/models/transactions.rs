//! Transactions: whatever the order, no write is lost that a transaction did not see, and no two of them are each
//! blind to what the other wrote.

use std::sync::Arc;

use slice_sstable::ReadMode;
use slice_types::{EntryKind, ErrorKind, KeyspaceId};
use slice_wal::EncodedBatch;

use super::{caught, explore, join, start, store_with};
use crate::db::{Core, ReadAt};
use crate::planted::{Bug, Planted};
use crate::transaction::{Check, Keys};

/// Puts behind the value of one key what was in another, as a transaction that depends on both. Whether it committed.
fn append(store: &Core, from: &str, to: &str, what: &str) -> bool {
    let (epoch, at) = store.begin_transaction();
    let value = |key: &str| {
        let value = store.get(&store.tree, key.as_bytes(), ReadAt::Number(at), ReadMode::Wait);
        String::from_utf8(value.expect("MemFs does not fail").map(Vec::from).unwrap_or_default())
            .expect("text")
    };
    let (seen, new) = (value(from), value(to) + what);
    let new = if from == to { new } else { format!("{new}({seen})") };
    let committed = commit(store, epoch, &[from, to], to, &new);
    store.commit.end_transaction(epoch);
    store.snapshots.release(at);
    committed
}

fn commit(
    store: &Core,
    since: crate::transaction::EpochNumber,
    depends: &[&str],
    key: &str,
    value: &str,
) -> bool {
    let mut batch = EncodedBatch::new();
    batch.push(KeyspaceId::DEFAULT, EntryKind::Put, key.as_bytes(), value.as_bytes()).expect("it is small");
    batch.seal();
    let mut keys = Keys::default();
    depends.iter().for_each(|key| keys.insert(KeyspaceId::DEFAULT, key.as_bytes()));
    match store.commit.write(&batch, Some(&Check { since, keys }), &store.logs) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Conflict, "MemFs does not fail");
            false
        }
    }
}

/// A transaction reads a key and writes behind what it saw, while another thread just writes to it.
fn transaction_beside_a_write(planted: Planted) {
    let store = store_with(planted);
    let writer = {
        let store = Arc::clone(&store);
        start(move || store.commit_all(&[("k", "w")]))
    };
    let committed = append(&store, "k", "k", "t");
    join([writer]);
    let found = store.value("k").unwrap_or_default();
    // The write came before the beginning, behind the commit, or in between: then there was none.
    assert!(found == "w" || committed && found == "wt", "an update is lost: {found:?}");
    assert_eq!(store.commit.transactions(), (0, 0), "nothing is kept for nobody");
}

#[test]
fn a_write_beside_a_transaction_is_not_lost() {
    explore(|| transaction_beside_a_write(Planted::default()));
}

#[test]
fn a_transaction_that_takes_its_moment_before_it_is_registered_is_caught() {
    let failure = caught(|| transaction_beside_a_write(Planted::of(Bug::BeginLate)));
    assert!(failure.contains("an update is lost"), "{failure}");
}

#[test]
fn of_two_transactions_that_count_up_none_is_lost() {
    explore(|| {
        let store = store_with(Planted::default());
        let other = Arc::clone(&store);
        let committed = Arc::new(std::sync::Mutex::new(0));
        let count = Arc::clone(&committed);
        let thread = start(move || {
            *count.lock().expect("nobody panics") += usize::from(append(&other, "k", "k", "1"))
        });
        let mine = usize::from(append(&store, "k", "k", "1"));
        join([thread]);
        let committed = mine + *committed.lock().expect("nobody panics");
        assert!(committed > 0, "somebody gets on");
        assert_eq!(store.value("k").unwrap_or_default(), "1".repeat(committed));
        assert_eq!(store.commit.transactions(), (0, 0));
    });
}

#[test]
fn of_two_transactions_that_read_what_the_other_writes_one_sees_the_other_or_is_refused() {
    explore(|| {
        let store = store_with(Planted::default());
        let other = Arc::clone(&store);
        let thread = start(move || {
            append(&other, "a", "b", "t");
        });
        append(&store, "b", "a", "u");
        join([thread]);
        let both = (store.value("a"), store.value("b"));
        let both = (both.0.as_deref(), both.1.as_deref());
        let in_some_order = [
            (Some("u()"), Some("t(u())")),
            (Some("u(t())"), Some("t()")),
            (Some("u()"), None),
            (None, Some("t()")),
        ];
        assert!(in_some_order.contains(&both), "no order of the two explains {both:?}");
    });
}
