//! Verify and repair: what they say of a sound store, and what they leave alone.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use slice::ErrorKind;
use slice::blocking::LSMTree;
use slice::vfs::{Call, Fault, FaultFs, Fs, MemFs};

use crate::support::{DIR, assert_all, delete_all, put_all, quiet};

/// Where a repair writes to.
const FRESH: &str = "/fresh";

/// The new manifest of an open lists the tables there are; the one before had known a level that has none any more.
#[test]
fn an_open_store_whose_deepest_level_is_empty_verifies_clean() {
    let fs = MemFs::new();
    let lsm = quiet(&fs).open_blocking().unwrap();
    put_all(&lsm, 0..50, 1);
    lsm.compact().unwrap();
    delete_all(&lsm, 0..50);
    lsm.compact().unwrap();
    assert!(lsm.stats().level_stats.is_empty(), "{}", lsm.stats());
    lsm.close().unwrap();
    let lsm = quiet(&fs).open_blocking().unwrap();
    let report = lsm.verify().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_repair_that_fails_at_any_operation_removes_what_it_wrote() {
    let fs = MemFs::new();
    let damaged = quiet(&fs).open_blocking().unwrap();
    put_all(&damaged, 0..10, 1);
    damaged.flush().unwrap();
    drop(damaged);
    let repair = |n| {
        let fs = fs.crash_image(1.0, 0);
        let faults = FaultFs::new(Arc::new(fs.clone()));
        faults.fail_at(n, Fault::Enospc);
        let repaired = LSMTree::builder(FRESH).fs(Arc::new(faults.clone())).repair_from(DIR);
        (fs, faults.operations(), repaired)
    };
    let (_, operations, sound) = repair(u64::MAX);
    sound.unwrap();
    let mut failures = 0;
    for n in 0..operations {
        let (fs, _, repaired) = repair(n);
        let Err(error) = repaired else { continue };
        failures += 1;
        assert!(matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::Io), "operation {n}: {error}");
        let left = fs.list_dir(Path::new(FRESH)).unwrap_or_default();
        assert!(left.is_empty(), "operation {n}, {error}: {left:?}");
    }
    assert!(failures >= 20, "only {failures} of {operations} operations were missed");
}

#[test]
fn a_repair_into_a_directory_that_somebody_else_took_leaves_their_files_alone() {
    let fs = MemFs::new();
    let damaged = quiet(&fs).open_blocking().unwrap();
    put_all(&damaged, 0..10, 1);
    drop(damaged);

    let faults = FaultFs::new(Arc::new(fs.clone()));
    let theirs = Arc::new(Mutex::new(None));
    let (is_set, their_fs, taken) = (AtomicBool::new(true), fs.clone(), Arc::clone(&theirs));
    // Behind the look whether the directory is empty, and before it is locked.
    faults.watch(move |operation| {
        if operation.call == Call::Metadata
            && operation.path.starts_with(FRESH)
            && is_set.swap(false, Ordering::SeqCst)
        {
            let lsm = LSMTree::builder(FRESH).fs(Arc::new(their_fs.clone())).open_blocking().unwrap();
            put_all(&lsm, 0..10, 2);
            lsm.flush().unwrap();
            *taken.lock().unwrap() = Some(lsm);
        }
    });
    let error = LSMTree::builder(FRESH).fs(Arc::new(faults)).repair_from(DIR).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    drop(theirs.lock().unwrap().take().expect("somebody else came first"));
    let lsm = LSMTree::builder(FRESH).fs(Arc::new(fs)).open_blocking().unwrap();
    assert_all(&lsm, 0..10, Some(2));
}
