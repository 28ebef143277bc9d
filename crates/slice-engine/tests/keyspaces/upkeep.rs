//! Verify and repair know of keyspaces.

use slice::vfs::MemFs;
use slice::{LSMTree, Origin};

use crate::support::{DIR, at, files, get, open, put};

fn two_keyspaces(fs: &MemFs) -> slice::blocking::LSMTree {
    let lsm = open(fs);
    let users = lsm.keyspace("users").unwrap();
    put(&users, "k", "in a table");
    put(&lsm, "k", "of the default one");
    users.flush().unwrap();
    put(&users, "later", "in a log");
    lsm
}

#[test]
fn verify_reads_the_files_of_all_keyspaces() {
    let fs = MemFs::new();
    let lsm = two_keyspaces(&fs);
    let open_report = lsm.verify().unwrap();
    assert!(open_report.is_clean(), "{open_report}");
    assert_eq!((open_report.tables, open_report.logs), (1, 2));
    drop(lsm);
    let report = at(&fs).verify().unwrap();
    assert!(report.is_clean() && report.findings.is_empty(), "{report}");
    assert_eq!((report.tables, report.logs), (1, 2));
}

#[test]
fn a_repair_keeps_keyspaces_apart() {
    let fs = MemFs::new();
    drop(two_keyspaces(&fs));
    let fresh = || LSMTree::builder("/fresh").fs(std::sync::Arc::new(fs.clone()));
    let report = fresh().repair_from(DIR).unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.keys, 3);
    let lsm = fresh().open_blocking().unwrap();
    let users = lsm.keyspace("users").unwrap();
    assert_eq!(get(&lsm, "k"), Some("of the default one".into()));
    assert_eq!(get(&users, "k"), Some("in a table".into()));
    assert_eq!(get(&users, "later"), Some("in a log".into()));
}

/// Neither a table nor a log has the name of its keyspace; what is of different ones is not mixed for that.
#[test]
fn a_repair_without_a_manifest_mixes_no_keyspaces() {
    use slice::vfs::Fs;
    let fs = MemFs::new();
    drop(two_keyspaces(&fs));
    for name in fs.list_dir(DIR.as_ref()).unwrap() {
        if name.starts_with("MANIFEST") {
            fs.remove_file(&std::path::Path::new(DIR).join(name)).unwrap();
        }
    }
    assert_eq!(files(&fs, "MANIFEST"), 0);
    let fresh = || LSMTree::builder("/fresh").fs(std::sync::Arc::new(fs.clone()));
    let report = fresh().repair_from(DIR).unwrap();
    assert_eq!(report.origin, Origin::Listing);
    let lsm = fresh().open_blocking().unwrap();
    assert_eq!(lsm.keyspaces(), ["default", "keyspace-1", "salvaged"]);
    assert_eq!(get(&lsm, "k"), Some("of the default one".into()));
    assert_eq!(get(&lsm.keyspace("salvaged").unwrap(), "k"), Some("in a table".into()));
    assert_eq!(get(&lsm.keyspace("keyspace-1").unwrap(), "later"), Some("in a log".into()));
}
