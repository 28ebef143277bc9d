//! Reading a key as a tree is read: source after source, newest first, until something settles it.

use slice_types::{EntryKind, SeqNo};

use crate::common::Entry;

/// What a reader sees of a key: the operands, newest first, and the value that they apply to.
pub(crate) type Seen = (Vec<Vec<u8>>, Option<Vec<u8>>);

/// Reads a key at a sequence number. The sources are newest first, each in internal order. A source that settles the
/// key hides all later ones, so data in the wrong place shows.
pub(crate) fn read(sources: &[&[Entry]], key: &[u8], seqno: SeqNo) -> Seen {
    let mut operands = Vec::new();
    let of_key = sources.iter().flat_map(|source| {
        let start = source.partition_point(|entry| entry.key.as_slice() < key);
        source[start..].iter().take_while(|entry| entry.key == key)
    });
    for entry in of_key.filter(|entry| entry.trailer.seqno() <= seqno) {
        match entry.trailer.kind() {
            EntryKind::Put => return (operands, Some(entry.value.clone())),
            EntryKind::Delete => return (operands, None),
            _ => operands.push(entry.value.clone()),
        }
    }
    (operands, None)
}
