//! The bytes of format version 1, as files of this repository: they must be read for ever, and written the same.

use slice_sstable::{Compression, IterOptions, TableOptions};
use slice_types::{EntryIterator, EntryKind};

use crate::support::{Entry, Files, build, in_order, open};

fn entries() -> Vec<Entry> {
    let mut entries: Vec<_> = (0..8_u64)
        .map(|n| Entry::put(format!("golden key {n}"), 100 + n, format!("value {n} ").repeat(8)))
        .collect();
    entries.extend(
        (0..4).map(|n| Entry::new("golden key 3", 200 + n, EntryKind::Merge, "an operand of a merge")),
    );
    entries.push(Entry::new("golden key 5", 300, EntryKind::Delete, ""));
    entries.push(Entry::new("golden key 6", 301, EntryKind::RangeDelete, "golden key 7"));
    entries.push(Entry::put("", 1, "of the empty key"));
    in_order(entries)
}

fn uncompressed() -> Files {
    Files {
        data: include_bytes!("golden/v1_none.db").to_vec(),
        index: include_bytes!("golden/v1_none.idx").to_vec(),
        filter: include_bytes!("golden/v1_none.bloom").to_vec(),
    }
}

fn compressed() -> Files {
    Files {
        data: include_bytes!("golden/v1_lz4.db").to_vec(),
        index: include_bytes!("golden/v1_lz4.idx").to_vec(),
        filter: include_bytes!("golden/v1_lz4.bloom").to_vec(),
    }
}

#[test]
fn version_1_is_read() {
    for files in [uncompressed(), compressed()] {
        let table = open(&files).unwrap();
        table.verify().unwrap();
        let mut iter = table.iter(IterOptions::default());
        iter.seek_to_first().unwrap();
        for entry in entries() {
            assert_eq!(iter.entry(), Some(entry.as_ref()));
            iter.next().unwrap();
        }
        assert_eq!(iter.entry(), None);
    }
}

/// Only without compression: a compressor may find a shorter way, and its output stays readable.
#[test]
fn version_1_is_written_byte_for_byte() {
    let options = TableOptions { block_size: 256, compression: Compression::None, filter_bits_per_key: 10.0 };
    let (files, _) = build(&entries(), options);
    let golden = uncompressed();
    assert_eq!(files.data, golden.data);
    assert_eq!(files.index, golden.index);
    assert_eq!(files.filter, golden.filter);
}
