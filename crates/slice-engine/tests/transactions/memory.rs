//! The memory that conflicts are detected with: bounded by the oldest open transaction, and given back.

use slice::blocking::LSMTree;
use slice::{Isolation, Result};

use crate::inline;

/// Large enough to hold all in memory.
fn store() -> LSMTree {
    inline().memtable_size(1 << 20).open_blocking().expect("it opens")
}

#[test]
fn while_no_transaction_is_open_writes_are_not_remembered() -> Result<()> {
    let lsm = store();
    for n in 0..100_u8 {
        lsm.put(&[n], b"v")?;
    }
    assert_eq!(lsm.stats().conflict_index_entries, 0);
    Ok(())
}

#[test]
fn what_was_written_before_the_oldest_transaction_is_forgotten() -> Result<()> {
    let lsm = store();
    let mut oldest = lsm.begin(Isolation::Snapshot);
    for round in 0..50_u8 {
        for n in 0..20_u8 {
            lsm.put(&[round, n], b"v")?;
        }
        assert_eq!(lsm.stats().conflict_index_entries, 20, "round {round}");
        oldest = lsm.begin(Isolation::Serializable);
        assert_eq!(lsm.stats().conflict_index_entries, 0, "round {round}");
    }
    assert_eq!(lsm.stats().open_transactions, 1);
    oldest.commit()
}

#[test]
fn short_transactions_beside_a_long_one_leave_one_entry_for_each_key() -> Result<()> {
    let lsm = store();
    let old = lsm.begin(Isolation::Snapshot);
    for n in 0..2000_u32 {
        lsm.transact(Isolation::Serializable, |transaction| transaction.put(&[(n % 50) as u8], b"v"))?;
    }
    assert_eq!(lsm.stats().conflict_index_entries, 50);
    old.rollback();
    assert_eq!((lsm.stats().open_transactions, lsm.stats().conflict_index_entries), (0, 0));
    Ok(())
}
