//! A table: whatever opens can be read in every way, and what is read is found again or refused.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use slice::sstable::{
    Compression, IterOptions, NoBlockStore, ReadMode, Table, TableBuilder, TableFiles, TableOptions,
    TableSources,
};
use slice::vfs::{Fs, MemFs, read_all};
use slice_types::{
    EntryIterator, EntryKind, EntryRef, HEADER_LEN, SeqNo, TableId, Trailer, checksum, checksum_with,
    hash_key,
};

/// The three files: data, index, filter.
type Files = [Vec<u8>; 3];

const PATHS: [&str; 3] = ["/sstable_000001.db", "/sstable_000001.idx", "/sstable_000001.bloom"];

/// Of one block, of one that is compressed, and of several.
static TABLES: LazyLock<[Files; 3]> = LazyLock::new(|| {
    [(4096, Compression::None), (4096, Compression::Lz4), (64, Compression::None)].map(
        |(block_size, compression)| {
            build(TableOptions { block_size, compression, filter_bits_per_key: 10.0 })
        },
    )
});

/// The first byte chooses the table and the door; then come changes, each behind the number of its file.
pub(super) fn run(bytes: &[u8]) {
    let Some((choice, changes)) = bytes.split_first() else { return };
    let which = usize::from(choice >> 1) % TABLES.len();
    let mut files = TABLES[which].clone();
    for change in changes.chunks_exact(4) {
        super::patch(&mut files[usize::from(change[0]) % 3], &change[1..]);
    }
    if choice & 1 == 1 {
        seal(&mut files, which < 2);
    }
    read(&files);
}

fn read(files: &Files) {
    let fs = MemFs::new();
    let mut data = fs.create_append(Path::new(PATHS[0])).expect("an empty disk");
    data.append(&files[0]).expect("a sound disk");
    let sources = TableSources {
        data: fs.open_random(Path::new(PATHS[0])).expect("it was just created"),
        data_path: PATHS[0].into(),
        index: files[1].clone(),
        index_path: PATHS[1].into(),
        filter: files[2].clone(),
        filter_path: PathBuf::from(PATHS[2]),
    };
    let Ok(table) = Table::open(TableId(1), sources, &NoBlockStore) else { return };
    let is_sound = table.verify().is_ok();
    let forward = walk(&table, true);
    let backward = walk(&table, false);
    if is_sound {
        let mut backward = backward.expect("a table that verifies can be read");
        let forward = forward.expect("a table that verifies can be read");
        backward.reverse();
        assert_eq!(forward, backward);
        for (key, trailer) in &forward {
            assert!(table.may_contain(hash_key(key)));
            let found = table.get(key, trailer.seqno(), ReadMode::Wait).expect("it verified");
            // Of one sequence number there may be several kinds: a table leaves that to those who give out numbers.
            assert_eq!(found.map(|(trailer, _)| trailer.seqno()), Some(trailer.seqno()));
        }
    }
    table.split_keys().for_each(|key| assert!(table.approximate_offset(key) <= files[0].len() as u64));
}

fn walk(table: &Arc<Table<NoBlockStore>>, forward: bool) -> slice::Result<Vec<(Vec<u8>, Trailer)>> {
    let mut iter = table.iter(IterOptions::default());
    let mut entries = Vec::new();
    if forward {
        iter.seek_to_first()?;
    } else {
        iter.seek_to_last()?;
    }
    while let Some(entry) = iter.entry() {
        entries.push((entry.key.to_vec(), entry.trailer));
        if forward { iter.next()? } else { iter.prev()? }
    }
    Ok(entries)
}

/// Makes the checksums right: of the only block, of the filter, of the index.
fn seal([data, index, filter]: &mut Files, one_block: bool) {
    if let (true, Some((summed, sum))) = (one_block, data.split_last_chunk_mut::<8>())
        && let Some(block) = summed.get(HEADER_LEN..)
    {
        *sum = checksum_with(HEADER_LEN as u64, block).to_le_bytes();
    }
    if let Some((summed, sum)) =
        filter.get_mut(HEADER_LEN..).and_then(|filter| filter.split_last_chunk_mut::<8>())
    {
        *sum = checksum(summed).to_le_bytes();
    }
    if let Some((summed, sum)) = index.split_last_chunk_mut::<8>() {
        *sum = checksum(summed).to_le_bytes();
    }
}

fn build(options: TableOptions) -> Files {
    let fs = MemFs::new();
    let create = |path: &str| fs.create_append(Path::new(path)).expect("an empty disk");
    let files = TableFiles { data: create(PATHS[0]), index: create(PATHS[1]), filter: create(PATHS[2]) };
    let mut builder = TableBuilder::new(files, options).expect("good options");
    for n in 0..12_u64 {
        let (key, value) =
            (format!("key{:02}", n / 2), format!("a value that repeats, value, value, value {n}"));
        let trailer =
            Trailer::new(SeqNo::new(100 - n), if n == 5 { EntryKind::Delete } else { EntryKind::Put });
        let value = if n == 5 { &[] } else { value.as_bytes() };
        builder.add(EntryRef::new(key.as_bytes(), trailer, value)).expect("in order");
    }
    builder.finish().expect("a sound disk");
    PATHS.map(|path| read_all(&fs, Path::new(path)).expect("it was written"))
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let change = |file: u8, at: u16, byte: u8| [&[file], &at.to_le_bytes()[..], &[byte]].concat();
    let mut seeds: Vec<Vec<u8>> = (0..6).map(|choice| vec![choice]).collect();
    // The counts of the block and of the index, the codec, the raw length, a filter's lines.
    let places =
        [(0, 16, 255), (0, 20, 9), (0, 24, 8), (1, 20, 1), (1, 22, 255), (1, 60, 0), (2, 24, 2), (2, 21, 30)];
    for (file, at, byte) in places {
        seeds.extend([1, 3, 5].map(|choice| [&[choice], &change(file, at, byte)[..]].concat()));
    }
    seeds
}

/// The checksums are computed as the builder does it, so the fuzzer gets behind them.
#[test]
fn sealing_a_sound_table_changes_nothing() {
    for (files, one_block) in TABLES.iter().zip([true, true, false]) {
        let mut sealed = files.clone();
        seal(&mut sealed, one_block);
        assert_eq!(&sealed, files);
    }
}
