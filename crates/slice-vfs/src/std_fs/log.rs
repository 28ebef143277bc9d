//! Which kind of log a file gets.

use std::fs::File;
use std::io;

use super::plain::PlainLog;
use crate::LogFile;

/// How a [`StdFs`](super::StdFs) writes logs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Kind {
    /// Mapped on the file systems that are known to do it well, plain elsewhere.
    #[default]
    ByFileSystem,
    /// Plain everywhere.
    Plain,
}

/// Opens a file as an empty log. `past` is how many bytes of a past life it holds.
pub(super) fn open(kind: Kind, file: File, past: u64) -> io::Result<Box<dyn LogFile>> {
    match kind {
        Kind::Plain => Ok(Box::new(PlainLog::open(file, past)?)),
        Kind::ByFileSystem => by_file_system(file, past),
    }
}

#[cfg(target_os = "linux")]
fn by_file_system(file: File, past: u64) -> io::Result<Box<dyn LogFile>> {
    use super::mapped::is_unsupported;
    use super::mapped_log::MappedLog;

    if !maps_well(&file) {
        return Ok(Box::new(PlainLog::open(file, past)?));
    }
    match MappedLog::open(file.try_clone()?) {
        Ok(log) => Ok(Box::new(log)),
        Err(e) if is_unsupported(&e) => Ok(Box::new(PlainLog::open(file, past)?)),
        Err(e) => Err(e),
    }
}

#[cfg(not(target_os = "linux"))]
fn by_file_system(file: File, past: u64) -> io::Result<Box<dyn LogFile>> {
    Ok(Box::new(PlainLog::open(file, past)?))
}

/// Whether mapped writes are as good as written ones here: pages are shared with the page cache, `fdatasync` takes
/// them along, and `fallocate` reserves what it says. Network and FUSE file systems promise less, and copying ones
/// (btrfs, zfs) may run out of space at a page that was allocated.
#[cfg(target_os = "linux")]
fn maps_well(file: &File) -> bool {
    // linux/magic.h.
    const EXT4: u64 = 0xef53;
    const XFS: u64 = 0x5846_5342;
    const TMPFS: u64 = 0x0102_1994;
    // The type of the field differs between architectures, its lower 32 bits do not.
    rustix::fs::fstatfs(file)
        .is_ok_and(|found| matches!(found.f_type as u64 & 0xffff_ffff, EXT4 | XFS | TMPFS))
}
