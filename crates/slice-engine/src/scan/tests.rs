//! How many entries a scan steps over, which no answer shows.

use std::sync::Arc;

use slice_types::Result;
use slice_vfs::MemFs;

use super::*;
use crate::Background;
use crate::blocking::LSMTree;
use crate::db::ReadAt;

fn store() -> Result<LSMTree> {
    LSMTree::builder("/db").fs(Arc::new(MemFs::new())).background(Background::Inline).open_blocking()
}

fn ends(lsm: &LSMTree, at: ReadAt) -> Result<Ends> {
    let source = Source::new(&lsm.handle.core, &lsm.tree, at, None);
    Ends::new(source, KeyRange::of_prefix(b""))
}

/// Takes all from the front, or from the back; gives the keys and the entries that were passed over.
fn walk(lsm: &LSMTree, at: ReadAt, forward: bool) -> Result<(usize, usize)> {
    let mut ends = ends(lsm, at)?;
    let (mut keys, mut passed) = (0, 0);
    loop {
        let item = if forward { ends.next()? } else { ends.next_back()? };
        passed += ends.passed();
        match item {
            Some(_) => keys += 1,
            None => return Ok((keys, passed)),
        }
    }
}

#[test]
fn many_versions_of_a_key_are_sought_past() -> Result<()> {
    let lsm = store()?;
    lsm.put(b"a", b"")?;
    let early = lsm.snapshot();
    for n in 0..5000_u32 {
        lsm.put(b"hot", &n.to_le_bytes())?;
    }
    lsm.put(b"z", b"")?;
    for forward in [true, false] {
        let (keys, passed) = walk(&lsm, ReadAt::Newest, forward)?;
        assert_eq!(keys, 3);
        assert!(passed < 50, "{passed} entries passed over, forward {forward}");
        // None of the versions is visible to the early one.
        let (keys, passed) = walk(&lsm, early.moment.at(), forward)?;
        assert_eq!(keys, 1);
        assert!(passed < 50, "{passed} entries passed over, forward {forward}");
    }
    Ok(())
}

#[test]
fn a_deleted_key_costs_one_step_for_each_entry_at_most() -> Result<()> {
    let lsm = store()?;
    for n in 0..1000_u32 {
        lsm.put(&n.to_be_bytes(), b"")?;
        lsm.delete(&n.to_be_bytes())?;
    }
    for forward in [true, false] {
        let (keys, passed) = walk(&lsm, ReadAt::Newest, forward)?;
        assert_eq!(keys, 0);
        assert!((1000..=2000).contains(&passed), "{passed} entries passed over, forward {forward}");
    }
    Ok(())
}
