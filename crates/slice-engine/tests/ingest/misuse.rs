//! Loads that are refused, or fail: nothing is changed, and nothing is left.

use std::path::Path;
use std::sync::Arc;

use slice::vfs::{Fault, FaultFs, Fs, MemFs};
use slice::{ErrorKind, MAX_KEY_LEN};

use super::{Pair, key, open, pairs, put, rounds_in, value};

fn table_files(fs: &dyn Fs) -> usize {
    let names = fs.list_dir(Path::new("/db")).unwrap();
    names.iter().filter(|name| name.starts_with("sstable_")).count()
}

#[test]
fn pairs_out_of_order_and_keys_that_come_twice_are_refused() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    put(&lsm, 0..10, 1);
    let mut twice: Vec<Pair> = pairs(0..300, 2).collect();
    twice.push(twice[299].clone());
    let mut reversed: Vec<Pair> = pairs(0..300, 2).collect();
    reversed.swap(298, 299);
    for wrong in [twice, reversed] {
        let error = lsm.ingest(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("key00299"), "it names the key: {error}");
        assert_eq!(rounds_in(&lsm, 0..12), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
        assert_eq!(table_files(&fs), 0);
    }
    let long: Pair = (vec![b'x'; MAX_KEY_LEN + 1], Vec::new());
    assert_eq!(lsm.ingest([long]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    lsm.ingest(pairs(0..300, 3)).unwrap();
    assert_eq!(rounds_in(&lsm, 0..300), [3; 300]);
}

#[test]
fn nothing_to_load_is_nothing_and_the_empty_key_is_a_key() {
    let lsm = open(&MemFs::new());
    let before = lsm.stats().last_seqno;
    assert_eq!(lsm.ingest(pairs(0..0, 1)).unwrap(), 0);
    assert_eq!(lsm.stats().last_seqno, before);
    assert_eq!(lsm.ingest([("", "empty"), ("a", "")]).unwrap(), 2);
    assert_eq!(lsm.get(b"").unwrap(), Some(b"empty".to_vec()));
    assert_eq!(lsm.get(b"a").unwrap(), Some(Vec::new()));
}

#[test]
fn a_closed_store_takes_no_load() {
    let lsm = open(&MemFs::new());
    lsm.close().unwrap();
    assert_eq!(lsm.ingest(pairs(0..3, 1)).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn a_load_in_a_store_that_is_closed_meanwhile_leaves_the_next_one_alone() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let mut next = None;
    let closing = pairs(0..500, 1).inspect(|(found, _)| {
        if *found == key(400) {
            lsm.close().unwrap();
            // Its tables get the numbers of those that the load was writing.
            let again = open(&fs);
            put(&again, 0..300, 2);
            again.compact().unwrap();
            next = Some(again);
        }
    });
    assert_eq!(lsm.ingest(closing).unwrap_err().kind(), ErrorKind::Closed);
    let next = next.expect("the pairs came that far");
    let report = next.verify().unwrap();
    assert!(report.is_clean() && report.tables > 0, "{report}");
    drop((lsm, next));
    assert_eq!(rounds_in(&open(&fs), 0..300), [2; 300]);
}

#[test]
fn an_iterator_that_panics_leaves_no_file_and_no_writer_waiting() {
    let fs = MemFs::new();
    let lsm = open(&fs);
    let panics = pairs(0..500, 1).inspect(|(found, _)| assert!(*found != key(400), "out of pairs"));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lsm.ingest(panics))).unwrap_err();
    assert_eq!(table_files(&fs), 0);
    put(&lsm, 0..3, 2);
    assert_eq!(rounds_in(&lsm, 0..4), [2, 2, 2, 0]);
}

#[test]
fn a_load_that_fails_anywhere_changes_nothing_and_writers_go_on() {
    for fault in [Fault::Enospc, Fault::Eio, Fault::ShortWrite] {
        fail_everywhere(fault);
    }
}

/// A power failure right then leaves all of the load and what was before it, or nothing and a part of what was before.
fn check_crash(image: &MemFs, must_be_loaded: bool) {
    let found = rounds_in(&open(image), 0..100);
    let (before, rest) = found.split_at(20);
    if found[50] == 2 {
        assert!(before[..10] == [1; 10] && before[10..] == [2; 10], "{found:?}");
        assert!(rest[..70] == [2; 70] && rest[70..] == [0; 10], "{found:?}");
    } else {
        assert!(!must_be_loaded && rest == [0; 80] && before.is_sorted_by(|a, b| a >= b), "{found:?}");
    }
}

fn fail_everywhere(fault: Fault) {
    let mut failures = 0;
    for n in 0.. {
        let fs = MemFs::new();
        let faults = FaultFs::new(Arc::new(fs.clone()));
        let lsm = open(&faults);
        put(&lsm, 0..20, 1);
        let before = faults.operations();
        faults.fail_at(before + n, fault);
        let loaded = lsm.ingest(pairs(10..90, 2));
        if faults.operations() <= before + n {
            loaded.unwrap();
            break;
        }
        let expected = |is_loaded: bool| -> Vec<u32> {
            let round = |n| if (10..90).contains(&n) && is_loaded { 2 } else { u32::from(n < 20) };
            (0..100).map(round).collect()
        };
        let is_loaded = lsm.get(&key(50)).unwrap().is_some();
        assert!(is_loaded || loaded.is_err(), "operation {n}");
        assert_eq!(rounds_in(&lsm, 0..100), expected(is_loaded), "operation {n}");
        failures += u32::from(loaded.is_err());
        for keep in [0.0, 0.5, 1.0] {
            check_crash(&fs.crash_image(keep, n), loaded.is_ok());
        }
        // A failed fsync of the log refuses writes for good; everything else is over.
        if lsm.put(b"on", b"it goes").is_ok() {
            lsm.ingest(pairs(10..90, 2)).unwrap_or_else(|error| panic!("operation {n}: {error}"));
            assert_eq!(rounds_in(&lsm, 0..100), expected(true), "operation {n}");
            lsm.compact().unwrap();
            drop(lsm);
            let lsm = open(&fs.crash_image(1.0, n));
            assert_eq!(rounds_in(&lsm, 0..100), expected(true), "operation {n}");
            assert_eq!(lsm.get(b"on").unwrap(), Some(b"it goes".to_vec()));
            assert_eq!(lsm.get(&key(99)).unwrap(), None);
            assert_eq!(lsm.get(&key(11)).unwrap(), Some(value(11, 2)));
        }
    }
    assert!(failures > 20, "{failures} failures");
}
