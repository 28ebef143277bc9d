//! The list of sync sites, the table that explains them, and what a store really does are one.

use std::collections::BTreeSet;
use std::path::Path;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, MemFs, SyncSite};
use slice::{Background, sync_sites};

const TABLE: &str = include_str!("../../../docs/DURABILITY.md");

fn names() -> Vec<&'static str> {
    sync_sites::ALL.iter().map(|site| site.name()).collect()
}

#[test]
fn a_name_is_given_once() {
    let distinct: BTreeSet<_> = names().into_iter().collect();
    assert_eq!(distinct.len(), sync_sites::ALL.len());
}

#[test]
fn the_documented_table_names_exactly_the_sites_of_the_list() {
    let after = TABLE.split_once("\n## Every sync, and why\n").expect("the section with the table").1;
    let section = after.split_once("\n## ").map_or(after, |(section, _)| section);
    let documented: Vec<_> =
        section.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0)).collect();
    assert_eq!(documented, names());
}

#[test]
fn a_store_syncs_for_the_listed_reasons_and_for_each_of_them() {
    let fs = MemFs::recording();
    let open = || {
        let builder = LSMTree::builder("/db").fs(std::sync::Arc::new(fs.clone()));
        builder.background(Background::Inline).open_blocking().unwrap()
    };
    let lsm = open();
    lsm.put(b"a", b"1").unwrap();
    lsm.flush().unwrap();
    lsm.put(b"b", b"2").unwrap();
    lsm.sync().unwrap();
    lsm.checkpoint("/copy").unwrap();
    drop(lsm);
    // A log is replayed here.
    drop(open());
    assert!(fs.metadata(Path::new("/db/CURRENT")).is_ok());
    let history = fs.history();
    let seen: BTreeSet<SyncSite> = history.iter().filter_map(|op| op.site).collect();
    assert_eq!(seen, sync_sites::ALL.into_iter().collect());
}
