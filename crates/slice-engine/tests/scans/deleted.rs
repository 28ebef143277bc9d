//! What was deleted does not slow a scan down: it is compacted away, and passed over while it is there.

use slice::{Result, Strategy};

use crate::support::builder;

const KEYS: u32 = 6000;

#[test]
fn a_queue_whose_front_was_taken_is_compacted_without_being_asked() -> Result<()> {
    for strategy in [Strategy::Leveled, Strategy::Tiered] {
        let lsm = builder().strategy(strategy).open_blocking()?;
        for n in 0..KEYS {
            lsm.put(&n.to_be_bytes(), b"work")?;
        }
        lsm.flush()?;
        for n in 0..KEYS - 1 {
            lsm.delete(&n.to_be_bytes())?;
        }
        // The flush is followed by what is due: one table of level 0 is not, but that it is dead.
        lsm.flush()?;
        assert_eq!(lsm.verify()?.entries, 1, "{strategy:?}: what a scan steps over");
        assert_eq!(
            lsm.first_key_value()?.map(|(key, _)| key.to_vec()),
            Some((KEYS - 1).to_be_bytes().to_vec())
        );
    }
    Ok(())
}

#[test]
fn a_snapshot_keeps_the_front_of_a_queue_and_compaction_comes_to_rest() -> Result<()> {
    for strategy in [Strategy::Leveled, Strategy::Tiered] {
        let lsm = builder().strategy(strategy).open_blocking()?;
        for n in 0..KEYS {
            lsm.put(&n.to_be_bytes(), b"work")?;
        }
        let snapshot = lsm.snapshot();
        for n in 0..KEYS {
            lsm.delete(&n.to_be_bytes())?;
        }
        lsm.flush()?;
        assert_eq!((lsm.count(""..)?, snapshot.count(""..)?), (0, u64::from(KEYS)), "{strategy:?}");
        assert_eq!(lsm.verify()?.entries, u64::from(2 * KEYS));
        drop(snapshot);
        lsm.compact()?;
        assert_eq!(lsm.verify()?.entries, 0, "{strategy:?}");
    }
    Ok(())
}
