//! What is particular to the tree: what its nodes do as they fill, and that it answers as the skip list does, the older
//! one by other hands. What holds for every memtable is in `tests/conformance`.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use slice_types::{EntryIterator, EntryKind, SeqNo, Trailer};

use super::BTreeMemTable;
use super::leaf::SLOTS;
use crate::{MemTable, SkipListMemTable};

fn put(n: u64) -> Trailer {
    Trailer::new(SeqNo::new(n), EntryKind::Put)
}

/// All keys of a table, forward and backward.
fn keys(table: &Arc<BTreeMemTable>) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut iter, mut forward, mut backward) = (table.iter(), Vec::new(), Vec::new());
    iter.seek_to_first().unwrap();
    while let Some(entry) = iter.entry() {
        forward.push(entry.key.to_vec());
        iter.next().unwrap();
    }
    iter.seek_to_last().unwrap();
    while let Some(entry) = iter.entry() {
        backward.push(entry.key.to_vec());
        iter.prev().unwrap();
    }
    backward.reverse();
    (forward, backward)
}

/// Inserts these keys one by one, then looks for each and scans them all.
fn check(keys_in_turn: Vec<Vec<u8>>) {
    let table = Arc::new(BTreeMemTable::new());
    for (n, key) in (1..).zip(&keys_in_turn) {
        table.insert(key, put(n), key);
    }
    let mut sorted = keys_in_turn;
    sorted.sort();
    for key in &sorted {
        assert_eq!(table.get(key, SeqNo::MAX).map(|(_, value)| value), Some(key.clone().into()), "{key:?}");
        let near = [key, &b"\0"[..]].concat();
        assert_eq!(table.get(&near, SeqNo::MAX).is_some(), sorted.binary_search(&near).is_ok());
    }
    let (forward, backward) = keys(&table);
    assert_eq!(forward, sorted);
    assert_eq!(backward, sorted);
}

const MANY: u64 = 5000;

#[test]
fn keys_that_ascend_fill_their_leaves() {
    check((0..MANY).map(|n| n.to_be_bytes().to_vec()).collect());
    let table = BTreeMemTable::new();
    for n in 0..MANY {
        table.insert(&n.to_be_bytes(), put(n), b"");
    }
    let leaves = u64::from(table.writer.lock().unwrap().leaves());
    // As many again for those at the end that were made anew once what they skip was known.
    assert!(leaves < 2 * MANY.div_ceil(SLOTS as u64) + 64, "{leaves} leaves");
}

/// Keys in no order, and how many leaves that took.
fn leaves_of_shuffled_keys(table: &BTreeMemTable) -> u64 {
    for n in 0..MANY {
        table.insert(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), put(n), b"");
    }
    u64::from(table.writer.lock().unwrap().leaves())
}

#[test]
fn leaves_that_were_replaced_are_used_again_while_nobody_reads() {
    let (alone, read) = (BTreeMemTable::new(), BTreeMemTable::new());
    let in_use = leaves_of_shuffled_keys(&alone);
    let _visit = read.visitors.enter();
    let all = leaves_of_shuffled_keys(&read);
    assert!(in_use < MANY / (SLOTS as u64 / 2), "{in_use} leaves");
    assert!(all > in_use * 3 / 2, "{all} leaves with a reader, {in_use} without");
}

#[test]
fn keys_that_descend_are_found() {
    check((0..MANY).rev().map(|n| n.to_be_bytes().to_vec()).collect());
}

#[test]
fn keys_in_no_order_are_found() {
    check((0..MANY).map(|n| (n * 2_654_435_761 % (1 << 32)).to_be_bytes().to_vec()).collect());
}

#[test]
fn keys_that_agree_in_many_bytes_are_found() {
    let key = |n: u64| format!("https://example.org/a/long/way/to/{:09}", n * 7919 % 100_003).into_bytes();
    check((0..MANY).map(key).collect());
}

