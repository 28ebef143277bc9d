//! A crash at every operation of a load: all of it is there, or nothing, and nothing before it is lost.

use slice::vfs::MemFs;
use slice_crash::enumerate::{Enumeration, Point};

use super::{key, open, pairs, put, rounds_in};

#[test]
fn a_crash_in_a_load_leaves_all_of_it_or_nothing() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    put(&lsm, 0..30, 1);
    lsm.sync().unwrap();
    // Not durable in itself: once the load is there, so is this.
    put(&lsm, 25..35, 3);
    fs.record();
    lsm.ingest(pairs(30..100, 2)).unwrap();
    let loaded = fs.history().len() as u64;
    put(&lsm, 90..95, 4);
    lsm.sync().unwrap();
    let written = fs.history().len() as u64;
    drop(lsm);

    let (mut whole, mut none) = (0, 0);
    let points = Enumeration::new(fs.history(), 11).check(|point: &Point, disk| {
        let lsm = open(disk);
        let found = rounds_in(&lsm, 0..100);
        let is_loaded = lsm.get(&key(50)).unwrap().is_some();
        *if is_loaded { &mut whole } else { &mut none } += 1;
        let judged = judge(&found, is_loaded, point.operations() >= loaded, point.operations() >= written);
        // What is written behind the load goes on from there, and survives the next crash.
        put(&lsm, 0..5, 5);
        lsm.sync().unwrap();
        drop(lsm);
        let again = rounds_in(&open(&disk.crash_image(0.0, 1)), 0..100);
        assert_eq!(again[5..], found[5..], "a second recovery finds the same");
        assert_eq!(again[..5], [5; 5]);
        judged
    });
    let points = points.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(points > 100 && whole > 10 && none > 10, "{whole} whole and {none} without, of {points}");
}

/// What is wrong with what was found.
fn judge(found: &[u32], is_loaded: bool, must_be_loaded: bool, must_be_all: bool) -> Result<(), String> {
    let before = |n: usize, count: usize| if (25..25 + count).contains(&n) { 3 } else { u32::from(n < 30) };
    let state = |count: usize, loaded: bool, behind: usize| -> Vec<u32> {
        let of = |n: usize| match n {
            90..95 if n < 90 + behind => 4,
            30..100 if loaded => 2,
            _ => before(n, count),
        };
        (0..100).map(of).collect()
    };
    let fits = if is_loaded {
        let least = if must_be_all { 5 } else { 0 };
        (least..=5).any(|behind| found == state(10, true, behind))
    } else {
        !must_be_loaded && (0..=10).any(|count| found == state(count, false, 0))
    };
    if fits { Ok(()) } else { Err(format!("no prefix of the history: {found:?}")) }
}

/// The log is shared: what another keyspace was written before the load is durable with it, and what it is written
/// behind the load is there behind that.
#[test]
fn a_crash_leaves_keyspaces_that_are_loaded_and_written_at_one_moment() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let [loaded, written] = ["loaded", "written"].map(|name| lsm.keyspace(name).unwrap());
    fs.record();
    for round in 1..6_u32 {
        written.put(b"before", &round.to_be_bytes()).unwrap();
        loaded.ingest(pairs(0..20, round)).unwrap();
        written.put(b"behind", &round.to_be_bytes()).unwrap();
        if round == 3 {
            lsm.compact().unwrap();
        }
    }
    drop((lsm, loaded, written));
    let mut seen = std::collections::BTreeSet::new();
    let points = Enumeration::new(fs.history(), 5).check(|_, disk| {
        let lsm = open(disk);
        let [loaded, written] = ["loaded", "written"].map(|name| lsm.keyspace(name).unwrap());
        let number = |key: &[u8]| {
            let value = written.get(key).unwrap();
            value.map_or(0, |value| u32::from_be_bytes(value.try_into().unwrap()))
        };
        let (before, behind) = (number(b"before"), number(b"behind"));
        let rounds = rounds_in(&loaded, 0..20);
        if rounds.iter().any(|round| *round != rounds[0]) {
            return Err(format!("half a load: {rounds:?}"));
        }
        seen.insert((before, rounds[0], behind));
        let in_order = before >= rounds[0] && rounds[0] >= behind && before - behind <= 1;
        if in_order { Ok(()) } else { Err(format!("{before}, {}, {behind}", rounds[0])) }
    });
    points.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(seen.len() > 10, "{seen:?}");
}
