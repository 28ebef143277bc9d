//! The four fields of `CompactionConfig` do what they say, and the statistics count it.

use slice::blocking::LSMTree;
use slice::compaction::CompactionConfig;
use slice::{Builder, Compression};

/// Few enough for a debug build, enough for a merge to be worth splitting.
const ENTRIES: u32 = 24_000;

fn builder(dir: &tempfile::TempDir, config: CompactionConfig) -> Builder {
    LSMTree::builder(dir.path())
        .compression(Compression::None)
        .l0_compaction_trigger(100)
        .l0_slowdown_trigger(1000)
        .compaction(config)
}

fn key(n: u32) -> [u8; 4] {
    n.wrapping_mul(0x9E37_79B9).to_be_bytes()
}

fn fill(lsm: &LSMTree, tables: u32) {
    for n in 0..ENTRIES {
        lsm.put(&key(n), &[7; 1000]).unwrap();
        if n % (ENTRIES / tables) == ENTRIES / tables - 1 {
            lsm.flush().unwrap();
        }
    }
}

fn check(lsm: &LSMTree) {
    for n in (0..ENTRIES).step_by(97) {
        assert_eq!(lsm.get(&key(n)).unwrap(), Some(vec![7; 1000]), "{n}");
    }
}

#[test]
fn a_large_merge_is_split_as_parallel_as_it_may_and_not_at_all_when_disabled() {
    for (enable_parallel_merge, merge_parallelism, expected) in [(true, 2, 2), (false, 2, 0), (true, 1, 0)] {
        let dir = tempfile::tempdir().unwrap();
        let config =
            CompactionConfig { enable_parallel_merge, merge_parallelism, ..CompactionConfig::default() };
        let lsm = builder(&dir, config).open_blocking().unwrap();
        fill(&lsm, 2);
        lsm.compact().unwrap();
        let stats = lsm.stats().compaction_stats;
        assert_eq!(stats.parallel_merges, expected, "{stats:?}");
        let merges = stats.total_compactions - stats.trivial_moves;
        assert_eq!((merges, stats.concurrent_compactions), (1, 0), "{stats:?}");
        assert_eq!(stats.sstables_compacted, 2 + stats.trivial_moves, "{stats:?}");
        assert!(stats.bytes_compacted > u64::from(ENTRIES) * 1000, "{stats:?}");
        check(&lsm);
    }
}

#[test]
fn a_job_takes_no_more_tables_than_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let config = CompactionConfig { max_sstables_per_job: 3, ..CompactionConfig::default() };
    let lsm = builder(&dir, config).open_blocking().unwrap();
    fill(&lsm, 9);
    lsm.compact().unwrap();
    let stats = lsm.stats().compaction_stats;
    assert!(stats.sstables_compacted <= 3 * stats.total_compactions, "{stats:?}");
    assert!(stats.total_compactions >= 3, "{stats:?}");
    check(&lsm);
}

#[test]
fn the_configuration_is_told_and_its_zeroes_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = CompactionConfig {
        max_concurrent_compactions: 4,
        merge_parallelism: 8,
        max_sstables_per_job: 5,
        enable_parallel_merge: true,
    };
    let lsm = builder(&dir, config.clone()).open_blocking().unwrap();
    assert_eq!(lsm.compaction_config(), config);
    let none = CompactionConfig { max_concurrent_compactions: 0, ..config };
    let error = builder(&dir, none).open_blocking().unwrap_err();
    assert!(error.to_string().contains("max_concurrent_compactions"), "{error}");
}
