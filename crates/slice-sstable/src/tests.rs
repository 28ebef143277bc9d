//! The parts, each by itself: separators, fences, codecs, properties.

use bytes::Bytes;
use proptest::prelude::*;
use slice_types::coding::{put_bytes, put_varint};
use slice_types::{EntryKind, ErrorKind, SeqNo, Trailer, checksum_with, internal_cmp};

use crate::Compression;
use crate::codec::{self, BlockSeed, Sealer};
use crate::fence::Fences;
use crate::filter::FilterKind;
use crate::properties::{self, FilterProperties, TableProperties};
use crate::separator::separate;

fn separator(last: &[u8], next: &[u8]) -> Vec<u8> {
    let mut out = vec![b'?'; 3];
    separate(last, next, &mut out);
    out
}

#[test]
fn separators_are_short() {
    assert_eq!(separator(b"https://a.example/1", b"https://b.example/1"), b"https://b");
    assert_eq!(separator(b"abcdefgh", b"abz"), b"abd");
    assert_eq!(separator(b"abcdefgh", b"abd"), b"abce");
    assert_eq!(separator(b"ab\xff\xffxyz", b"ac"), b"ab\xff\xffy");
    assert_eq!(separator(b"ab\xff", b"ac"), b"ab\xff");
    assert_eq!(separator(b"ab", b"abc"), b"ab");
    assert_eq!(separator(b"", b"\x00"), b"");
}

#[test]
#[should_panic(expected = "nothing stands between")]
fn equal_keys_have_no_separator() {
    separator(b"a", b"a");
}

fn fence_keys() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ab\x00\xff".to_vec()), 0..11)
}

fn trailer(seqno: u64) -> Trailer {
    Trailer::new(SeqNo::new(seqno), EntryKind::Put)
}

proptest! {
    #[test]
    fn a_separator_stands_between(mut left in fence_keys(), mut right in fence_keys()) {
        prop_assume!(left != right);
        if left > right {
            std::mem::swap(&mut left, &mut right);
        }
        let between = separator(&left, &right);
        prop_assert!(left <= between && between < right);
        prop_assert!(between.len() <= left.len().max(right.len()));
    }

    #[test]
    fn fences_find_what_a_sorted_list_finds(
        prefix in fence_keys(),
        fences in prop::collection::btree_map(fence_keys(), 0..4_u64, 1..40),
        probes in prop::collection::vec((fence_keys(), 0..6_u64), 1..40),
        is_prefixed: bool,
    ) {
        // A key with n spans ends n blocks, and then stands before the next key.
        let mut list = Vec::new();
        for (key, spans) in &fences {
            let key = [prefix.as_slice(), key].concat();
            list.extend((1..=*spans).rev().map(|seqno| (key.clone(), Some(trailer(seqno)))));
            list.push((key, None));
        }
        let mut built = Fences::new(list.len(), 16);
        for (key, span) in &list {
            built.push(key, *span, 100).unwrap();
        }
        built.finish();
        for (key, seqno) in probes {
            let key = if is_prefixed { [prefix.as_slice(), &key].concat() } else { key };
            for target in [trailer(seqno), Trailer::FIRST, Trailer::LAST] {
                let expected = list.partition_point(|(fence, span)| {
                    internal_cmp((fence, span.unwrap_or(Trailer::LAST)), (&key, target)).is_lt()
                });
                prop_assert_eq!(built.find(&key, target), expected);
            }
        }
    }

    #[test]
    fn what_is_sealed_is_opened(raw in prop::collection::vec(0..4_u8, 0..3000)) {
        for compression in [Compression::None, Compression::Lz4] {
            let (mut stored, mut scratch) = (b"before".to_vec(), Vec::new());
            let len = Sealer::new(compression).seal(&raw, BlockSeed::new(0, 77), &mut stored).unwrap();
            prop_assert_eq!(len + 6, stored.len());
            prop_assert_eq!(codec::open(&stored[6..], BlockSeed::new(0, 77), &mut scratch).unwrap(), &raw[..]);
            prop_assert!(codec::open(&stored[6..], BlockSeed::new(0, 78), &mut scratch).is_err(), "a block of another place");
            prop_assert!(codec::open(&stored[6..], BlockSeed::new(1, 77), &mut scratch).is_err(), "a block of another table");
        }
    }

    #[test]
    fn no_bytes_with_a_right_checksum_make_a_codec_panic(payload: Vec<u8>, codec in 0..4_u8) {
        let _ = codec::open(&sealed(&payload, codec), BlockSeed::new(0, 0), &mut Vec::new());
    }
}

/// A stored block of any payload.
fn sealed(payload: &[u8], codec: u8) -> Bytes {
    let mut stored = [payload, &[codec]].concat();
    stored.extend_from_slice(&checksum_with(0, &stored).to_le_bytes());
    stored.into()
}

#[test]
fn fences_that_do_not_ascend_are_refused() {
    let mut fences = Fences::new(2, 16);
    fences.push(b"b", None, 10).unwrap();
    for (key, span) in [(b"a", None), (b"b", None), (b"b", Some(trailer(1)))] {
        assert_eq!(fences.push(key, span, 10).unwrap_err().kind(), ErrorKind::Corruption);
    }
    assert_eq!(fences.push(b"c", None, u64::MAX).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn a_raw_length_that_lz4_cannot_reach_is_refused_before_memory_is_taken() {
    let mut payload = 1_000_000_000_u32.to_le_bytes().to_vec();
    payload.extend_from_slice(&[0; 20]);
    let error = codec::open(&sealed(&payload, 1), BlockSeed::new(0, 0), &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains("claims 1000000000 raw bytes"), "{error}");
}

#[test]
fn a_raw_length_that_is_not_the_true_one_is_refused() {
    let raw = [7; 100];
    for claimed in [99_u32, 101] {
        let payload = [&claimed.to_le_bytes()[..], &lz4_flex::block::compress(&raw)].concat();
        assert_eq!(
            codec::open(&sealed(&payload, 1), BlockSeed::new(0, 0), &mut Vec::new()).unwrap_err().kind(),
            ErrorKind::Corruption,
            "{claimed}"
        );
    }
}

fn some_properties() -> (TableProperties, FilterProperties) {
    let mut table = TableProperties::empty(Compression::Lz4);
    table.entries = 1 << 40;
    table.smallest_key = Bytes::from_static(b"a");
    table.largest_key = Bytes::from_static(b"b");
    (table, FilterProperties { kind: FilterKind::Blocked, checksum: u64::MAX })
}

#[test]
fn properties_of_a_newer_build_are_skipped() {
    let (table, filter) = some_properties();
    let mut bytes = Vec::new();
    properties::encode(&table, filter, &mut bytes);
    put_varint(&mut bytes, 999);
    put_bytes(&mut bytes, b"what a later version has to say");
    assert_eq!(properties::decode(&bytes, 0).unwrap(), (table, filter));
}

#[test]
fn properties_cut_anywhere_or_out_of_order_are_refused() {
    let (table, filter) = some_properties();
    let mut bytes = Vec::new();
    properties::encode(&table, filter, &mut bytes);
    for len in 0..bytes.len() {
        let error = properties::decode(&bytes[..len], 0).expect_err("a property is missing");
        assert_eq!(error.kind(), ErrorKind::Corruption);
    }
    let twice = [bytes.as_slice(), &bytes].concat();
    assert_eq!(properties::decode(&twice, 0).unwrap_err().kind(), ErrorKind::Corruption);
}
