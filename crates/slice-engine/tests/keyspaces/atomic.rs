//! A batch over several keyspaces is seen and found as a whole.

use std::sync::Arc;
use std::time::Duration;

use slice::vfs::MemFs;
use slice::{Durability, WriteBatch, WriteOptions};

use crate::support::{at, get, open, put};

#[test]
fn each_keyspace_has_keys_of_its_own() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let users = lsm.keyspace("users").unwrap();
    put(&lsm, "k", "default");
    put(&users, "k", "users");
    users.delete(b"other").unwrap();
    assert_eq!((get(&lsm, "k"), get(&users, "k")), (Some("default".into()), Some("users".into())));
    assert_eq!((lsm.keyspace_name(), users.keyspace_name()), ("default", "users"));
    assert_eq!(lsm.keyspaces(), ["default", "users"]);
    drop((lsm, users));
    let lsm = open(&fs);
    let users = lsm.keyspace("users").unwrap();
    assert_eq!((get(&lsm, "k"), get(&users, "k")), (Some("default".into()), Some("users".into())));
    assert_eq!(get(&lsm.keyspace("default").unwrap(), "k"), Some("default".into()));
}

#[tokio::test]
async fn the_async_face_has_keyspaces_too() {
    let lsm = slice::LSMTree::builder("/db").fs(std::sync::Arc::new(MemFs::new())).open().await.unwrap();
    let users = lsm.keyspace("users").await.unwrap();
    let events = lsm.keyspace_with("events", slice::KeyspaceOptions::new().block_size(256)).await.unwrap();
    let mut batch = WriteBatch::new();
    batch.put_in(&users, b"k", b"1").unwrap();
    batch.put_in(&events, b"k", b"2").unwrap();
    lsm.write_with(batch, WriteOptions { durability: Durability::Fsync }).await.unwrap();
    assert_eq!(events.get(b"k").await.unwrap(), Some(b"2".to_vec()));
    users.clear().await.unwrap();
    assert_eq!(users.get(b"k").await.unwrap(), None);
    lsm.drop_keyspace("events").await.unwrap();
    assert_eq!(lsm.keyspaces(), ["default", "users"]);
}

#[test]
fn what_names_no_keyspace_goes_to_that_of_the_handle() {
    let lsm = open(&MemFs::new());
    let (users, events) = (lsm.keyspace("users").unwrap(), lsm.keyspace("events").unwrap());
    let mut batch = WriteBatch::new();
    batch.put(b"k", b"unnamed").unwrap();
    batch.put_in(&lsm, b"k", b"default").unwrap();
    batch.put_in(&events, b"k", b"events").unwrap();
    batch.delete_in(&events, b"gone").unwrap();
    users.write(batch.clone()).unwrap();
    assert_eq!(get(&users, "k"), Some("unnamed".into()));
    assert_eq!((get(&lsm, "k"), get(&events, "k")), (Some("default".into()), Some("events".into())));
    lsm.write(batch).unwrap();
    assert_eq!(get(&lsm, "k"), Some("default".into()), "the later of the two counts");
}

/// Of each pair one half is in a table by the time of the crash, and the other in a log that nobody synced.
#[test]
fn no_crash_leaves_one_half_of_a_batch() {
    let fs = MemFs::recording();
    let lsm = open(&fs);
    let (left, right) = (lsm.keyspace("left").unwrap(), lsm.keyspace("right").unwrap());
    for n in 0..40 {
        let mut batch = WriteBatch::new();
        batch.put_in(&left, b"n", format!("{n:03}").as_bytes()).unwrap();
        batch.put_in(&right, b"n", format!("{n:03}").as_bytes()).unwrap();
        lsm.write(batch).unwrap();
        if n % 3 == 0 {
            [&left, &right, &lsm][n / 3 % 3].flush().unwrap();
        }
        for keep in [0.0, 0.5, 1.0] {
            let image = fs.crash_image(keep, n as u64);
            let lsm = open(&image);
            let half = |name| get(&lsm.keyspace(name).unwrap(), "n");
            assert_eq!(half("left"), half("right"), "after {n} with {keep} of the unsynced bytes kept");
        }
    }
}

