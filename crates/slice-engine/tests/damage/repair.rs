//! What `repair` saves, and what it says of the rest.

use std::path::Path;

use slice::vfs::{Fs, LogKind, MemFs};
use slice::{ErrorKind, Origin, RepairReport};

use crate::base::{Base, Contents, DIR, at, builder, key, write};

const FRESH: &str = "/fresh";

fn repair(fs: &MemFs) -> RepairReport {
    at(fs, FRESH).repair_from(DIR).unwrap()
}

fn contents(fs: &MemFs) -> Contents {
    let lsm = at(fs, FRESH).open_blocking().unwrap();
    Base::keys().filter_map(|key| lsm.get(&key).unwrap().map(|value| (key, value))).collect()
}

#[test]
fn a_sound_store_is_copied_whole() {
    let base = Base::new(LogKind::Plain);
    let report = repair(&base.fs);
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.keys, base.contents().len() as u64);
    assert_eq!(contents(&base.fs), *base.contents());
}

#[test]
fn a_repaired_store_takes_writes_that_last() {
    let base = Base::new(LogKind::Plain);
    repair(&base.fs);
    let lsm = at(&base.fs, FRESH).open_blocking().unwrap();
    lsm.put(&key(4), b"newer").unwrap();
    lsm.delete(&key(5)).unwrap();
    lsm.close().unwrap();
    let lsm = at(&base.fs, FRESH).open_blocking().unwrap();
    assert_eq!(lsm.get(&key(4)).unwrap(), Some(b"newer".to_vec()));
    assert_eq!(lsm.get(&key(5)).unwrap(), None);
}

#[test]
fn a_damaged_block_costs_its_own_keys_and_they_are_named() {
    let base = Base::new(LogKind::Plain);
    let table = base.files(".db").remove(0);
    let mut bytes = base.bytes(&table);
    bytes[20] ^= 1;
    write(&base.fs, &table, &bytes);
    let report = repair(&base.fs);
    let [lost] = &report.lost[..] else { panic!("{report}") };
    assert_eq!((&lost.file, lost.offset, report.origin), (&table, Some(16), Origin::Manifest));
    assert!(lost.concerns(&key(2)) && !lost.concerns(&key(15)), "{report}");
    let found = contents(&base.fs);
    assert!(found.len() < base.contents().len());
    for key in Base::keys().filter(|key| !lost.concerns(key)) {
        assert_eq!(found.get(&key), base.contents().get(&key));
    }
}

#[test]
fn a_table_without_its_index_is_found_by_its_checksums() {
    let base = Base::new(LogKind::Plain);
    for index in base.files(".idx") {
        base.fs.remove_file(&index).unwrap();
    }
    let report = repair(&base.fs);
    assert!(report.is_complete(), "{report}");
    assert_eq!(contents(&base.fs), *base.contents());
}

#[test]
fn without_current_and_manifest_the_newest_version_of_each_key_is_found() {
    let base = Base::new(LogKind::Plain);
    base.fs.remove_file(&base.only("CURRENT")).unwrap();
    base.fs.remove_file(&base.manifest()).unwrap();
    let report = repair(&base.fs);
    assert_eq!(report.origin, Origin::Listing);
    assert!(!report.is_complete());
    assert_eq!(contents(&base.fs), *base.contents());
}

/// The limit of a repair without a manifest: a tombstone goes with the compaction that it took part in.
#[test]
fn a_table_that_was_compacted_away_counts_only_without_a_manifest() {
    let base = Base::new(LogKind::Plain);
    let before = base.fs.crash_image(1.0, 0);
    let lsm = builder(&base.fs).open_blocking().unwrap();
    lsm.compact().unwrap();
    drop(lsm);
    // What a crash leaves that comes before the removal of the inputs: the oldest table still has the deleted keys.
    for file in before.list_dir(Path::new(DIR)).unwrap().iter().filter(|name| name.starts_with("sstable_")) {
        let path = Path::new(DIR).join(file);
        write(&base.fs, &path, &slice::vfs::read_all(&before, &path).unwrap());
    }
    let with_manifest = base.fs.crash_image(1.0, 0);
    assert!(repair(&with_manifest).is_complete());
    assert_eq!(contents(&with_manifest), *base.contents());

    base.fs.remove_file(&base.only("CURRENT")).unwrap();
    base.fs.remove_file(&base.manifest()).unwrap();
    let report = repair(&base.fs);
    assert!(report.to_string().contains("a deleted key may be back"), "{report}");
    let found = contents(&base.fs);
    assert!(base.contents().iter().all(|(key, value)| found.get(key) == Some(value)));
}

#[test]
fn an_edit_that_a_manifest_lost_at_its_end_is_made_good_by_the_tables_that_are_there() {
    let base = Base::new(LogKind::Plain);
    let manifest = base.manifest();
    let bytes = base.bytes(&manifest);
    // In the midst of the edit of the last flush: a seal has 16 bytes, and an edit more.
    write(&base.fs, &manifest, &bytes[..bytes.len() - 24]);
    let report = repair(&base.fs);
    assert_eq!(report.origin, Origin::StaleManifest);
    assert_eq!(contents(&base.fs), *base.contents());
}

#[test]
fn a_repair_writes_into_an_empty_directory_and_not_into_a_store() {
    let base = Base::new(LogKind::Plain);
    let refused = at(&base.fs, DIR).repair_from(DIR).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    let lsm = builder(&base.fs).open_blocking().unwrap();
    assert_eq!(at(&base.fs, FRESH).repair_from(DIR).unwrap_err().kind(), ErrorKind::Locked);
    drop(lsm);
    let missing = at(&base.fs, FRESH).repair_from("/nowhere").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::InvalidArgument);
}
