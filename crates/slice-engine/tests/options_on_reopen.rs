//! Options may change from one open to the next: what is there stays readable, and follows as it is compacted.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::MemFs;
use slice::{Background, Builder, Compression, Durability, MemTableKind, Options, Profile, Result, Strategy};

/// Small, so that a few hundred keys make several tables on several levels.
fn small() -> Options {
    let mut options = Options::default();
    options.background = Background::Inline;
    options.memtable_size = 4 << 10;
    options.target_table_bytes = 4 << 10;
    options.level_base_bytes = 16 << 10;
    options.level_multiplier = 2;
    options
}

fn open(fs: &MemFs, options: Options) -> Result<LSMTree> {
    LSMTree::builder("/db").fs(Arc::new(fs.clone())).options(options).open_blocking()
}

fn write(lsm: &LSMTree, round: u32) -> Result<()> {
    (0..400_u32).filter(|key| key % 7 >= round % 7).try_for_each(|key| {
        let value = [key.to_be_bytes(), round.to_be_bytes()].concat();
        lsm.put(&key.to_be_bytes(), &value.repeat(4))
    })
}

/// Checks that each key has the value of the last round that wrote it.
fn check(lsm: &LSMTree, rounds: u32, after: &str) -> Result<()> {
    for key in 0..400_u32 {
        let last = (0..rounds).rev().find(|round| key % 7 >= round % 7).expect("the first round writes all");
        let value = [key.to_be_bytes(), last.to_be_bytes()].concat().repeat(4);
        assert_eq!(lsm.get(&key.to_be_bytes())?, Some(value), "key {key} after {after}");
    }
    Ok(())
}

type Change = fn(&mut Options);

const CHANGES: [(&str, Change); 18] = [
    ("memtable_kind", |o| o.memtable_kind = MemTableKind::SkipList),
    ("memtable_size", |o| o.memtable_size = 64 << 10),
    ("max_frozen_memtables", |o| o.max_frozen_memtables = 1),
    ("memory_budget", |o| o.memory_budget = Some(4 << 20)),
    ("row_cache_entries", |o| o.row_cache_entries = 0),
    ("block_cache_bytes", |o| o.block_cache_bytes = 0),
    ("block_size", |o| o.block_size = 128),
    ("compression", |o| o.compression = Compression::None),
    ("no filter", |o| o.filter_bits_per_key = 0.0),
    ("filter_bits_per_key", |o| o.filter_bits_per_key = 20.0),
    ("durability", |o| o.durability = Durability::Fsync),
    ("tiered", |o| o.strategy = Strategy::Tiered),
    ("leveled again", |o| o.strategy = Strategy::Leveled),
    ("fewer levels than there are", |o| o.max_levels = 2),
    ("more levels", |o| o.max_levels = 12),
    ("level_multiplier", |o| o.level_multiplier = 10),
    ("l0_compaction_trigger", |o| o.l0_compaction_trigger = 1),
    ("target_table_bytes", |o| o.target_table_bytes = 1 << 20),
];

#[test]
fn what_is_there_is_readable_with_any_other_options() -> Result<()> {
    let fs = MemFs::new();
    let lsm = open(&fs, small())?;
    write(&lsm, 0)?;
    lsm.close()?;
    let mut options = small();
    for (n, (name, change)) in (1..).zip(CHANGES) {
        change(&mut options);
        let lsm = open(&fs, options.clone())?;
        check(&lsm, n, &format!("{name}, reopened"))?;
        write(&lsm, n)?;
        lsm.flush()?;
        check(&lsm, n + 1, &format!("{name}, written"))?;
        if n % 3 == 0 {
            lsm.compact()?;
            check(&lsm, n + 1, &format!("{name}, compacted"))?;
        }
        lsm.close()?;
    }
    Ok(())
}

#[test]
fn every_profile_opens_what_another_wrote() -> Result<()> {
    let fs = MemFs::new();
    let builder = |profile| -> Builder { LSMTree::builder("/db").fs(Arc::new(fs.clone())).profile(profile) };
    let profiles = [Profile::Balanced, Profile::WriteHeavy, Profile::SmallMemory, Profile::ReadHeavy];
    for (n, profile) in (0..).zip(profiles) {
        let lsm = builder(profile).background(Background::Inline).open_blocking()?;
        write(&lsm, n)?;
        lsm.compact()?;
        check(&lsm, n + 1, &format!("{profile:?}"))?;
        lsm.close()?;
    }
    Ok(())
}
