//! What verify and repair make of tables that were loaded in bulk: only the manifest knows when that was.

use std::path::Path;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, MemFs};
use slice::{Origin, RepairReport};

use super::{open, pairs, put, rounds_in, small};

/// Older values in a table, a load, newer ones in the log.
fn loaded() -> MemFs {
    let fs = MemFs::new();
    let lsm = open(&fs);
    put(&lsm, 0..30, 1);
    lsm.flush().unwrap();
    lsm.ingest(pairs(10..60, 2)).unwrap();
    put(&lsm, 50..55, 3);
    fs.killed_image()
}

fn expected() -> Vec<u32> {
    let round = |n| match n {
        0..10 => 1,
        50..55 => 3,
        10..60 => 2,
        _ => 0,
    };
    (0..70).map(round).collect()
}

fn repair(fs: &MemFs) -> (RepairReport, Vec<u32>) {
    let fresh = || LSMTree::builder("/fresh").fs(Arc::new(fs.clone()));
    let report = fresh().repair_from("/db").unwrap();
    let found = rounds_in(&fresh().open_blocking().unwrap(), 0..70);
    (report, found)
}

#[test]
fn a_repair_puts_what_was_loaded_into_its_place_in_the_history() {
    let fs = loaded();
    assert!(small(&fs).verify().unwrap().is_clean());
    let (report, found) = repair(&fs);
    assert!(report.is_complete(), "{report}");
    assert_eq!(found, expected());
}

#[test]
fn a_repair_without_an_index_does_too() {
    let fs = loaded();
    let files = fs.list_dir(Path::new("/db")).unwrap().into_iter().map(|name| Path::new("/db").join(name));
    for index in files.filter(|path| path.extension().is_some_and(|end| end == "idx")) {
        fs.remove_file(&index).unwrap();
    }
    let (_, found) = repair(&fs);
    assert_eq!(found, expected());
}

#[test]
fn a_repair_without_the_manifest_says_that_it_does_not_know_the_place() {
    let fs = loaded();
    for name in fs.list_dir(Path::new("/db")).unwrap() {
        if name == "CURRENT" || name.starts_with("MANIFEST-") {
            fs.remove_file(&Path::new("/db").join(name)).unwrap();
        }
    }
    let (report, found) = repair(&fs);
    assert_eq!(report.origin, Origin::Listing);
    let concerned = |n| report.lost.iter().any(|lost| lost.concerns(&super::key(n)));
    for (n, (found, expected)) in (0..).zip(found.iter().zip(expected())) {
        assert!(
            *found == expected || concerned(n),
            "key {n} is of round {found}, and nobody says so: {report}"
        );
    }
    assert!(concerned(20), "{report}");
}
