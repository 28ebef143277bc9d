//! What a builder counts, refuses and writes.

use std::path::Path;
use std::sync::Arc;

use slice_sstable::{Compression, TableBuilder, TableOptions, TableProperties};
use slice_types::{EXPIRY_NEVER, EntryKind, ErrorKind, MAX_KEY_LEN, SeqNo, join_expiry};
use slice_vfs::{Fault, FaultFs, Fs, MemFs, SyncSite, read_all};

use crate::support::{DATA, Entry, build, create_files, in_order, open, table};

fn builder(options: TableOptions) -> slice_types::Result<TableBuilder> {
    TableBuilder::new(create_files(&MemFs::new()), options)
}

#[test]
fn properties_say_what_the_table_holds() {
    let entries = in_order(vec![
        Entry::put("b", 5, "value"),
        Entry::new("b", 9, EntryKind::Delete, ""),
        Entry::new("c", 3, EntryKind::RangeDelete, "d"),
        Entry::new("a", 4, EntryKind::Merge, "1"),
        Entry::new("a", 2, EntryKind::Merge, "2"),
    ]);
    let (files, built) = build(&entries, TableOptions::default());
    let expected = TableProperties {
        entries: 5,
        tombstones: 1,
        range_deletes: 1,
        merges: 2,
        first_expiry_ms: EXPIRY_NEVER,
        smallest_key: "a".into(),
        largest_key: "c".into(),
        min_seqno: SeqNo::new(2),
        max_seqno: SeqNo::new(9),
        raw_bytes: 5 + 5 + 1 + 1 + 1,
        data_bytes: files.data.len() as u64,
        index_bytes: files.index.len() as u64,
        filter_bytes: files.filter.len() as u64,
        blocks: 1,
        compression: Compression::Lz4,
        salt: 0,
    };
    assert_eq!(built, expected);
    assert_eq!(open(&files).unwrap().properties(), &expected);
    let lens = [&files.data, &files.index, &files.filter].map(Vec::len);
    assert_eq!(built.stored_bytes(), lens.iter().sum::<usize>() as u64);
}

#[test]
fn properties_say_when_the_first_value_expires() {
    let until = |key: &str, ms| Entry::new(key, 1, EntryKind::PutUntil, join_expiry(ms, b"value"));
    let (files, built) = build(&[until("a", 30), until("b", 10), until("c", 20)], TableOptions::default());
    assert_eq!(built.first_expiry_ms, 10);
    assert_eq!(open(&files).unwrap().properties(), &built);
}

#[test]
fn a_table_without_a_filter_may_contain_everything() {
    let options = TableOptions { filter_bits_per_key: 0.0, ..TableOptions::default() };
    let (files, properties) = build(&[Entry::put("a", 1, "")], options);
    assert_eq!(properties.filter_bytes, 16, "the header alone");
    assert!((0..1000).all(|hash| open(&files).unwrap().may_contain(hash)));
}

#[test]
fn a_filter_denies_most_keys_that_are_absent() {
    let entries: Vec<_> = (0..1000).map(|n| Entry::put(format!("{n:04}"), n, "")).collect();
    let table = table(&entries, TableOptions::default());
    let passed =
        (0..1000).filter(|n| table.may_contain(slice_types::hash_key(format!("absent {n}").as_bytes())));
    assert!(passed.count() < 30, "10 bits a key promise about one in a hundred");
}

#[test]
fn blocks_that_do_not_shrink_are_stored_as_they_are() {
    let mut noise = 1_u64;
    let mut random = || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 56) as u8
    };
    let entries: Vec<_> = (0..50)
        .map(|n| Entry::put(format!("{n:04}"), 1, (0..200).map(|_| random()).collect::<Vec<_>>()))
        .collect();
    let options = |compression| TableOptions { compression, ..TableOptions::default() };
    let (raw, _) = build(&entries, options(Compression::None));
    let (lz4, _) = build(&entries, options(Compression::Lz4));
    assert_eq!(raw.data, lz4.data);
}

#[test]
fn blocks_that_shrink_are_compressed() {
    let entries: Vec<_> = (0..500).map(|n| Entry::put(format!("{n:04}"), 1, vec![b'x'; 100])).collect();
    let (files, properties) = build(&entries, TableOptions::default());
    assert!(properties.data_bytes * 4 < properties.raw_bytes, "{properties:?}");
    open(&files).unwrap().verify().unwrap();
}

