//! How a table is read: what goes to the block store, what is read from the file, and what does not fit a block.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use slice_sstable::{
    BlockShelf, BlockStore, CachePolicy, Compression, IterOptions, NoBlockStore, ReadMode, SharedBlock,
    TableIter, TableOptions,
};
use slice_types::{EntryIterator, ErrorKind, MAX_KEY_LEN, SeqNo, TableId, Trailer};
use slice_vfs::{Access, RandomAccessFile};

use crate::support::{DATA, Entry, Files, build, in_memory, open, open_with, table};

/// Keeps every block that it is offered.
#[derive(Clone, Default)]
struct KeepAll(Arc<Mutex<HashMap<(TableId, usize), SharedBlock>>>);

impl KeepAll {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl BlockStore for KeepAll {
    type Shelf = Kept;

    fn shelf(&self, table: TableId, _: usize) -> Kept {
        Kept { store: self.clone(), table }
    }
}

/// The blocks of one table.
struct Kept {
    store: KeepAll,
    table: TableId,
}

impl BlockShelf for Kept {
    type Kept = Box<SharedBlock>;

    fn get(&self, block: usize) -> Option<Box<SharedBlock>> {
        self.store.0.lock().unwrap().get(&(self.table, block)).cloned().map(Box::new)
    }

    fn insert(&self, block: usize, kept: &SharedBlock) {
        self.store.0.lock().unwrap().insert((self.table, block), kept.clone());
    }
}

/// Wants no block with an odd number, and keeps every one that it is offered all the same.
#[derive(Clone, Default)]
struct WantsEven(KeepAll);

struct KeptEven(Kept);

impl BlockStore for WantsEven {
    type Shelf = KeptEven;

    fn shelf(&self, table: TableId, blocks: usize) -> KeptEven {
        KeptEven(self.0.shelf(table, blocks))
    }
}

impl BlockShelf for KeptEven {
    type Kept = Box<SharedBlock>;

    fn get(&self, block: usize) -> Option<Box<SharedBlock>> {
        self.0.get(block)
    }

    fn wants(&self, block: usize) -> bool {
        block.is_multiple_of(2)
    }

    fn insert(&self, block: usize, kept: &SharedBlock) {
        self.0.insert(block, kept);
    }
}

/// A file that counts its reads, and has nothing in memory unless told so.
#[derive(Debug)]
struct Disk {
    file: Arc<dyn RandomAccessFile>,
    reads: AtomicUsize,
    is_in_memory: bool,
}

impl Disk {
    fn new(files: &Files, is_in_memory: bool) -> Arc<Self> {
        Arc::new(Self { file: in_memory(&files.data), reads: AtomicUsize::new(0), is_in_memory })
    }

    /// Reads since the last call.
    fn take_reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

impl RandomAccessFile for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.file.read_exact_at(buf, offset)
    }

    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        if self.is_in_memory { self.file.read_exact_at(buf, offset).map(|()| true) } else { Ok(false) }
    }

    fn advise(&self, _: Access) {}
}

fn entries(count: u64) -> Vec<Entry> {
    (0..count).map(|n| Entry::put(format!("key {n:05}"), n, vec![n as u8; 100])).collect()
}

fn uncompressed(block_size: usize) -> TableOptions {
    TableOptions { block_size, compression: Compression::None, ..TableOptions::default() }
}

#[test]
fn what_the_store_does_not_want_is_read_all_the_same_and_not_offered() {
    // A block each, with values of both sides of what is copied out of a block that is kept.
    let entries: Vec<_> =
        (0..40).map(|n| Entry::put(format!("key {n:05}"), n, vec![n as u8; 600 + 40 * n as usize])).collect();
    let options = TableOptions { block_size: 500, ..TableOptions::default() };
    let store = WantsEven::default();
    let (files, _) = build(&entries, options);
    let table = open_with(&files, in_memory(&files.data), &store).unwrap();
    for _ in 0..2 {
        for entry in &entries {
            let found = table.get(&entry.key, SeqNo::MAX, ReadMode::Wait).unwrap();
            assert_eq!(found, Some((entry.trailer, entry.value.clone().into())));
            assert_eq!(table.get(b"key 00003.", SeqNo::MAX, ReadMode::Wait).unwrap(), None);
        }
        assert_eq!(count_all(&mut table.iter(IterOptions::default())), entries.len());
        assert_eq!(store.0.len(), entries.len() / 2);
    }
}