#[test]
fn a_key_that_begins_otherwise_comes_late() {
    let long = |n: u64| format!("the same for all of them {n:05}").into_bytes();
    for late in ["", "a", "the", "the same for all of them ", "the same for all of them 3", "z"] {
        let keys = (0..300).map(long).chain([late.as_bytes().to_vec()]).chain((300..600).map(long));
        check(keys.collect());
    }
}

#[test]
fn each_key_is_a_prefix_of_the_next_or_the_other_way_round() {
    check((0..200).map(|n| vec![b'k'; n]).collect());
    check((0..200).rev().map(|n| vec![b'k'; n]).collect());
    check((0..200).map(|n| vec![0; n]).collect());
}

#[test]
fn versions_of_one_key_go_over_many_leaves() {
    let table = Arc::new(BTreeMemTable::new());
    for n in 1..=MANY {
        table.insert(b"before", put(3 * n), b"");
        table.insert(b"key", put(3 * n + 1), &n.to_le_bytes());
        table.insert(b"later", put(3 * n + 2), b"");
    }
    for n in 1..=MANY {
        for at in [3 * n + 1, 3 * n + 3] {
            let (trailer, value) = table.get(b"key", SeqNo::new(at)).unwrap();
            assert_eq!((trailer, &value[..]), (put(3 * n + 1), &n.to_le_bytes()[..]));
        }
    }
    assert!(table.get(b"key", SeqNo::new(3)).is_none());
}

#[test]
fn an_older_version_that_comes_later_does_not_hide_the_newer() {
    let table = BTreeMemTable::new();
    for n in (1..=MANY).rev() {
        table.insert(b"key", put(n), b"");
    }
    for n in 1..=MANY {
        assert_eq!(table.get(b"key", SeqNo::new(n)).unwrap().0, put(n));
    }
}

#[test]
fn an_entry_that_comes_again_changes_nothing() {
    let table = BTreeMemTable::new();
    for _ in 0..2 {
        for n in 0..MANY {
            table.insert(&n.to_be_bytes(), put(n), b"first");
        }
    }
    table.insert(b"", put(3), b"one");
    table.insert(b"", put(3), b"two");
    assert_eq!(table.len() as u64, MANY + 1);
    assert_eq!(table.get(b"", SeqNo::MAX).unwrap().1, "one");
}

#[test]
fn a_value_is_shared_once_its_piece_of_the_chunk_is_full() {
    let table = BTreeMemTable::new();
    for n in 0..2000 {
        table.insert(&u64::to_be_bytes(n), put(n), &[7; 1000]);
    }
    let place = |n: u64| table.get(&n.to_be_bytes(), SeqNo::MAX).unwrap().1.as_ptr();
    assert_eq!(place(500), place(500));
    table.insert(b"large", put(2000), &vec![7; 100_000]);
    let large = || table.get(b"large", SeqNo::MAX).unwrap().1;
    assert_eq!(large().as_ptr(), large().as_ptr());
}

/// A step in the lives of a tree and a skip list.
#[derive(Clone, Debug)]
enum Step {
    /// So many keys from one on, so far apart, in order.
    Run {
        prefix: u8,
        from: u16,
        by: u16,
        count: u16,
    },
    /// One key, with a number that is lower than the last by so many.
    Put {
        key: Vec<u8>,
        back: u64,
    },
    Delete(Vec<u8>),
    Get(Vec<u8>, u64),
    Seek(Vec<u8>),
    SeekForPrev(Vec<u8>),
}

fn some_keys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => (any::<u8>(), any::<u16>()).prop_map(|(prefix, n)| key_of(prefix, n)),
        1 => vec(prop_oneof![Just(0_u8), Just(b'k'), Just(255)], 0..20),
    ]
}

/// Keys with a long front, of which there are three.
fn key_of(prefix: u8, n: u16) -> Vec<u8> {
    [&[prefix % 3; 11][..], &n.to_be_bytes()].concat()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let run = (any::<u8>(), any::<u16>(), 0..9_u16, 0..200_u16);
    let step = prop_oneof![
        3 => run.prop_map(|(prefix, from, by, count)| Step::Run { prefix, from, by, count }),
        4 => (some_keys(), prop_oneof![3 => Just(0), 1 => 0..50_u64]).prop_map(|(key, back)| Step::Put { key, back }),
        1 => some_keys().prop_map(Step::Delete),
        2 => (some_keys(), any::<u64>()).prop_map(|(key, at)| Step::Get(key, at)),
        1 => some_keys().prop_map(Step::Seek),
        1 => some_keys().prop_map(Step::SeekForPrev),
    ];
    vec(step, 0..60)
}

