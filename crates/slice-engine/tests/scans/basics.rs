//! Bounds, directions, seeks, ends, and what is refused.

use std::ops::Bound;

use slice::{ErrorKind, Result};

use crate::support::{keys, put_all, store};

#[test]
fn a_range_gives_its_keys_in_order_from_memory_tables_and_both() -> Result<()> {
    let lsm = store()?;
    put_all(&lsm, "d a c")?;
    for _ in 0..2 {
        assert_eq!(keys(lsm.iter())?, ["a", "c", "d"]);
        assert_eq!(keys(lsm.iter().rev())?, ["d", "c", "a"]);
        assert_eq!(keys(lsm.range("a".."d"))?, ["a", "c"]);
        assert_eq!(keys(lsm.range("b"..="d"))?, ["c", "d"]);
        assert_eq!(keys(lsm.range((Bound::Excluded(*b"a"), Bound::Unbounded)))?, ["c", "d"]);
        assert_eq!(keys(lsm.range("a".."a"))?, [""; 0]);
        assert_eq!(keys(lsm.range(vec![b'b']..).rev())?, ["d", "c"]);
        lsm.flush()?;
    }
    put_all(&lsm, "b e")?;
    lsm.delete(b"c")?;
    assert_eq!(keys(lsm.iter())?, ["a", "b", "d", "e"]);
    assert_eq!(keys(lsm.iter().rev())?, ["e", "d", "b", "a"]);
    lsm.compact()?;
    assert_eq!(keys(lsm.iter())?, ["a", "b", "d", "e"]);
    Ok(())
}

#[test]
fn a_prefix_ends_where_no_key_begins_with_it_any_more() -> Result<()> {
    let lsm = store()?;
    for key in [&b"a"[..], b"a\xff", b"a\xff\xff", b"b", b"\xff", b"\xff\xff", b"\xff\xff\x01"] {
        lsm.put(key, b"")?;
    }
    assert_eq!(lsm.prefix("a").count(), 3);
    assert_eq!(lsm.prefix(b"a\xff").count(), 2);
    assert_eq!(lsm.prefix(b"\xff\xff").count(), 2);
    assert_eq!(lsm.prefix("").count(), 7);
    assert_eq!(lsm.prefix("c").count(), 0);
    Ok(())
}

#[test]
fn the_empty_key_is_a_key_of_every_range_that_reaches_it() -> Result<()> {
    let lsm = store()?;
    lsm.put(b"", b"nothing")?;
    lsm.put(b"a", b"")?;
    assert_eq!(keys(lsm.range(""..))?, ["", "a"]);
    assert_eq!(keys(lsm.range(..="").rev())?, [""]);
    assert_eq!(keys(lsm.range((Bound::Excluded(*b""), Bound::Unbounded)).rev())?, ["a"]);
    Ok(())
}

#[test]
fn both_ends_meet_and_give_each_key_once() -> Result<()> {
    let lsm = store()?;
    put_all(&lsm, "a b c d e")?;
    lsm.flush()?;
    lsm.delete(b"c")?;
    for order in 0_u32..32 {
        let mut scan = lsm.iter();
        let (mut front, mut back) = (Vec::new(), Vec::new());
        for step in 0..5 {
            if order >> step & 1 == 0 {
                front.extend(scan.next().transpose()?);
            } else {
                back.extend(scan.next_back().transpose()?);
            }
        }
        front.extend(back.into_iter().rev());
        assert_eq!(keys(front.into_iter().map(Ok))?, ["a", "b", "d", "e"], "order {order:05b}");
        assert!(scan.next().is_none() && scan.next_back().is_none());
    }
    Ok(())
}

#[test]
fn a_seek_goes_on_elsewhere_within_the_range() -> Result<()> {
    let lsm = store()?;
    put_all(&lsm, "a b c d e")?;
    let mut scan = lsm.range("b"..="d");
    let mut seek = |key: &str, want: &[&str]| -> Result<()> {
        scan.seek(key);
        assert_eq!(keys(scan.by_ref())?, want, "forward from {key}");
        Ok(())
    };
    seek("c", &["c", "d"])?;
    seek("a", &["b", "c", "d"])?;
    seek("bb", &["c", "d"])?;
    seek("e", &[])?;
    seek("d", &["d"])?;
    let mut scan = lsm.range("b"..="d");
    scan.seek_back("cc");
    assert_eq!(keys(scan.by_ref().rev())?, ["c", "b"]);
    scan.seek_back("z");
    assert_eq!(keys(scan.rev())?, ["d", "c", "b"]);
    Ok(())
}

#[test]
fn a_range_that_ends_before_it_begins_is_refused_by_the_first_entry() -> Result<()> {
    let lsm = store()?;
    put_all(&lsm, "a b c")?;
    let excluded = (Bound::Excluded(*b"a"), Bound::Excluded(*b"a"));
    for mut scan in [lsm.range("b".."a"), lsm.range(excluded), lsm.snapshot().range("b"..="a")] {
        let error = scan.next().expect("an answer").expect_err("a reversed range");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(scan.next().is_none());
    }
    Ok(())
}

#[test]
fn a_scan_of_a_closed_store_says_so() -> Result<()> {
    let lsm = store()?;
    put_all(&lsm, "a b")?;
    let mut begun = lsm.iter();
    assert!(begun.next().is_some());
    lsm.close()?;
    for mut scan in [begun, lsm.iter()] {
        let error = scan.next().expect("an answer").expect_err("a closed store");
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    Ok(())
}

#[test]
fn a_scan_sees_its_moment_through_writes_flushes_and_compactions() -> Result<()> {
    let lsm = store()?;
    put_all(&lsm, "a b c d")?;
    lsm.flush()?;
    let (mut scan, back) = (lsm.iter(), lsm.iter());
    assert_eq!(scan.next().expect("a key")?.0, "a");
    put_all(&lsm, "bb e")?;
    lsm.delete(b"b")?;
    lsm.compact()?;
    lsm.delete(b"d")?;
    assert_eq!(keys(scan)?, ["b", "c", "d"]);
    assert_eq!(keys(back.rev())?, ["d", "c", "b", "a"]);
    assert_eq!(keys(lsm.iter())?, ["a", "bb", "c", "e"]);
    Ok(())
}
