//! What damage does to a table: an error that names the file, or the right answer. Never a wrong one, never a panic.

use std::path::Path;

use slice_sstable::{Compression, IterOptions, ReadMode, TableOptions};
use slice_types::{EntryIterator, EntryKind, Error, ErrorKind, Result, SeqNo, checksum};

use crate::support::{DATA, Entry, FILTER, Files, INDEX, build, in_order, open};

/// A table of some blocks with every kind of entry, versions that span blocks, and values that compress.
fn entries() -> Vec<Entry> {
    let mut entries: Vec<_> =
        (0..12_u64).map(|n| Entry::put(format!("key {n:03}"), n, vec![n as u8; 40])).collect();
    entries.extend((20..26).map(|n| Entry::new("key 005", n, EntryKind::Merge, "operand")));
    entries.push(Entry::new("key 007", 30, EntryKind::Delete, ""));
    entries.push(Entry::new("key 008", 31, EntryKind::RangeDelete, "key 010"));
    in_order(entries)
}

fn options(compression: Compression) -> TableOptions {
    TableOptions { block_size: 200, compression, filter_bits_per_key: 10.0 }
}

/// Everything that can be asked of a table. Answers are compared with `entries`; an error ends it.
fn ask_everything(files: &Files, entries: &[Entry]) -> Result<()> {
    let table = open(files)?;
    let mut first_error = Ok(());
    for entry in entries {
        match table.get(&entry.key, entry.trailer.seqno(), ReadMode::Wait) {
            Ok(found) => assert_eq!(found.unwrap().1, &entry.value[..], "a wrong value was served"),
            Err(e) => first_error = first_error.and(Err(e)),
        }
        assert!(table.may_contain(slice_types::hash_key(&entry.key)), "the filter lost a key");
    }
    let mut iter = table.iter(IterOptions::default());
    iter.seek_to_first()?;
    let mut seen = 0;
    while let Some(entry) = iter.entry() {
        assert_eq!(Entry::from_ref(entry), entries[seen], "a wrong entry was served");
        seen += 1;
        iter.next()?;
    }
    assert_eq!(seen, entries.len());
    first_error?;
    table.verify()
}

fn assert_names(error: &Error, file: &str, what: &str) {
    assert_eq!(error.file(), Some(Path::new(file)), "{what}: {error}");
}

/// The part of `files` that lies in the file of this name.
fn bytes_of<'a>(files: &'a mut Files, file: &str) -> &'a mut Vec<u8> {
    match file {
        DATA => &mut files.data,
        INDEX => &mut files.index,
        _ => &mut files.filter,
    }
}

fn check_all_flips(compression: Compression) {
    let entries = entries();
    let (intact, properties) = build(&entries, options(compression));
    assert!(properties.blocks > 3);
    ask_everything(&intact, &entries).unwrap();
    for file in [DATA, INDEX, FILTER] {
        for at in 0..bytes_of(&mut intact.clone(), file).len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut files = intact.clone();
                bytes_of(&mut files, file)[at] ^= mask;
                let what = format!("{file}: byte {at} flipped by {mask:#x}");
                let error = ask_everything(&files, &entries).expect_err(&what);
                assert_names(&error, file, &what);
                let is_version = (8..12).contains(&at);
                assert!(
                    error.kind() == ErrorKind::Corruption
                        || is_version && error.kind() == ErrorKind::Unsupported,
                    "{what}: {error}"
                );
            }
        }
    }
}

#[test]
fn every_flipped_byte_is_an_error_that_names_the_file() {
    check_all_flips(Compression::None);
    check_all_flips(Compression::Lz4);
    #[cfg(feature = "zstd")]
    check_all_flips(Compression::Zstd);
}

#[test]
fn every_truncation_is_found_when_the_table_is_opened() {
    let (intact, _) = build(&entries(), options(Compression::Lz4));
    for file in [DATA, INDEX, FILTER] {
        for len in 0..bytes_of(&mut intact.clone(), file).len() {
            let mut files = intact.clone();
            bytes_of(&mut files, file).truncate(len);
            let what = format!("{file}: cut to {len} bytes");
            let error = open(&files).expect_err(&what);
            assert_eq!(error.kind(), ErrorKind::Corruption, "{what}: {error}");
            assert_names(&error, file, &what);
        }
    }
}

#[test]
fn bytes_behind_the_end_are_found_when_the_table_is_opened() {
    let (intact, _) = build(&entries(), options(Compression::Lz4));
    for file in [DATA, INDEX, FILTER] {
        let mut files = intact.clone();
        bytes_of(&mut files, file).push(0);
        let error = open(&files).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::Corruption);
        assert_names(&error, file, "one byte more");
    }
}