/// A tree and a skip list with the same entries.
#[derive(Default)]
struct Both {
    tree: Arc<BTreeMemTable>,
    list: Arc<SkipListMemTable>,
    seqno: u64,
}

impl Both {
    fn insert(&mut self, key: &[u8], seqno: u64, kind: EntryKind) {
        let (trailer, value) = (Trailer::new(SeqNo::new(seqno), kind), seqno.to_le_bytes());
        self.tree.insert(key, trailer, &value);
        self.list.insert(key, trailer, &value);
        assert_eq!(self.tree.len(), self.list.len());
    }

    fn put(&mut self, key: &[u8]) {
        self.seqno += 1;
        self.insert(key, self.seqno, EntryKind::Put);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Run { prefix, from, by, count } => {
                (0..*count).for_each(|n| self.put(&key_of(*prefix, from.wrapping_add(n.wrapping_mul(*by)))));
            }
            Step::Put { key, back: 0 } => self.put(key),
            Step::Put { key, back } => self.insert(key, self.seqno.saturating_sub(*back), EntryKind::Put),
            Step::Delete(key) => {
                self.seqno += 1;
                self.insert(key, self.seqno, EntryKind::Delete);
            }
            Step::Get(key, at) => {
                let at = SeqNo::new(at % (self.seqno + 2));
                assert_eq!(self.tree.get(key, at), self.list.get(key, at), "of {key:?} at {at:?}");
            }
            Step::Seek(key) => {
                self.seek(|iter| iter.seek(key, Trailer::FIRST), |iter| iter.seek(key, Trailer::FIRST));
            }
            Step::SeekForPrev(key) => self.seek(
                |iter| iter.seek_for_prev(key, Trailer::LAST),
                |iter| iter.seek_for_prev(key, Trailer::LAST),
            ),
        }
    }

    /// Goes to a place in both, then 50 forward and 100 back.
    fn seek(
        &self,
        in_tree: impl FnOnce(&mut super::BTreeIter) -> slice_types::Result<()>,
        in_list: impl FnOnce(&mut crate::skiplist::SkipListIter) -> slice_types::Result<()>,
    ) {
        let (mut tree, mut list) = (self.tree.iter(), self.list.iter());
        in_tree(&mut tree).unwrap();
        in_list(&mut list).unwrap();
        assert_eq!((tree.entry(), tree.shared()), (list.entry(), list.shared()));
        for n in 0..150 {
            if n < 50 {
                tree.next().unwrap();
                list.next().unwrap();
            } else {
                tree.prev().unwrap();
                list.prev().unwrap();
            }
            assert_eq!(tree.entry(), list.entry(), "{n} steps on");
        }
    }

    fn all(&self) {
        let (mut tree, mut list) = (self.tree.iter(), self.list.iter());
        tree.seek_to_first().unwrap();
        list.seek_to_first().unwrap();
        while list.entry().is_some() {
            assert_eq!(tree.entry(), list.entry());
            tree.next().unwrap();
            list.next().unwrap();
        }
        assert_eq!(tree.entry(), None);
        assert_eq!(self.tree.max_seqno(), self.list.max_seqno());
        assert_eq!(self.tree.tombstones(), self.list.tombstones());
    }
}

proptest! {
    /// In half of the runs the index gives up on the way, as if keys collided.
    #[test]
    fn it_answers_as_the_skip_list_does(steps in steps(), gives_up_at in 0..120_usize) {
        let mut both = Both::default();
        for (at, step) in steps.iter().enumerate() {
            if at == gives_up_at {
                both.tree.index.give_up();
            }
            both.take(step);
        }
        both.all();
    }
}
