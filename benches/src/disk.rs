//! How much of a disk a directory takes.

use std::io;
use std::path::Path;
use std::time::Duration;

/// The files of a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Files, directories not counted.
    pub files: u64,
    /// The sum of their lengths.
    pub length: u64,
    /// What the file system has set aside for them. Less than the length where there are holes.
    pub allocated: u64,
}

/// Adds up all files in a directory and below.
///
/// # Errors
///
/// If a directory is there and cannot be read. A file that vanishes meanwhile takes no space.
#[expect(clippy::disallowed_methods, reason = "the files of the store are measured from outside")]
pub fn disk_use(dir: &Path) -> io::Result<DiskUse> {
    let mut sum = DiskUse::default();
    if !dir.exists() {
        return Ok(sum);
    }
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let of_entry = if metadata.is_dir() { disk_use(&entry.path())? } else { of_file(&metadata) };
        sum.files += of_entry.files;
        sum.length += of_entry.length;
        sum.allocated += of_entry.allocated;
    }
    Ok(sum)
}

/// How long a directory has to stay as it is to be at rest, and how long that is waited for.
const REST: Duration = Duration::from_millis(200);
const LOOKS: usize = 25;

/// Adds up a directory when it has come to rest: stores remove in the background what a compaction has replaced. After five
/// seconds it is taken as it is.
///
/// # Errors
///
/// As [`disk_use`].
#[expect(clippy::disallowed_methods, reason = "nothing but the directory tells of it")]
pub fn disk_use_at_rest(dir: &Path) -> io::Result<DiskUse> {
    let mut last = disk_use(dir)?;
    for _ in 0..LOOKS {
        std::thread::sleep(REST);
        let now = disk_use(dir)?;
        if now == last {
            break;
        }
        last = now;
    }
    Ok(last)
}

#[cfg(unix)]
fn of_file(metadata: &std::fs::Metadata) -> DiskUse {
    use std::os::unix::fs::MetadataExt;
    DiskUse { files: 1, length: metadata.len(), allocated: metadata.blocks() * 512 }
}

#[cfg(not(unix))]
fn of_file(metadata: &std::fs::Metadata) -> DiskUse {
    DiskUse { files: 1, length: metadata.len(), allocated: metadata.len() }
}
