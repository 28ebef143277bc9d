//! A table answers as a sorted list does: every lookup at every sequence number, and every walk of an iterator.
//!
//! Few keys and many versions, so that versions span blocks; block sizes from one byte (an entry a block) up.

use proptest::prelude::*;
use slice_sstable::{BlockStore, CachePolicy, Compression, IterOptions, ReadMode, Table, TableOptions};
use slice_types::{EntryIterator, EntryKind, SeqNo, Trailer, internal_cmp};

use crate::support::{Entry, in_order, table};

const MAX_SEQNO: u64 = 12;

fn kinds() -> impl Strategy<Value = EntryKind> {
    prop_oneof![
        Just(EntryKind::Put),
        Just(EntryKind::Delete),
        Just(EntryKind::Merge),
        Just(EntryKind::RangeDelete)
    ]
}

/// Keys that share much, are prefixes of each other, and end in the lowest and highest bytes.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    let letters = prop::sample::select(vec![0x00, 0x01, b'a', b'b', 0xfe, 0xff]);
    let free = prop::collection::vec(letters, 0..4);
    let long = (0_u8..4).prop_map(|n| [b"a long shared prefix".as_slice(), &[n]].concat());
    prop_oneof![3 => free, 1 => long]
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let value = prop_oneof![prop::collection::vec(any::<u8>(), 0..8), Just(vec![7; 100])];
    let entry = (keys(), 0..=MAX_SEQNO, kinds(), value)
        .prop_map(|(key, seqno, kind, value)| Entry::new(key, seqno, kind, value));
    prop::collection::vec(entry, 1..80).prop_map(in_order)
}

fn options() -> impl Strategy<Value = TableOptions> {
    let codec = prop::sample::select(codecs());
    let bits = prop_oneof![Just(0.0), Just(10.0)];
    (prop_oneof![Just(1), Just(60), Just(150), Just(400), Just(4096)], codec, bits).prop_map(
        |(block_size, compression, filter_bits_per_key)| TableOptions {
            block_size,
            compression,
            filter_bits_per_key,
        },
    )
}

fn codecs() -> Vec<Compression> {
    vec![
        Compression::None,
        Compression::Lz4,
        #[cfg(feature = "zstd")]
        Compression::Zstd,
    ]
}

fn iter_options() -> impl Strategy<Value = IterOptions> {
    let policy = prop_oneof![Just(CachePolicy::Fill), Just(CachePolicy::Bypass), Just(CachePolicy::Scan)];
    let readahead = prop_oneof![Just(0), Just(100), Just(1 << 20)];
    (policy, readahead).prop_map(|(cache_policy, readahead_bytes)| IterOptions {
        cache_policy,
        readahead_bytes,
        mode: ReadMode::Wait,
    })
}

#[derive(Clone, Debug)]
enum Move {
    First,
    Last,
    Seek(Vec<u8>, Trailer),
    SeekForPrev(Vec<u8>, Trailer),
    Next,
    Prev,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let trailers = || {
        prop_oneof![
            Just(Trailer::FIRST),
            Just(Trailer::LAST),
            (0..=MAX_SEQNO).prop_map(|n| Trailer::seek(SeqNo::new(n))),
            (0..=MAX_SEQNO, kinds()).prop_map(|(n, kind)| Trailer::new(SeqNo::new(n), kind)),
        ]
    };
    let one = prop_oneof![
        1 => Just(Move::First),
        1 => Just(Move::Last),
        3 => (keys(), trailers()).prop_map(|(key, trailer)| Move::Seek(key, trailer)),
        3 => (keys(), trailers()).prop_map(|(key, trailer)| Move::SeekForPrev(key, trailer)),
        8 => Just(Move::Next),
        8 => Just(Move::Prev),
    ];
    prop::collection::vec(one, 1..60)
}

/// The iterator of the model: a place in a sorted list, or none.
struct Model<'a> {
    entries: &'a [Entry],
    at: Option<usize>,
}

