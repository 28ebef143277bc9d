//! Options of a keyspace's own.

use std::path::Path;

use slice::vfs::{Fs, MemFs};
use slice::{Compression, ErrorKind, KeyspaceOptions, Strategy};

use crate::support::{DIR, at, files, open, put, tables};

/// Each of these many values is 100 bytes of the same byte.
fn fill(lsm: &slice::blocking::LSMTree, count: u32) {
    for n in 0..count {
        lsm.put(&n.to_be_bytes(), &[7; 100]).unwrap();
    }
}

fn filter_bytes(fs: &MemFs) -> u64 {
    let names = fs.list_dir(DIR.as_ref()).unwrap();
    let filters = names.iter().filter(|name| name.contains(".bloom"));
    filters.map(|name| fs.metadata(&Path::new(DIR).join(name)).unwrap().len).sum()
}

fn bytes(lsm: &slice::blocking::LSMTree) -> u64 {
    lsm.stats().level_stats.iter().map(|(_, _, bytes)| bytes).sum()
}

#[test]
fn a_memtable_is_flushed_at_the_size_chosen_for_its_keyspace() {
    let fs = MemFs::new();
    let lsm = at(&fs).memtable_size(1 << 20).open_blocking().unwrap();
    let small = lsm.keyspace_with("small", &KeyspaceOptions::new().memtable_size(1 << 10)).unwrap();
    fill(&lsm, 8);
    fill(&small, 8);
    assert_eq!(tables(&lsm), 0);
    assert!(tables(&small) > 0);
}

#[test]
fn compression_and_filters_are_as_chosen_for_the_keyspace() {
    let fs = MemFs::new();
    let lsm = at(&fs).memtable_size(1 << 20).open_blocking().unwrap();
    let plain = KeyspaceOptions::new().compression(Compression::None).filter_bits_per_key(0.0);
    let plain = lsm.keyspace_with("plain", &plain).unwrap();
    fill(&plain, 500);
    plain.flush().unwrap();
    let without = filter_bytes(&fs);
    fill(&lsm, 500);
    lsm.flush().unwrap();
    assert!(filter_bytes(&fs) - without > 10 * without, "{without} of {} bytes", filter_bytes(&fs));
    assert!(bytes(&plain) > 3 * bytes(&lsm), "{} and {}", bytes(&plain), bytes(&lsm));
}

#[test]
fn compression_may_differ_from_level_to_level() {
    let by_level = vec![Compression::None, Compression::Lz4];
    let lsm = at(&MemFs::new()).memtable_size(1 << 20).open_blocking().unwrap();
    let mixed = lsm.keyspace_with("mixed", &KeyspaceOptions::new().compression_by_level(by_level)).unwrap();
    fill(&mixed, 500);
    mixed.flush().unwrap();
    let flushed = bytes(&mixed);
    // Twice, so that it is no move but a merge.
    fill(&mixed, 500);
    mixed.compact().unwrap();
    assert!(bytes(&mixed) * 3 < flushed, "{flushed} bytes became {}", bytes(&mixed));
}

#[test]
fn a_keyspace_has_the_strategy_and_the_levels_chosen_for_it() {
    let fs = MemFs::new();
    let lsm = at(&fs).l0_compaction_trigger(2).open_blocking().unwrap();
    let deep = KeyspaceOptions::new().l0_compaction_trigger(100).l0_slowdown_trigger(200);
    let deep = lsm.keyspace_with("deep", &deep).unwrap();
    let tiered = KeyspaceOptions::new().strategy(Strategy::Tiered).max_levels(3);
    let tiered = lsm.keyspace_with("tiered", &tiered).unwrap();
    for n in 0..10 {
        for keyspace in [&lsm, &deep, &tiered] {
            put(keyspace, "k", &n.to_string());
            keyspace.flush().unwrap();
        }
    }
    assert!(tables(&lsm) < 4, "{:?}", lsm.stats().level_stats);
    assert_eq!(deep.stats().level_stats, [(0, 10, deep.stats().level_stats[0].2)]);
    tiered.compact().unwrap();
    assert_eq!(tiered.stats().level_stats.iter().map(|(level, ..)| *level).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_declared_keyspace_is_made_at_open_and_has_its_options_from_then_on() {
    let fs = MemFs::new();
    let never = KeyspaceOptions::new().memtable_size(1 << 20);
    let declared = || at(&fs).keyspace("large", never.clone());
    let lsm = declared().open_blocking().unwrap();
    assert_eq!(lsm.keyspaces(), ["default", "large"]);
    fill(&lsm.keyspace("large").unwrap(), 200);
    assert_eq!(files(&fs, ".db"), 0);
    drop(lsm);
    let lsm = declared().open_blocking().unwrap();
    fill(&lsm.keyspace("large").unwrap(), 200);
    assert_eq!(
        tables(&lsm.keyspace("large").unwrap()),
        1,
        "what was replayed was flushed, and nothing since"
    );
}

#[test]
fn options_chosen_later_count_from_then_on() {
    let fs = MemFs::new();
    let lsm = at(&fs).memtable_size(1 << 20).open_blocking().unwrap();
    let users = lsm.keyspace("users").unwrap();
    fill(&users, 8);
    assert_eq!(tables(&users), 0);
    lsm.keyspace_with("users", &KeyspaceOptions::new().memtable_size(1 << 10)).unwrap();
    fill(&users, 8);
    assert!(tables(&users) > 0);
}

#[test]
fn what_values_mean_cannot_be_changed_while_the_keyspace_is_open() {
    let lsm = open(&MemFs::new());
    lsm.keyspace("users").unwrap();
    let day = Some(std::time::Duration::from_secs(86_400));
    let error = lsm.keyspace_with("users", &KeyspaceOptions::new().default_ttl(day)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    lsm.keyspace_with("sessions", &KeyspaceOptions::new().default_ttl(day)).unwrap();
}