#[test]
fn the_estimate_follows_the_size_of_the_data_file() {
    let options = TableOptions { compression: Compression::None, ..TableOptions::default() };
    let fs = MemFs::new();
    let mut builder = TableBuilder::new(create_files(&fs), options).unwrap();
    assert!(builder.is_empty());
    for n in 0..2000_u64 {
        builder.add(Entry::put(format!("{n:08}"), n, vec![0; 100]).as_ref()).unwrap();
        let added = (n + 1) * 108;
        let estimated = builder.estimated_bytes();
        assert!(estimated.abs_diff(added) < added / 20 + 100, "{estimated} estimated of {added}");
    }
    assert_eq!(builder.entries(), 2000);
    let estimated = builder.estimated_bytes();
    let written = builder.finish().unwrap().data_bytes;
    assert!(estimated.abs_diff(written) < 8192, "{estimated} estimated, {written} written");
    assert_eq!(read_all(&fs, Path::new(DATA)).unwrap().len() as u64, written);
}

#[test]
fn a_key_that_is_too_long_is_refused_and_changes_nothing() {
    let mut builder = builder(TableOptions::default()).unwrap();
    builder.add(Entry::put("a", 1, "").as_ref()).unwrap();
    let error = builder.add(Entry::put(vec![b'b'; MAX_KEY_LEN + 1], 1, "").as_ref()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    builder.add(Entry::put("ab", 1, "").as_ref()).unwrap();
    assert_eq!(builder.finish().unwrap().entries, 2);
}

#[test]
fn options_out_of_range_are_refused() {
    let with = |block_size, filter_bits_per_key| {
        let compression = Compression::None;
        builder(TableOptions { block_size, compression, filter_bits_per_key }).err().map(|e| e.kind())
    };
    assert_eq!(with(4096, 10.0), None);
    assert_eq!(with(64 << 20, 0.5), None);
    for refused in [(0, 10.0), ((64 << 20) + 1, 10.0), (4096, f64::NAN), (4096, -1.0), (4096, f64::INFINITY)]
    {
        assert_eq!(with(refused.0, refused.1), Some(ErrorKind::InvalidArgument), "{refused:?}");
    }
}

#[test]
#[should_panic(expected = "does not stand behind")]
fn an_entry_out_of_order_stops_the_builder() {
    let mut builder = builder(TableOptions::default()).unwrap();
    builder.add(Entry::put("a", 1, "").as_ref()).unwrap();
    let _ = builder.add(Entry::put("a", 2, "").as_ref());
}

#[test]
#[should_panic(expected = "does not stand behind")]
fn an_entry_added_twice_stops_the_builder() {
    let mut builder = builder(TableOptions::default()).unwrap();
    builder.add(Entry::put("a", 1, "").as_ref()).unwrap();
    let _ = builder.add(Entry::put("a", 1, "").as_ref());
}

#[test]
#[should_panic(expected = "at least one entry")]
fn an_empty_table_is_not_finished() {
    let _ = builder(TableOptions::default()).unwrap().finish();
}

#[test]
fn a_finished_table_survives_the_loss_of_all_that_was_not_synced() {
    let fs = MemFs::new();
    let mut builder = TableBuilder::new(create_files(&fs), TableOptions::default()).unwrap();
    builder.add(Entry::put("a", 1, "value").as_ref()).unwrap();
    let properties = builder.finish().unwrap();
    fs.sync_dir(Path::new("/"), SyncSite::new("table.names")).unwrap();
    let image = fs.crash_image(0.0, 1);
    let lens = [crate::support::DATA, crate::support::INDEX, crate::support::FILTER]
        .map(|path| read_all(&image, Path::new(path)).unwrap().len() as u64);
    assert_eq!(lens, [properties.data_bytes, properties.index_bytes, properties.filter_bytes]);
}

#[test]
fn a_failure_of_any_write_or_sync_is_an_error() {
    let entries: Vec<_> = (0..20).map(|n| Entry::put(format!("{n:02}"), 1, vec![n as u8; 30_000])).collect();
    let options = TableOptions { compression: Compression::None, ..TableOptions::default() };
    let mut failures = 0;
    loop {
        let fs = FaultFs::new(Arc::new(MemFs::new()));
        let create = |path| fs.create_append(Path::new(path)).unwrap();
        let files =
            slice_sstable::TableFiles { data: create("/d"), index: create("/i"), filter: create("/f") };
        fs.fail_at(fs.operations() + failures, Fault::Enospc);
        let mut builder = TableBuilder::new(files, options.clone()).unwrap();
        let added = entries.iter().try_for_each(|entry| builder.add(entry.as_ref()));
        match added.and_then(|()| builder.finish()) {
            Ok(_) => break,
            Err(e) => assert_eq!(e.kind(), ErrorKind::StorageFull, "operation {failures}"),
        }
        failures += 1;
    }
    // Three appends of data (600 KB in pieces of 256 KiB), one each of filter and index, and a sync of each file.
    assert_eq!(failures, 8);
}