impl Model<'_> {
    fn apply(&mut self, step: &Move) {
        let before = |key: &[u8], trailer| {
            self.entries.partition_point(|e| internal_cmp((&e.key, e.trailer), (key, trailer)).is_lt())
        };
        let up_to = |key: &[u8], trailer| {
            self.entries.partition_point(|e| internal_cmp((&e.key, e.trailer), (key, trailer)).is_le())
        };
        self.at = match step {
            Move::First => Some(0),
            Move::Last => self.entries.len().checked_sub(1),
            Move::Seek(key, trailer) => Some(before(key, *trailer)),
            Move::SeekForPrev(key, trailer) => up_to(key, *trailer).checked_sub(1),
            Move::Next => self.at.map(|at| at + 1),
            Move::Prev => self.at.and_then(|at| at.checked_sub(1)),
        };
        self.at = self.at.filter(|&at| at < self.entries.len());
    }
}

fn apply(iter: &mut impl EntryIterator, step: &Move) {
    match step {
        Move::First => iter.seek_to_first(),
        Move::Last => iter.seek_to_last(),
        Move::Seek(key, trailer) => iter.seek(key, *trailer),
        Move::SeekForPrev(key, trailer) => iter.seek_for_prev(key, *trailer),
        Move::Next => iter.next(),
        Move::Prev => iter.prev(),
    }
    .unwrap();
}

fn expected<'a>(entries: &'a [Entry], key: &[u8], at: SeqNo) -> Option<(Trailer, &'a [u8])> {
    let newest = entries.iter().find(|e| e.key == key && e.trailer.seqno() <= at)?;
    Some((newest.trailer, &newest.value))
}

fn check_get<S: BlockStore>(table: &Table<S>, entries: &[Entry], key: &[u8]) {
    for at in (0..=MAX_SEQNO + 1).map(SeqNo::new) {
        let found = table.get(key, at, ReadMode::Wait).unwrap();
        let found = found.as_ref().map(|(trailer, value)| (*trailer, &value[..]));
        assert_eq!(found, expected(entries, key, at), "{} at {at}", key.escape_ascii());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_lookup_finds_what_a_sorted_list_finds(
        entries in entries(), options in options(), absent in prop::collection::vec(keys(), 0..20),
    ) {
        let table = table(&entries, options);
        for key in entries.iter().map(|e| &e.key).chain(&absent) {
            check_get(&table, &entries, key);
        }
        table.verify().unwrap();
    }

    #[test]
    fn a_walk_stands_where_a_sorted_list_says(
        entries in entries(), options in options(), iter_options in iter_options(), moves in moves(),
    ) {
        let table = table(&entries, options);
        let mut iter = table.iter(iter_options);
        let mut model = Model { entries: &entries, at: None };
        for step in &moves {
            apply(&mut iter, step);
            model.apply(step);
            let wanted = model.at.map(|at| entries[at].as_ref());
            prop_assert_eq!(iter.entry(), wanted, "after {:?}", step);
            let value = iter.value_bytes();
            prop_assert_eq!(value.as_deref(), wanted.map(|entry| entry.value));
        }
    }

    #[test]
    fn split_keys_ascend_and_end_at_the_largest_key(entries in entries(), options in options()) {
        let table = table(&entries, options);
        let keys: Vec<_> = table.split_keys().collect();
        prop_assert!(keys.is_sorted());
        prop_assert_eq!(keys.len() as u64, table.properties().blocks);
        prop_assert_eq!(keys.last().copied(), entries.last().map(|e| &e.key[..]));
    }

    #[test]
    fn offsets_ascend_with_the_keys_and_stay_inside_the_file(
        entries in entries(), options in options(), mut probes in prop::collection::vec(keys(), 1..20),
    ) {
        let table = table(&entries, options);
        probes.sort();
        let offsets: Vec<_> = probes.iter().map(|key| table.approximate_offset(key)).collect();
        prop_assert!(offsets.is_sorted());
        prop_assert!(offsets.iter().all(|&offset| offset <= table.properties().data_bytes));
    }
}