#[test]
fn a_write_survives_a_power_failure_when_that_was_asked_for() {
    let fs = MemFs::recording();
    let lsm = open(&fs);
    let durable = WriteOptions { durability: Durability::Fsync };
    let mut batch = WriteBatch::new();
    batch.put(b"safe", b"1").unwrap();
    lsm.write_with(batch, durable).unwrap();
    let mut batch = WriteBatch::new();
    batch.put(b"fast", b"1").unwrap();
    lsm.write_with(batch, WriteOptions { durability: Durability::Buffered }).unwrap();
    lsm.write_with(WriteBatch::new(), durable).unwrap();
    let image = open(&fs.crash_image(0.0, 0));
    assert_eq!((get(&image, "safe"), get(&image, "fast")), (Some("1".into()), None));
    let strict = MemFs::recording();
    let lsm = at(&strict).durability(Durability::Fsync).open_blocking().unwrap();
    let mut batch = WriteBatch::new();
    batch.put(b"fast", b"1").unwrap();
    lsm.write_with(batch, WriteOptions { durability: Durability::Buffered }).unwrap();
    assert_eq!(get(&open(&strict.crash_image(0.0, 0)), "fast"), None, "it was not to be waited for");
}

/// It does not fit into a memtable of any of them.
#[test]
fn a_batch_larger_than_the_memtables_is_whole() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let others: Vec<_> = ["a", "b", "c"].iter().map(|name| lsm.keyspace(name).unwrap()).collect();
    let mut batch = WriteBatch::new();
    for n in 0..300_u32 {
        for other in &others {
            batch.put_in(other, &n.to_be_bytes(), &[7; 1000]).unwrap();
        }
    }
    lsm.write(batch.clone()).unwrap();
    lsm.write(batch).unwrap();
    drop((lsm, others));
    let lsm = open(&fs);
    for name in ["a", "b", "c"] {
        let keyspace = lsm.keyspace(name).unwrap();
        assert!((0..300_u32).all(|n| keyspace.get(&n.to_be_bytes()).unwrap().is_some()), "{name}");
    }
}

#[test]
fn every_kind_of_write_of_a_batch_can_name_its_keyspace() {
    let fs = MemFs::new();
    let counters = slice::KeyspaceOptions::new().merge_operator(Some(Arc::new(slice::operators::Counter)));
    let clock = Arc::new(slice::ManualClock::default());
    let builder = slice::LSMTree::builder("/db").fs(Arc::new(fs)).clock(clock.clone());
    let lsm = builder.keyspace("counters", counters).open_blocking().unwrap();
    let (users, counters) = (lsm.keyspace("users").unwrap(), lsm.keyspace("counters").unwrap());
    put(&users, "a1", "old");
    put(&lsm, "a1", "default");
    let mut batch = WriteBatch::new();
    batch.delete_range_in(&users, "a".."b").unwrap();
    batch.put_in(&users, b"a2", b"new").unwrap();
    batch.put_with_ttl_in(&users, b"a3", b"soon gone", Duration::from_secs(1)).unwrap();
    batch.merge_in(&counters, b"n", &5_i64.to_le_bytes()).unwrap();
    batch.merge_in(&counters, b"n", &2_i64.to_le_bytes()).unwrap();
    lsm.write(batch).unwrap();
    assert_eq!((get(&users, "a1"), get(&lsm, "a1")), (None, Some("default".into())));
    assert_eq!((get(&users, "a2"), get(&users, "a3")), (Some("new".into()), Some("soon gone".into())));
    assert_eq!(counters.get(b"n").unwrap(), Some(7_i64.to_le_bytes().to_vec()));
    clock.advance(Duration::from_secs(2));
    assert_eq!(get(&users, "a3"), None);
    // The default keyspace has no operator: nothing of the batch is written.
    let mut refused = WriteBatch::new();
    refused.put_in(&users, b"a4", b"never").unwrap();
    refused.merge_in(&lsm, b"n", b"1").unwrap();
    assert_eq!(lsm.write(refused).unwrap_err().kind(), slice::ErrorKind::InvalidArgument);
    assert_eq!(get(&users, "a4"), None);
}