fn count_all<S: BlockStore>(iter: &mut TableIter<S>) -> usize {
    iter.seek_to_first().unwrap();
    let mut count = 0;
    while iter.entry().is_some() {
        count += 1;
        iter.next().unwrap();
    }
    count
}

fn count_all_backwards<S: BlockStore>(iter: &mut TableIter<S>) -> usize {
    iter.seek_to_last().unwrap();
    let mut count = 0;
    while iter.entry().is_some() {
        count += 1;
        iter.prev().unwrap();
    }
    count
}

#[test]
fn a_read_that_may_not_wait_would_block_when_nothing_is_in_memory() {
    let entries = entries(100);
    let (files, _) = build(&entries, uncompressed(1000));
    let table = open_with(&files, Disk::new(&files, false), &KeepAll::default()).unwrap();

    let error = table.get(b"key 00050", SeqNo::MAX, ReadMode::CachedOnly).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(error.is_retryable());

    // Once the block is in the store, nothing is to be waited for.
    table.get(b"key 00050", SeqNo::MAX, ReadMode::Wait).unwrap();
    let found = table.get(b"key 00050", SeqNo::MAX, ReadMode::CachedOnly).unwrap();
    assert_eq!(found.unwrap().1, vec![50; 100]);
}

#[test]
fn a_read_that_may_not_wait_takes_what_the_page_cache_has() {
    let entries = entries(100);
    let (files, _) = build(&entries, uncompressed(1000));
    let table = open_with(&files, Disk::new(&files, true), &NoBlockStore).unwrap();
    assert!(table.get(b"key 00050", SeqNo::MAX, ReadMode::CachedOnly).unwrap().is_some());
    let options =
        IterOptions { readahead_bytes: 1 << 20, mode: ReadMode::CachedOnly, ..IterOptions::default() };
    assert_eq!(count_all(&mut table.iter(options)), 100);
}

