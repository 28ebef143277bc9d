//! Reads of one and many keys, of the ends, and counts.

use slice::blocking::{LSMTree, Readable};
use slice::{ErrorKind, Result};

use crate::support::{put_all, store};

/// The same with the keys in memory, in a table, and in both.
fn everywhere(check: impl Fn(&LSMTree) -> Result<()>) -> Result<()> {
    let lsm = store()?;
    put_all(&lsm, "d b a c")?;
    lsm.delete(b"a")?;
    check(&lsm)?;
    lsm.flush()?;
    check(&lsm)?;
    lsm.compact()?;
    check(&lsm)?;
    put_all(&lsm, "a c")?;
    lsm.flush()?;
    lsm.delete(b"a")?;
    check(&lsm)
}

#[test]
fn a_pinned_value_is_the_value_and_stays_when_the_store_goes_on() -> Result<()> {
    everywhere(|lsm| {
        let pinned = lsm.get_pinned(b"b")?;
        assert_eq!(pinned.as_deref(), lsm.get(b"b")?.as_deref());
        assert_eq!(pinned.as_deref(), Some(&b"b"[..]));
        assert_eq!((lsm.contains_key(b"b")?, lsm.contains_key(b"a")?), (true, false));
        Ok(())
    })
}

#[test]
fn many_keys_are_answered_in_the_order_in_which_they_were_asked() -> Result<()> {
    everywhere(|lsm| {
        let values = lsm.multi_get(["c", "x", "a", "b", "c", ""])?;
        let values: Vec<_> = values.iter().map(|value| value.as_deref()).collect();
        assert_eq!(values, [Some(&b"c"[..]), None, None, Some(b"b"), Some(b"c"), None]);
        assert_eq!(lsm.multi_get([""; 0])?.len(), 0);
        let error = lsm.multi_get([vec![0; 70_000], vec![1]]).expect_err("a key that is too long");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        Ok(())
    })
}

#[test]
fn many_keys_of_a_snapshot_are_of_its_moment() -> Result<()> {
    let lsm = store()?;
    put_all(&lsm, "a b")?;
    let snapshot = lsm.snapshot();
    lsm.delete(b"a")?;
    lsm.put(b"b", b"later")?;
    lsm.compact()?;
    let values = snapshot.multi_get(["a", "b"])?;
    assert_eq!(values.iter().flatten().collect::<Vec<_>>(), [&b"a"[..], b"b"]);
    assert_eq!(snapshot.first_key_value()?, Some(("a".into(), "a".into())));
    assert_eq!(lsm.first_key_value()?, Some(("b".into(), "later".into())));
    Ok(())
}

#[test]
fn the_first_and_the_last_key_are_those_that_are_left() -> Result<()> {
    everywhere(|lsm| {
        assert_eq!(lsm.first_key_value()?, Some(("b".into(), "b".into())));
        assert_eq!(lsm.last_key_value()?, Some(("d".into(), "d".into())));
        Ok(())
    })?;
    let empty = store()?;
    assert_eq!((empty.first_key_value()?, empty.last_key_value()?), (None, None));
    Ok(())
}

#[test]
fn a_count_is_exact_and_an_estimate_is_once_all_is_compacted() -> Result<()> {
    everywhere(|lsm| {
        assert_eq!((lsm.count("".."z")?, lsm.count("b".."d")?, lsm.count("x"..)?), (3, 2, 0));
        Ok(())
    })?;
    let lsm = store()?;
    put_all(&lsm, "a b c d e")?;
    assert_eq!(lsm.approximate_len(), 5);
    lsm.delete(b"a")?;
    assert_eq!(lsm.approximate_len(), 4);
    put_all(&lsm, "b c")?;
    lsm.compact()?;
    assert_eq!(lsm.approximate_len(), 4);
    assert_eq!(lsm.count("b".."a").expect_err("a reversed range").kind(), ErrorKind::InvalidArgument);
    Ok(())
}

#[test]
fn the_size_of_a_range_is_its_share_of_the_tables() -> Result<()> {
    let lsm = crate::support::builder().block_size(256).open_blocking()?;
    assert_eq!(lsm.approximate_size::<&str, _>(..)?, 0);
    let key = |n: u32| n.to_be_bytes();
    for n in 0..1000 {
        // No two values alike, so that they do not compress.
        lsm.put(
            &key(n),
            &u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_le_bytes(),
        )?;
    }
    lsm.compact()?;
    let (all, half) = (lsm.approximate_size::<&str, _>(..)?, lsm.approximate_size(..key(500))?);
    assert!(all >= 16_000 && half.abs_diff(all / 2) < all / 20, "{half} of {all} bytes");
    assert_eq!(lsm.approximate_size(key(2000)..)?, 0);
    assert!(lsm.approximate_size(key(7)..key(8))? <= 1024);
    Ok(())
}

#[test]
fn trees_and_snapshots_read_through_one_trait() -> Result<()> {
    fn keys(of: &impl Readable) -> Result<u64> {
        of.count(""..)
    }
    let lsm = store()?;
    put_all(&lsm, "a b")?;
    let snapshot = lsm.snapshot();
    lsm.delete(b"a")?;
    assert_eq!((keys(&lsm)?, keys(&snapshot)?), (1, 2));
    Ok(())
}

#[tokio::test]
async fn the_async_face_gives_the_same_with_nothing_in_memory() -> Result<()> {
    let fs = slice::vfs::MemFs::new();
    fs.make_cold();
    let builder = slice::LSMTree::builder("/db").fs(std::sync::Arc::new(fs));
    let lsm = builder.block_cache_bytes(0).row_cache_entries(0).open().await?;
    for key in ["a", "b", "c"] {
        lsm.put(key.as_bytes(), key.as_bytes()).await?;
    }
    lsm.flush().await?;
    lsm.delete(b"b").await?;
    assert_eq!(lsm.get_pinned(b"a").await?.as_deref(), Some(&b"a"[..]));
    let values = lsm.multi_get(["c", "b", "a"]).await?;
    assert_eq!(values, [Some("c".into()), None, Some("a".into())]);
    assert_eq!(lsm.first_key_value().await?, Some(("a".into(), "a".into())));
    assert_eq!(lsm.last_key_value().await?, Some(("c".into(), "c".into())));
    assert_eq!((lsm.count(""..).await?, lsm.contains_key(b"b").await?), (2, false));
    let mut scan = lsm.iter().rev();
    assert_eq!(scan.next().await.transpose()?, Some(("c".into(), "c".into())));
    assert_eq!(scan.next_back().await.transpose()?, Some(("a".into(), "a".into())));
    assert!(scan.next().await.is_none());
    Ok(())
}
