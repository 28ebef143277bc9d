//! The memory budget is held, measured from outside of the allocator. One test, for it measures its whole process.
#![cfg(target_os = "linux")]

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use slice::Result;
use slice::blocking::LSMTree;

const BUDGET: usize = 24 << 20;
/// What the process takes beside the store's budget: threads' stacks, buffers of merges, what the allocator wastes.
const BESIDE: usize = 16 << 20;
const KEYS: u64 = 100_000;

/// Memory of this process that is no file's, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[test]
fn a_store_stays_within_its_memory_budget() -> Result<()> {
    let dir = tempfile::tempdir().unwrap();
    let lsm = LSMTree::builder(&dir).memory_budget(Some(BUDGET)).open_blocking()?;
    let before = resident();
    let mut random = SmallRng::seed_from_u64(7);
    let mut peak = before;
    let mut value = [0; 700];
    for n in 0..2 * KEYS {
        let key = random.random_range(0..KEYS).to_be_bytes();
        random.fill(&mut value[..]);
        lsm.put(&key, &value)?;
        lsm.get(&random.random_range(0..KEYS).to_be_bytes())?;
        if n % 512 == 0 {
            peak = peak.max(resident());
        }
    }
    let stats = lsm.stats();
    let taken = peak - before;
    assert!(stats.flush_stats.flushes > 5, "too little was written to say anything: {stats:?}");
    assert!(taken < BUDGET + BESIDE, "{} MiB of {} MiB; {stats:?}", taken >> 20, BUDGET >> 20);
    assert!(taken > BUDGET / 2, "the measurement misses what is there: {} MiB", taken >> 20);
    Ok(())
}