#[test]
fn an_iterator_that_would_block_stands_on_none_and_goes_on_once_it_may_wait() {
    let (files, _) = build(&entries(100), uncompressed(1000));
    let table = open_with(&files, Disk::new(&files, false), &NoBlockStore).unwrap();
    let mut iter = table.iter(IterOptions { mode: ReadMode::CachedOnly, ..IterOptions::default() });
    assert_eq!(iter.seek(b"key 00050", Trailer::FIRST).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(iter.entry().is_none());
    iter.next().unwrap();
    assert!(iter.entry().is_none(), "on none it stays on none");
    iter.set_mode(ReadMode::Wait);
    iter.seek(b"key 00050", Trailer::FIRST).unwrap();
    assert_eq!(iter.entry().unwrap().key, b"key 00050");
}

#[test]
fn a_cached_lookup_reads_nothing_and_an_uncached_one_a_single_block() {
    let (files, properties) = build(&entries(1000), TableOptions::default());
    assert!(properties.blocks > 10);
    let disk = Disk::new(&files, true);
    let table = open_with(&files, disk.clone(), &KeepAll::default()).unwrap();
    assert_eq!(disk.take_reads(), 1, "the header");
    for expected_reads in [1, 0] {
        assert!(table.get(b"key 00500", SeqNo::MAX, ReadMode::Wait).unwrap().is_some());
        assert_eq!(disk.take_reads(), expected_reads);
    }
}

#[test]
fn a_version_in_the_midst_of_many_blocks_is_found_with_one_read() {
    let entries: Vec<_> = (0..1000).rev().map(|n| Entry::put("hot", n, vec![1; 100])).collect();
    let (files, properties) = build(&entries, TableOptions::default());
    assert!(properties.blocks > 10);
    let disk = Disk::new(&files, true);
    let table = open_with(&files, disk.clone(), &NoBlockStore).unwrap();
    disk.take_reads();
    for seqno in [0, 1, 333, 500, 998, 999].map(SeqNo::new) {
        let (trailer, _) = table.get(b"hot", seqno, ReadMode::Wait).unwrap().unwrap();
        assert_eq!((trailer.seqno(), disk.take_reads()), (seqno, 1));
    }
}

#[test]
fn a_walk_fills_the_block_store_only_if_asked_to() {
    let (files, properties) = build(&entries(1000), TableOptions::default());
    for readahead_bytes in [0, 10_000] {
        let store = KeepAll::default();
        let table = open_with(&files, in_memory(&files.data), &store).unwrap();
        let with = |cache_policy| IterOptions { cache_policy, readahead_bytes, ..IterOptions::default() };
        assert_eq!(count_all(&mut table.iter(with(CachePolicy::Bypass))), 1000);
        assert_eq!(store.len(), 0);
        assert_eq!(count_all(&mut table.iter(with(CachePolicy::Fill))), 1000);
        assert_eq!(store.len() as u64, properties.blocks);
    }
}

#[test]
fn a_short_value_is_a_copy_and_a_long_one_shares_its_block() {
    let entries = [Entry::put("long", 1, vec![1; 5000]), Entry::put("short", 1, vec![2; 100])];
    let (files, _) = build(&entries, TableOptions::default());
    let store = KeepAll::default();
    let table = open_with(&files, in_memory(&files.data), &store).unwrap();
    let get = |key: &[u8]| table.get(key, SeqNo::MAX, ReadMode::Wait).unwrap().unwrap().1;
    // Once from the file, once from the store.
    for _ in 0..2 {
        assert_eq!((get(b"long"), get(b"short")), (vec![1; 5000].into(), vec![2; 100].into()));
        assert!(get(b"short").is_unique() && !get(b"long").is_unique());
    }
    let held = |store: &KeepAll| store.0.lock().unwrap().values().map(SharedBlock::strong_count).max();
    assert_eq!(held(&store), Some(1));
    let long = get(b"long");
    assert_eq!((held(&store), long.len()), (Some(2), 5000));
}

#[test]
fn a_block_kept_from_a_window_is_held_by_nobody_else() {
    let (files, properties) = build(&entries(1000), uncompressed(4096));
    let store = KeepAll::default();
    let table = open_with(&files, in_memory(&files.data), &store).unwrap();
    count_all(&mut table.iter(IterOptions { readahead_bytes: 1 << 20, ..IterOptions::default() }));
    assert!(properties.blocks > 10, "one read covers many blocks");
    assert!(store.0.lock().unwrap().values().all(|block| SharedBlock::strong_count(block) == 1));
}

#[test]
fn reading_ahead_takes_many_blocks_with_one_read_both_ways() {
    let (files, properties) = build(&entries(1000), uncompressed(1000));
    assert!(properties.blocks > 100);
    let disk = Disk::new(&files, true);
    let table = open_with(&files, disk.clone(), &NoBlockStore).unwrap();
    disk.take_reads();
    let options = IterOptions { readahead_bytes: 32 * 1024, ..IterOptions::default() };
    let fewest = properties.data_bytes.div_ceil(32 * 1024) as usize;
    assert_eq!(count_all(&mut table.iter(options)), 1000);
    let forwards = disk.take_reads();
    assert_eq!(count_all_backwards(&mut table.iter(options)), 1000);
    let backwards = disk.take_reads();
    assert!((fewest..=fewest + 1).contains(&forwards), "{forwards} reads");
    assert!((fewest..=fewest + 1).contains(&backwards), "{backwards} reads");
}

#[test]
fn long_scans_read_ahead_and_leave_the_block_store_to_others() {
    let (files, properties) = build(&entries(3000), uncompressed(1000));
    let (disk, store) = (Disk::new(&files, true), KeepAll::default());
    let table = open_with(&files, disk.clone(), &store).unwrap();
    let options = IterOptions { cache_policy: CachePolicy::Scan, ..IterOptions::default() };
    for count in [count_all, count_all_backwards] {
        disk.take_reads();
        store.0.lock().unwrap().clear();
        assert_eq!(count(&mut table.iter(options)), 3000);
        let (reads, kept) = (disk.take_reads() as u64, store.len() as u64);
        assert!(reads < properties.blocks / 10, "{reads} reads of {} blocks", properties.blocks);
        assert!(kept < properties.blocks / 2, "{kept} of {} blocks kept", properties.blocks);
        // Nor does it do so by and by, from where the one before it has left off.
        assert_eq!(count(&mut table.iter(options)), 3000);
        assert_eq!(store.len() as u64, kept);
    }
}

#[test]
fn a_short_scan_reads_no_more_than_it_needs_and_fills_the_block_store() {
    let (files, _) = build(&entries(3000), uncompressed(1000));
    let (disk, store) = (Disk::new(&files, true), KeepAll::default());
    let table = open_with(&files, disk.clone(), &store).unwrap();
    let mut iter = table.iter(IterOptions { cache_policy: CachePolicy::Scan, ..IterOptions::default() });
    disk.take_reads();
    // Seeks that go up are no walk, however many they are.
    for n in (0..3000).step_by(30) {
        let before = store.len();
        iter.seek(format!("key {n:05}").as_bytes(), Trailer::FIRST).unwrap();
        assert!(iter.entry().is_some());
        assert_eq!(disk.take_reads(), store.len() - before, "blocks that were read and not kept");
    }
}

#[test]
fn a_long_value_shares_the_memory_of_its_block() {
    let entries: Vec<_> =
        (0..10).map(|n| Entry::put(format!("key {n:05}"), n, vec![n as u8; 2000])).collect();
    let (files, _) = build(&entries, uncompressed(8192));
    let store = KeepAll::default();
    let table = open_with(&files, in_memory(&files.data), &store).unwrap();
    let get = || table.get(b"key 00003", SeqNo::MAX, ReadMode::Wait).unwrap().unwrap().1;
    assert_eq!(get().as_ptr(), get().as_ptr());
    let mut iter = table.iter(IterOptions::default());
    iter.seek(b"key 00003", Trailer::FIRST).unwrap();
    assert_eq!(iter.value_bytes().unwrap().as_ptr(), get().as_ptr());
}

#[test]
fn the_longest_keys_and_values_longer_than_a_block_are_found() {
    let longest = |last| [vec![b'k'; MAX_KEY_LEN - 1], vec![last]].concat();
    let entries = vec![
        Entry::put("", 7, "of the empty key"),
        Entry::put("k", 1, vec![1; 100_000]),
        Entry::put(longest(0), 1, "a"),
        Entry::put(longest(1), 9, "b"),
        Entry::put(longest(1), 8, vec![2; 1 << 20]),
        Entry::put(longest(2), 1, ""),
        Entry::put("l", 1, "c"),
    ];
    for compression in [Compression::None, Compression::Lz4] {
        for block_size in [1, 4096, 1 << 22] {
            let table = table(&entries, TableOptions { block_size, compression, ..TableOptions::default() });
            for entry in &entries {
                let found = table.get(&entry.key, entry.trailer.seqno(), ReadMode::Wait).unwrap().unwrap();
                assert_eq!(found, (entry.trailer, entry.value.clone().into()));
            }
            let absent = table.get(&longest(3), SeqNo::MAX, ReadMode::Wait).unwrap();
            assert_eq!(absent, None);
            table.verify().unwrap();
        }
    }
}

#[test]
fn memory_is_that_of_fences_and_filter() {
    let (files, properties) = build(&entries(5000), TableOptions::default());
    let table = open(&files).unwrap();
    let filter = properties.filter_bytes as usize;
    let most = filter + properties.blocks as usize * 64 + 1024;
    assert!((filter..most).contains(&table.memory_used()), "{} bytes", table.memory_used());
}

#[test]
fn a_failing_disk_is_an_io_error_that_names_the_file() {
    #[derive(Debug)]
    struct Broken(u64);
    impl RandomAccessFile for Broken {
        fn len(&self) -> io::Result<u64> {
            Ok(self.0)
        }
        fn read_exact_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
            Err(io::Error::other("broken"))
        }
        fn try_read_exact_at(&self, _: &mut [u8], _: u64) -> io::Result<bool> {
            Err(io::Error::other("broken"))
        }
        fn advise(&self, _: Access) {}
    }
    let (files, properties) = build(&entries(10), TableOptions::default());
    let error = open_with(&files, Arc::new(Broken(properties.data_bytes)), &NoBlockStore).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(error.file(), Some(std::path::Path::new(DATA)));
}

#[test]
fn tables_and_iterators_cross_threads_and_outlive_their_makers() {
    fn assert_sendable<T: Send + 'static>(value: T) -> T {
        value
    }
    let mut iter = assert_sendable(table(&entries(10), TableOptions::default()).iter(IterOptions::default()));
    assert_eq!(count_all(&mut iter), 10);
}
