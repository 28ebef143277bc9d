//! Many keyspaces share the memory for writes.

use slice::vfs::MemFs;

use crate::support::{at, tables};

const KEYSPACES: usize = 60;
const BUDGET: usize = 4 << 20;
const MEMTABLE: usize = 64 << 10;
/// Half of the budget is for memtables, and of that a third for those that take writes: two may be frozen.
const ACTIVE_MAX: usize = BUDGET / 2 / 3;

#[test]
fn the_largest_memtable_is_flushed_when_all_together_take_too_much() {
    let lsm = at(&MemFs::new()).memory_budget(Some(BUDGET)).memtable_size(MEMTABLE).open_blocking().unwrap();
    let others: Vec<_> = (0..KEYSPACES).map(|n| lsm.keyspace(&n.to_string()).unwrap()).collect();
    let empty = others[0].stats().memtable_bytes;
    let used = || others.iter().map(|other| other.stats().memtable_bytes - empty).sum::<usize>();
    let mut most = 0;
    for n in 0..100_u32 {
        for other in &others {
            other.put(&n.to_be_bytes(), &[7; 300]).unwrap();
        }
        most = most.max(used());
    }
    assert!(most < ACTIVE_MAX + MEMTABLE, "{most} of {ACTIVE_MAX} bytes");
    assert!(most > ACTIVE_MAX / 2, "the bound was never near: {most}");
    assert!(others.iter().all(|other| other.stats().memtable_bytes < MEMTABLE), "none was full by itself");
    assert!(others.iter().filter(|other| tables(other) > 0).count() > KEYSPACES / 2);
    for (n, other) in others.iter().enumerate() {
        assert_eq!(other.count::<&[u8], _>(..).unwrap(), 100, "keyspace {n}");
    }
}
