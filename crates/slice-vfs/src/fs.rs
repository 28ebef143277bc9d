//! The traits: what the layers above may ask of an operating system.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::SyncSite;

/// A file system.
///
/// What an operation leaves behind after a power failure is the caller's to arrange: bytes are durable after a
/// `sync` of their file, names after [`sync_dir`](Fs::sync_dir) of their directory, and nothing else is. Each call
/// that makes something durable says why, by a [`SyncSite`]; what it does is the same for every site.
///
/// An operation, also one on an open file, that fails as `Interrupted` has done nothing and may be asked for again:
/// [`uninterrupted`](crate::uninterrupted) does so.
///
/// `dyn`, because tests and users plug in their own; no call of it is on the path of a cached read.
pub trait Fs: Debug + Send + Sync + 'static {
    /// Tells file systems apart: equal for two values that see the same files.
    fn id(&self) -> u64;

    /// The one absolute name of an existing file or directory.
    ///
    /// # Errors
    ///
    /// What the operating system says; so for every method.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// Makes a directory and its missing parents, and makes their names durable ([`SyncSite::DIRECTORY_NAME`]).
    ///
    /// So is the name of the deepest one that was there: who made it may have died before it came to that.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    fn list_dir(&self, path: &Path) -> io::Result<Vec<String>>;

    /// What stands at a path. `NotFound` when nothing does.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// Opens a file for reading at any place.
    fn open_random(&self, path: &Path) -> io::Result<Arc<dyn RandomAccessFile>>;

    /// Creates a file to be written once from front to back. `AlreadyExists` when there is one.
    fn create_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;

    /// Creates a log. `AlreadyExists` when there is a file.
    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>>;

    /// Renames the finished log `from` to `to` and opens it as an empty log that overwrites the old bytes, whose
    /// allocated space it keeps. A reader sees the past life behind what has been appended: see [`LogFile`].
    fn recycle_log(&self, from: &Path, to: &Path) -> io::Result<Box<dyn LogFile>>;

    /// Renames a file, replacing what is there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file one more name, in the same or another directory. `AlreadyExists` when there is something;
    /// `CrossesDevices` when that is on another device. What is written by one name is read by the other, and a file
    /// is gone when its last name is. The new name is durable after a `sync_dir` of its directory, like any other.
    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()>;

    /// Removes a file: this name of it.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Makes the bytes of a file durable that this process may not have open.
    fn sync_file(&self, path: &Path, site: SyncSite) -> io::Result<()>;

    /// Makes the names in a directory durable: creations, renames and removals.
    fn sync_dir(&self, path: &Path, site: SyncSite) -> io::Result<()>;

    /// Takes the lock of a file, creating it if needed, until the guard is dropped.
    ///
    /// `None` when somebody else holds it. `note` becomes the file's content (the holder's pid), for people.
    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<Box<dyn FileLock>>>;

    /// Takes the lock of an existing file together with any number of others who take it so. Nothing is written.
    ///
    /// `None` when somebody holds it by [`try_lock`](Fs::try_lock), who gets it in turn when the last guard is
    /// dropped. `NotFound` when there is no such file.
    fn try_lock_shared(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>>;
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Whether it is a directory.
    pub is_dir: bool,
    /// The length in bytes, with preallocated space counted where the operating system counts it.
    pub len: u64,
}

/// How a file will be read: advice, which an implementation may ignore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Here and there: no readahead.
    Random,
    /// From front to back: read ahead.
    Sequential,
    /// Not again soon: what is in memory may go, and the writing of what the disk does not have yet begins.
    Never,
}

/// A file read at any place, by many threads at once.
pub trait RandomAccessFile: Debug + Send + Sync {
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether there are no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buf` from `offset`, or fails with `UnexpectedEof`.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// The same without waiting for a disk: `false`, and `buf` unspecified, when the bytes are not in memory.
    ///
    /// Where the operating system cannot say, it is always `false`.
    fn try_read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool>;

    /// Says how the file will be read.
    fn advise(&self, access: Access);
}

/// A file written once from front to back, by one thread.
pub trait AppendFile: Debug + Send {
    /// Appends all of `bytes`. After an error the file's content is unspecified, and the file is of no further use.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what has been appended durable. After an error the file is of no further use: a second sync could
    /// report success for bytes that the first one lost.
    fn sync(&mut self, site: SyncSite) -> io::Result<()>;
}

/// A log: appended to by one thread, made durable by any.
///
/// What was appended survives the end of the process at once, and a power failure after
/// [`sync`](LogControl::sync). Behind the appended bytes a reader of the file may find nothing, zeros (space
/// allocated ahead) or bytes of the file's past life; but the next [`LOG_GAP`] bytes behind the end, if the file is
/// that long, are zeros.
pub trait LogFile: Debug + Send {
    /// Appends the concatenation of `parts`.
    ///
    /// After an error nothing counts as appended: the next append goes to the same place.
    fn append(&mut self, parts: &[&[u8]]) -> io::Result<()>;

    /// How many bytes have been appended.
    fn len(&self) -> u64;

    /// Whether nothing has been appended.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the space allocated ahead runs low, so that [`LogControl::allocate_ahead`] is worth a call from
    /// another thread. Cheap: asked at every append.
    fn is_low(&self) -> bool;

    /// The side that other threads may use while this one appends.
    fn control(&self) -> Arc<dyn LogControl>;

    /// Gives back the space allocated behind the end. The log can be appended to no more.
    fn finish(&mut self) -> io::Result<()>;
}

/// How many zero bytes follow the appended ones in a [`LogFile`]: as long as no record can be.
pub const LOG_GAP: usize = 16;

/// The side of a [`LogFile`] that is not the appender's.
pub trait LogControl: Debug + Send + Sync {
    /// Makes all bytes durable whose append returned before the call.
    ///
    /// After an error the log is of no further use, as for [`AppendFile::sync`].
    fn sync(&self, site: SyncSite) -> io::Result<()>;

    /// Allocates and maps the next chunk, so that the appender need not. Nothing to do is fine.
    fn allocate_ahead(&self) -> io::Result<()>;
}

/// Holds a lock until it is dropped.
pub trait FileLock: Debug + Send + Sync {}
