//! Files that nothing refers to.
//!
//! Only of a store without threads, and only right after it was opened, can a look at the directory say what does not
//! belong there: nothing comes or goes meanwhile.

use std::path::Path;

use anyhow::{Context, Result};
use slice::blocking::LSMTree;

/// What is wrong with the files of a store that was just opened without threads.
///
/// # Errors
///
/// When the directory cannot be read.
pub(super) fn orphans(store: &LSMTree, dir: &Path) -> Result<Option<String>> {
    let names = names(dir)?;
    let stats = store.stats();
    let tables: usize = stats.level_stats.iter().map(|(_, tables, _)| tables).sum();
    let count = |part: &str| names.iter().filter(|name| name.contains(part)).count();
    let found = [count("sstable_"), count("wal_"), count("MANIFEST-"), count(".tmp")];
    let expected = [3 * tables, stats.immutable_memtables + 1, 1, 0];
    let say = || format!("tables, logs, manifests, temporary files: {found:?}, not {expected:?}: {names:?}");
    Ok((found != expected).then(say))
}

/// How many bytes the files of a directory take on disk.
///
/// # Errors
///
/// When the directory cannot be read.
#[expect(clippy::disallowed_methods, reason = "the harness looks at the directory without the store")]
pub(super) fn bytes_on_disk(dir: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for name in names(dir)? {
        // One may be removed at any moment.
        bytes += std::fs::metadata(dir.join(name)).map_or(0, |found| found.blocks() * 512);
    }
    Ok(bytes)
}

#[expect(clippy::disallowed_methods, reason = "the harness looks at the directory without the store")]
fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("could not list {}", dir.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
