//! Compaction filters.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::operators::Append;
use slice::vfs::MemFs;
use slice::{
    CompactionContext, CompactionFilter, CompactionFilterFactory, Decision, Health, ManualClock, Result,
};

use crate::support::{quiet, timed};

/// Does what the value says: goes, becomes another, panics.
struct Obedient;

impl CompactionFilterFactory for Obedient {
    fn name(&self) -> &'static str {
        "obedient"
    }

    fn create(&self, _: &CompactionContext) -> Box<dyn CompactionFilter> {
        Box::new(|_: &[u8], value: &[u8]| match value {
            b"go" => Decision::Remove,
            b"change" => Decision::Replace(b"changed".to_vec()),
            b"panic" => panic!("on purpose"),
            _ => Decision::Keep,
        })
    }
}

fn filtered() -> LSMTree {
    quiet(&MemFs::new()).compaction_filter(Arc::new(Obedient)).open_blocking().unwrap()
}

fn get(lsm: &LSMTree, key: &[u8]) -> Option<String> {
    lsm.get(key).unwrap().map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn compactions_keep_remove_and_replace_as_the_filter_says() -> Result<()> {
    let lsm = filtered();
    for value in ["go", "change", "stay"] {
        lsm.put(value.as_bytes(), value.as_bytes())?;
    }
    lsm.flush()?;
    assert!(get(&lsm, b"go").is_some(), "a flush does not filter");
    lsm.compact()?;
    let found = [&b"go"[..], b"change", b"stay"].map(|key| get(&lsm, key));
    assert_eq!(found, [None, Some("changed".to_owned()), Some("stay".to_owned())]);
    assert_eq!(lsm.verify()?.entries, 2);
    Ok(())
}

#[test]
fn a_removed_value_uncovers_nothing_older() -> Result<()> {
    let lsm = filtered();
    lsm.put(b"k", b"old")?;
    lsm.compact()?;
    lsm.put(b"k", b"go")?;
    lsm.compact()?;
    assert_eq!(get(&lsm, b"k"), None);
    Ok(())
}

#[test]
fn what_a_snapshot_reads_stays_until_it_is_dropped() -> Result<()> {
    let lsm = filtered();
    lsm.put(b"k", b"go")?;
    let snapshot = lsm.snapshot();
    lsm.put(b"k", b"change")?;
    lsm.compact()?;
    assert_eq!(get(&lsm, b"k").as_deref(), Some("changed"));
    assert_eq!(snapshot.get(b"k")?.as_deref(), Some(&b"go"[..]));
    drop(snapshot);
    lsm.put(b"k", b"go")?;
    lsm.compact()?;
    assert_eq!(get(&lsm, b"k"), None);
    Ok(())
}

#[test]
fn a_filter_that_panics_filters_nothing_and_fails_nothing() -> Result<()> {
    let lsm = filtered();
    for (key, value) in [(b"a", "go"), (b"b", "panic"), (b"c", "go")] {
        lsm.put(key, value.as_bytes())?;
    }
    lsm.compact()?;
    let found = [b"a", b"b", b"c"].map(|key| get(&lsm, key).is_some());
    assert_eq!(found, [false, true, true], "the rest of the merge is not filtered");
    assert!(matches!(lsm.health(), Health::Healthy));
    Ok(())
}

#[test]
fn a_filter_sees_folded_values_and_leaves_them_their_time() -> Result<()> {
    let clock = Arc::new(ManualClock::new(0));
    let lsm = timed(&MemFs::new(), &clock)
        .compaction_filter(Arc::new(Obedient))
        .merge_operator(Arc::new(Append::default()))
        .open_blocking()?;
    lsm.merge(b"merged", b"ch")?;
    lsm.merge(b"merged", b"ange")?;
    lsm.put_with_ttl(b"timed", b"change", std::time::Duration::from_millis(10))?;
    lsm.compact()?;
    assert_eq!(get(&lsm, b"merged").as_deref(), Some("changed"));
    assert_eq!(get(&lsm, b"timed").as_deref(), Some("changed"));
    clock.set(10);
    assert_eq!(get(&lsm, b"timed"), None);
    Ok(())
}
