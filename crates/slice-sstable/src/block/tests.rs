//! Blocks by themselves: what goes in comes out, and nonsense is refused or harmless.

use bytes::Bytes;
use proptest::prelude::*;
use slice_types::{EntryKind, EntryRef, ErrorKind, SeqNo, Trailer};

use super::column::Column;
use super::{Block, BlockBuilder, BlockCursor, HEADER_LEN};

type Owned = (Vec<u8>, Trailer, Vec<u8>);

fn encode(entries: &[Owned]) -> Vec<u8> {
    let mut builder = BlockBuilder::new();
    for (key, trailer, value) in entries {
        builder.add(EntryRef::new(key, *trailer, value));
    }
    let mut out = Vec::new();
    builder.finish(&mut out);
    out
}

fn decode(bytes: &[u8]) -> slice_types::Result<Block> {
    Block::decode(Bytes::copy_from_slice(bytes))
}

/// Touches everything that a block gives access to.
fn walk(block: Block) -> Vec<Owned> {
    let mut cursor = BlockCursor::new();
    cursor.enter(block, 0);
    let mut seen = Vec::new();
    while let Some(entry) = cursor.entry() {
        seen.push((entry.key.to_vec(), entry.trailer, entry.value.to_vec()));
        assert_eq!(cursor.value_bytes().as_deref(), Some(entry.value));
        if !cursor.next_in_block() {
            break;
        }
    }
    seen
}

fn put(seqno: u64) -> Trailer {
    Trailer::new(SeqNo::new(seqno), EntryKind::Put)
}

fn entries() -> impl Strategy<Value = Vec<Owned>> {
    let kind = prop::sample::select(vec![EntryKind::Delete, EntryKind::Put]);
    let seqno = prop_oneof![0..4_u64, 0..=SeqNo::MAX.get()];
    let trailer = (seqno, kind).prop_map(|(n, kind)| Trailer::new(SeqNo::new(n), kind));
    let key = prop::collection::vec(prop::sample::select(b"ab\x00\xff".to_vec()), 0..12);
    let value = prop_oneof![4 => prop::collection::vec(any::<u8>(), 0..10), 1 => Just(vec![1; 70_000])];
    prop::collection::vec((key, trailer, value), 1..30).prop_map(|mut entries| {
        entries.sort_by(|l, r| slice_types::internal_cmp((&l.0, l.1), (&r.0, r.1)));
        entries.dedup_by(|l, r| (&l.0, l.1) == (&r.0, r.1));
        entries
    })
}

proptest! {
    #[test]
    fn a_block_gives_back_what_was_added(entries in entries()) {
        prop_assert_eq!(walk(decode(&encode(&entries)).unwrap()), entries);
    }

    #[test]
    fn an_altered_block_is_refused_or_harmless(
        entries in entries(), at: prop::sample::Index, mask in 1_u8.., cut: prop::sample::Index, is_cut: bool,
    ) {
        let mut bytes = encode(&entries);
        // Mostly the header: that is where lengths are.
        let reach = bytes.len().min(HEADER_LEN + 200);
        bytes[at.index(reach)] ^= mask;
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        match decode(&bytes) {
            Err(e) => prop_assert_eq!(e.kind(), ErrorKind::Corruption),
            Ok(block) => {
                block.lower_bound(b"ab", Trailer::FIRST);
                block.upper_bound(b"ab", Trailer::LAST);
                prop_assert_eq!(walk(block.clone()).len(), block.count());
            }
        }
    }

    #[test]
    fn random_bytes_are_refused_or_harmless(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(block) = decode(&bytes) {
            walk(block);
        }
    }

    #[test]
    fn a_column_gives_back_its_numbers(numbers in prop::collection::vec(any::<u64>(), 1..40), lengths in prop::collection::vec(0..70_000_u32, 1..40)) {
        let trailers = Column { start: 0, ..Column::of_trailers(&numbers) };
        let mut out = Vec::new();
        trailers.write(numbers.iter().copied(), &mut out);
        prop_assert_eq!(out.len(), trailers.len(numbers.len()));
        let read: Vec<_> = (0..numbers.len()).map(|i| trailers.get(&out, i)).collect();
        prop_assert_eq!(read, numbers);

        let sums: Vec<u32> = lengths.iter().scan(0, |sum, len| { *sum += len; Some(*sum) }).collect();
        let ends = Column::of_ends(&sums);
        let mut out = Vec::new();
        ends.write(sums.iter().copied().map(u64::from), &mut out);
        let read: Vec<_> = (0..sums.len()).map(|i| ends.get(&out, i)).collect();
        prop_assert_eq!(read, sums.into_iter().map(u64::from).collect::<Vec<_>>());
    }
}

#[test]
fn keys_of_one_length_and_neighbouring_seqnos_cost_next_to_nothing() {
    let entries: Vec<_> =
        (0..100_u64).map(|n| (format!("key {n:03}").into_bytes(), put(1_000_000 + n), vec![0; 10])).collect();
    let bytes = encode(&entries);
    // "key 0" once; two digits, a value and one byte of trailer an entry.
    assert_eq!(bytes.len(), HEADER_LEN + 5 + 100 * (2 + 10 + 1));
}

#[test]
fn a_builder_starts_afresh_after_each_block() {
    let mut builder = BlockBuilder::new();
    let mut first = Vec::new();
    for out in [&mut first, &mut Vec::new()] {
        assert!(builder.is_empty());
        builder.add(EntryRef::new(b"key", put(1), b"value"));
        assert_eq!(builder.count(), 1);
        builder.finish(out);
        assert_eq!(walk(decode(out).unwrap()), [(b"key".to_vec(), put(1), b"value".to_vec())]);
    }
}

#[test]
fn a_count_beyond_the_length_is_refused_before_it_is_walked() {
    // Four billion entries of no bytes at all: the columns are zero bytes wide.
    let mut bytes = [0; HEADER_LEN];
    bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    bytes[20] = EntryKind::Put as u8;
    let error = decode(&bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains("4294967295 entries in 28 bytes"), "{error}");
}

#[test]
fn a_cursor_does_not_leave_its_block_by_moving() {
    let entries = [(b"a".to_vec(), put(1), vec![1]), (b"b".to_vec(), put(1), vec![2])];
    let mut cursor = BlockCursor::new();
    assert!(!cursor.next_in_block() && !cursor.prev_in_block() && cursor.entry().is_none());
    cursor.enter(decode(&encode(&entries)).unwrap(), 1);
    assert!(!cursor.next_in_block());
    assert_eq!(cursor.entry().unwrap().key, b"b");
    assert!(cursor.prev_in_block() && !cursor.prev_in_block());
    assert_eq!(cursor.entry().unwrap().key, b"a");
    assert_eq!(cursor.leave().unwrap().count(), 2);
    assert!(cursor.entry().is_none());
}
