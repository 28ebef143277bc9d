//! The index against a list that is searched from front to back.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const KEYS: u8 = 16;

fn tombstone(start: u8, end: Option<u8>, seqno: u64) -> RangeTombstone {
    let end = end.map_or_else(Vec::new, |end| vec![end]);
    let range = KeyRange::from_bytes(&[start], &end).unwrap();
    RangeTombstone { range, seqno: SeqNo::new(seqno) }
}

/// Tombstones numbered from 1, in the order of their numbers.
fn tombstones() -> impl Strategy<Value = Vec<RangeTombstone>> {
    let range = (1..KEYS, 1..KEYS, any::<bool>());
    vec(range, 0..40).prop_map(|ranges| {
        let numbered = ranges.into_iter().zip(1..);
        let of = |((start, len, ends), seqno): ((u8, u8, bool), u64)| {
            tombstone(start, ends.then_some(start + len), seqno)
        };
        numbered.map(of).collect()
    })
}

fn naive(tombstones: &[RangeTombstone], key: &[u8], at: SeqNo) -> Option<SeqNo> {
    let covering = tombstones.iter().filter(|tombstone| tombstone.range.contains(key));
    covering.map(|tombstone| tombstone.seqno).filter(|seqno| *seqno <= at).max()
}

proptest! {
    #[test]
    fn a_lookup_finds_what_a_search_of_the_list_does(tombstones in tombstones()) {
        let index = RangeIndex::new(tombstones.clone());
        for key in 0..2 * KEYS {
            for at in (0..=tombstones.len() as u64).map(SeqNo::new) {
                let expected = naive(&tombstones, &[key], at);
                prop_assert_eq!(index.covering(&[key], at), expected, "{} at {}", key, at);
            }
        }
    }

    #[test]
    fn lookups_with_a_bookmark_find_the_same(
        tombstones in tombstones(),
        lookups in vec((0..2 * KEYS, 0..40_u64), 0..60),
    ) {
        let index = RangeIndex::new(tombstones.clone());
        let mut bookmark = Bookmark::default();
        for (key, at) in lookups {
            let at = SeqNo::new(at);
            prop_assert_eq!(index.covering_near(&mut bookmark, &[key], at), naive(&tombstones, &[key], at));
            let same = |key: &[u8]| naive(&tombstones, key, at) == naive(&tombstones, &[key[0]], at);
            if let Some(edge) = index.next_edge(&bookmark) {
                prop_assert!(**edge > [key][..]);
                prop_assert!((key..edge[0]).all(|key| same(&[key])));
            }
            if let Some(edge) = index.last_edge(&bookmark) {
                prop_assert!(**edge <= [key][..]);
            }
        }
    }

    #[test]
    fn stretches_that_are_covered_or_touched_are_told(
        tombstones in tombstones(),
        (smallest, len) in (0..KEYS, 0..KEYS),
        (above, at) in (0..40_u64, 0..40_u64),
    ) {
        let index = RangeIndex::new(tombstones.clone());
        let (above, at) = (SeqNo::new(above), SeqNo::new(at));
        let (smallest, largest) = ([smallest], [smallest + len]);
        let newest = |key: u8| naive(&tombstones, &[key], at);
        let is_covered = (smallest[0]..=largest[0]).all(|key| newest(key) > Some(above));
        prop_assert_eq!(index.covers_all(&smallest, &largest, above, at), is_covered);
        let is_touched = tombstones.iter().any(|tombstone| {
            tombstone.seqno > above && tombstone.seqno <= at && tombstone.range.touches(&smallest, &largest)
        });
        prop_assert_eq!(index.touches(&smallest, &largest, above, at), is_touched);
        prop_assert_eq!(index.newest(at), tombstones.iter().map(|t| t.seqno).filter(|seqno| *seqno <= at).max());
    }
}

#[test]
fn nested_ranges_take_little_memory() {
    let nested = (0..1000_u64).map(|n| {
        let range = KeyRange::from_bytes(&n.to_be_bytes(), &(5000 - n).to_be_bytes()).unwrap();
        RangeTombstone { range, seqno: SeqNo::new(n + 1) }
    });
    let index = RangeIndex::new(nested);
    let kept: usize = index.nodes.iter().map(Vec::len).sum();
    assert!(kept < 1000 * 2 * 11, "{kept} places for 1000 tombstones");
    assert_eq!(index.covering(&2500_u64.to_be_bytes(), SeqNo::MAX), Some(SeqNo::new(1000)));
    assert_eq!(index.covering(&2500_u64.to_be_bytes(), SeqNo::new(10)), Some(SeqNo::new(10)));
}
