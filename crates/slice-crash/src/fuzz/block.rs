//! A data block: whatever decodes can be walked, searched and read everywhere.

use bytes::Bytes;
use slice::sstable::Block;
use slice::sstable::block::{BlockBuilder, BlockCursor};
use slice_types::{EntryKind, EntryRef, SeqNo, Trailer};

pub(super) fn run(bytes: &[u8]) {
    let Ok(block) = Block::decode(Bytes::copy_from_slice(bytes)) else { return };
    let mut keys = Vec::new();
    for i in 0..block.count() {
        let mut key = Vec::new();
        block.key_into(i, &mut key);
        assert_eq!(block.value(i), block.value_bytes(i));
        assert!(block.has_key(i, &key));
        // The keys need not be in order: a search may find anything, but in the block.
        assert!(block.lower_bound(&key, block.trailer(i)) <= block.count());
        assert!(block.upper_bound(&key, block.trailer(i)) <= block.count());
        keys.push(key);
    }
    walk(&block, &keys);
}

/// A cursor shows the same as direct access, in both directions.
fn walk(block: &Block, keys: &[Vec<u8>]) {
    let mut cursor = BlockCursor::new();
    cursor.enter(block.clone(), 0);
    for (i, key) in keys.iter().enumerate() {
        let entry = cursor.entry().expect("as many entries as the block counts");
        assert_eq!((entry.key, entry.trailer, entry.value), (&key[..], block.trailer(i), block.value(i)));
        assert_eq!(cursor.next_in_block(), i + 1 < keys.len());
    }
    cursor.enter(block.clone(), keys.len() - 1);
    for (i, key) in keys.iter().enumerate().rev() {
        assert_eq!(cursor.entry().map(|entry| entry.key), Some(&key[..]));
        assert_eq!(cursor.prev_in_block(), i > 0);
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    vec![
        block_of(&[(b"a", EntryKind::Put, b"1")]),
        block_of(&[
            (b"key1", EntryKind::Put, b"one"),
            (b"key2", EntryKind::Delete, b""),
            (b"key30", EntryKind::Put, &[7; 300]),
        ]),
        block_of(&[(b"", EntryKind::Put, b""), (b"\xff\xff", EntryKind::Merge, b"x")]),
    ]
}

/// A block of these entries, which are in order.
pub(super) fn block_of(entries: &[(&[u8], EntryKind, &[u8])]) -> Vec<u8> {
    let mut builder = BlockBuilder::new();
    for ((key, kind, value), seqno) in entries.iter().zip(1..) {
        builder.add(EntryRef::new(key, Trailer::new(SeqNo::new(seqno), *kind), value));
    }
    let mut block = Vec::new();
    builder.finish(&mut block);
    block
}
