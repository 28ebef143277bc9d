//! What is refused, and with which kind of error.

use slice::vfs::MemFs;
use slice::{ErrorKind, KeyspaceOptions, MAX_KEYSPACE_NAME_LEN, Strategy, WriteBatch};

use crate::support::{at, get, open, put};

fn refused<T>(outcome: slice::Result<T>) -> String {
    let error = outcome.err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    error.to_string()
}

#[test]
fn a_name_is_neither_empty_nor_too_long() {
    let lsm = open(&MemFs::new());
    let too_long = "n".repeat(MAX_KEYSPACE_NAME_LEN + 1);
    for name in ["", &too_long] {
        refused(lsm.keyspace(name));
        refused(lsm.keyspace_with(name, &KeyspaceOptions::new()));
        refused(at(&MemFs::new()).keyspace(name, KeyspaceOptions::new()).open_blocking());
    }
    lsm.keyspace(&too_long[1..]).unwrap();
    lsm.keyspace("a name / of\nany bytes: ü").unwrap();
}

#[test]
fn the_default_keyspace_is_not_dropped_and_has_the_options_of_the_store() {
    let lsm = open(&MemFs::new());
    assert!(refused(lsm.drop_keyspace("default")).contains("clear"));
    refused(lsm.keyspace_with("default", &KeyspaceOptions::new().block_size(512)));
    lsm.keyspace_with("default", &KeyspaceOptions::new()).unwrap();
}

#[test]
fn a_keyspace_that_is_not_there_is_not_dropped() {
    let lsm = open(&MemFs::new());
    assert!(refused(lsm.drop_keyspace("nobody")).contains("nobody"));
}

#[test]
fn a_dropped_keyspace_refuses_everything() {
    let lsm = open(&MemFs::new());
    let users = lsm.keyspace("users").unwrap();
    put(&users, "k", "v");
    let mut batch = WriteBatch::new();
    batch.put(b"k", b"of the batch").unwrap();
    batch.put_in(&users, b"k", b"v").unwrap();
    lsm.drop_keyspace("users").unwrap();
    refused(users.get(b"k"));
    refused(users.put(b"k", b"v"));
    refused(users.delete(b"k"));
    refused(users.flush());
    refused(users.compact());
    refused(users.clear());
    refused(lsm.drop_keyspace("users"));
    refused(lsm.write(batch));
    assert_eq!(get(&lsm, "k"), None, "of a batch that is refused nothing is written");
    put(&lsm, "k", "v");
}

#[test]
fn options_out_of_their_bounds_are_refused() {
    let lsm = open(&MemFs::new());
    let text = refused(lsm.keyspace_with("users", &KeyspaceOptions::new().block_size(1)));
    assert!(text.contains("block_size"), "{text}");
    refused(at(&MemFs::new()).keyspace("users", KeyspaceOptions::new().max_levels(1)).open_blocking());
    assert_eq!(lsm.keyspaces(), ["default"], "nothing was made");
}

#[test]
fn a_batch_is_of_one_store() {
    let (lsm, other) = (open(&MemFs::new()), open(&MemFs::new()));
    let (users, others) = (lsm.keyspace("users").unwrap(), other.keyspace("users").unwrap());
    let mut batch = WriteBatch::new();
    batch.put_in(&users, b"k", b"v").unwrap();
    refused(batch.put_in(&others, b"k", b"v"));
    assert_eq!(batch.len(), 1);
    refused(other.write(batch.clone()));
    lsm.write(batch).unwrap();
    assert_eq!((get(&users, "k"), get(&others, "k")), (Some("v".into()), None));
}

#[test]
fn a_closed_store_makes_and_drops_no_keyspace() {
    let lsm = open(&MemFs::new());
    let users = lsm.keyspace("users").unwrap();
    lsm.close().unwrap();
    let closed = [
        lsm.keyspace("users").map(drop),
        lsm.keyspace_with("more", &KeyspaceOptions::new().strategy(Strategy::Tiered)).map(drop),
        lsm.drop_keyspace("users"),
        users.clear(),
        users.get(b"k").map(drop),
    ];
    for outcome in closed {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Closed);
    }
}