#[test]
fn a_filter_of_another_table_is_refused_before_it_loses_a_key() {
    let (mut files, _) = build(&entries(), options(Compression::Lz4));
    let other = in_order((0..19).map(|n| Entry::put(format!("other {n:02}"), n, "")).collect());
    let (others, _) = build(&other, options(Compression::Lz4));
    assert_eq!(files.filter.len(), others.filter.len(), "the length alone would tell them apart");
    files.filter = others.filter;
    let error = open(&files).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert_names(&error, FILTER, "swapped");
}

#[test]
fn damage_to_a_block_names_its_offset_and_leaves_the_others_readable() {
    let entries = entries();
    let (mut files, _) = build(&entries, options(Compression::None));
    let table = open(&files).unwrap();
    let last_block = table.approximate_offset(&entries.last().unwrap().key);
    files.data[last_block as usize + 30] ^= 1;
    let table = open(&files).unwrap();
    let error = table.get(&entries.last().unwrap().key, SeqNo::MAX, ReadMode::Wait).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corruption, Some(last_block)));
    assert_names(&error, DATA, "flipped");
    assert!(table.get(&entries[0].key, SeqNo::MAX, ReadMode::Wait).unwrap().is_some());
    assert_eq!(table.verify().unwrap_err().offset(), Some(last_block));
}

/// The checksum vouches for what a builder wrote. Here it vouches for nonsense, as a bug elsewhere might make it.
#[test]
fn nonsense_with_a_right_checksum_never_panics() {
    let entries = entries();
    let (intact, _) = build(&entries, options(Compression::None));
    let survivors = (0..intact.index.len() - 8)
        .flat_map(|at| [0x01, 0x80, 0xff].map(|mask| (at, mask)))
        .filter(|&(at, mask)| {
            let mut files = intact.clone();
            files.index[at] ^= mask;
            seal(&mut files.index);
            open(&files).is_ok_and(|table| {
                for entry in &entries {
                    let _ = table.get(&entry.key, entry.trailer.seqno(), ReadMode::Wait);
                }
                table.verify().is_ok()
            })
        })
        .count();
    // What is left is still true: another codec asked for, with all blocks stored raw; and two trailers of a span
    // that stand between the same two entries as before.
    assert_eq!(survivors, 3);
}

/// Replaces bytes that occur once in the index, and makes its checksum right again.
fn alter_index(files: &mut Files, from: &[u8], to: &[u8]) {
    let places: Vec<_> = (0..files.index.len()).filter(|&at| files.index[at..].starts_with(from)).collect();
    let &[at] = places.as_slice() else { panic!("{places:?}") };
    files.index.splice(at..at + from.len(), to.iter().copied());
    seal(&mut files.index);
}

#[test]
fn a_count_that_is_not_true_is_found_by_verifying() {
    let (mut files, properties) = build(&entries(), options(Compression::Lz4));
    assert_eq!((properties.tombstones, properties.range_deletes), (1, 1));
    // Tags 2 and 3, a byte each: one delete and one range delete become none and two.
    alter_index(&mut files, &[2, 1, 1, 3, 1, 1], &[2, 1, 0, 3, 1, 2]);
    let error = open(&files).unwrap().verify().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains("the index says"), "{error}");
}

#[test]
fn a_largest_key_that_is_not_the_last_fence_is_found_when_the_table_is_opened() {
    let (mut files, _) = build(&entries(), options(Compression::Lz4));
    alter_index(&mut files, b"\x06\x07key 011", b"\x06\x07key 012");
    let error = open(&files).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert_names(&error, INDEX, "altered");
}

fn seal(file: &mut [u8]) {
    let (summed, sum) = file.split_last_chunk_mut::<8>().unwrap();
    *sum = checksum(summed).to_le_bytes();
}

#[test]
fn a_file_of_a_newer_format_is_refused_with_a_clear_error() {
    let (intact, _) = build(&entries(), options(Compression::Lz4));
    for file in [DATA, INDEX, FILTER] {
        let mut files = intact.clone();
        bytes_of(&mut files, file)[8] = 2;
        if file == INDEX {
            seal(&mut files.index);
        }
        let error = open(&files).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert_names(&error, file, "newer");
    }
}

#[cfg(not(feature = "zstd"))]
#[test]
fn a_table_of_a_codec_that_this_build_leaves_out_says_which_feature_is_missing() {
    let (mut files, properties) = build(&entries(), options(Compression::Lz4));
    // The property: tag 12, one byte long.
    let lz4 = [12, 1, 1];
    let at = files.index.windows(3).position(|bytes| bytes == lz4).unwrap();
    assert_eq!(properties.compression, Compression::Lz4);
    files.index[at + 2] = 2;
    seal(&mut files.index);
    let error = open(&files).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("feature `zstd`"), "{error}");
}
