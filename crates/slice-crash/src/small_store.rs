//! Stores of few keys: how the harnesses write to them, and what is in them and beside them on the disk.
//!
//! Few, so that most are overwritten, and each check can read all.

use std::collections::BTreeMap;
use std::path::Path;

use slice::WriteBatch;
use slice::blocking::LSMTree;
use slice::vfs::{Fs, MemFs};

/// The contents of a store.
pub(crate) type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

/// What one commit does: a value for each key, or none to delete it.
pub(crate) type Entries = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The key of this number.
pub(crate) fn key(n: u64) -> Vec<u8> {
    format!("key{n:02}").into_bytes()
}

/// What a commit makes of the contents.
pub(crate) fn after(contents: &Contents, entries: &Entries) -> Contents {
    let mut contents = contents.clone();
    for (key, value) in entries {
        match value {
            Some(value) => contents.insert(key.clone(), value.clone()),
            None => contents.remove(key),
        };
    }
    contents
}

/// Commits: one entry as a put or a delete, several as a batch.
pub(crate) fn write(store: &LSMTree, entries: &Entries) -> slice::Result<()> {
    if let [(key, value)] = &entries[..] {
        return match value {
            Some(value) => store.put(key, value),
            None => store.delete(key),
        };
    }
    let mut batch = WriteBatch::new();
    for (key, value) in entries {
        match value {
            Some(value) => batch.put(key, value)?,
            None => batch.delete(key)?,
        }
    }
    store.write(batch)
}

/// All that is there of the first so many keys.
pub(crate) fn contents(store: &LSMTree, keys: u64) -> slice::Result<Contents> {
    let mut contents = Contents::new();
    for key in (0..keys).map(key) {
        if let Some(value) = store.get(&key)? {
            contents.insert(key, value);
        }
    }
    Ok(contents)
}

/// The files that nothing refers to, or that are missing, beside a store without threads and without a flush to do.
pub(crate) fn check_files(disk: &MemFs, dir: &str, store: &LSMTree) -> Result<(), String> {
    let tables: usize = store.stats().level_stats.iter().map(|(_, tables, _)| tables).sum();
    let names = disk.list_dir(Path::new(dir)).map_err(|error| error.to_string())?;
    let count = |part: &str| names.iter().filter(|name| name.contains(part)).count();
    let found = (count("sstable_"), count("MANIFEST-"), count(".tmp"), count("wal_"));
    if found == (3 * tables, 1, 0, 1) {
        return Ok(());
    }
    Err(format!("{tables} tables, one manifest and one log have other files: {names:?}"))
}
