//! Every crash of a program that keeps its files in a [`MemFs`].
//!
//! The program runs once, on a file system that records each operation. Then the disk is put into the states that a
//! crash right after each operation may leave, and each is given to a check: does the program start on it, and does it
//! find what it promised to keep?
//!
//! ```text
//!   operations   create  write  write  sync  rename  sync_dir ...
//!                   |      |      |      |      |       |
//!                   +------+------+------+------+-------+----> for each: nothing, half and all of what was not synced,
//!                                                              the last write torn, the process killed
//! ```
//!
//! What a power failure may leave is the model of [`MemFs::crash_image`]. Whether the program *needs* one of its syncs
//! is found by [`Enumeration::ignoring`] it.

use std::fmt;
use std::path::Path;

use slice::vfs::{History, MemFs, OpInfo, OpKind, Replay, SyncSite};

/// What a crash leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Left {
    /// A power failure, and nothing.
    Nothing,
    /// A power failure, and about half of the sectors and names; which half, this number and the seed decide.
    Half(u8),
    /// A power failure, and everything.
    Everything,
    /// The end of the process in the middle of the last write: of that a part of the front, and all before it.
    Torn,
    /// The end of the process: everything, and no more of it durable than before.
    Killed,
}

impl Left {
    /// All that is worth trying behind every operation.
    pub const ALL: [Self; 6] =
        [Self::Nothing, Self::Half(0), Self::Half(1), Self::Everything, Self::Torn, Self::Killed];
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "a power failure that keeps nothing unsynced",
            Self::Half(_) => "a power failure that keeps half of the unsynced",
            Self::Everything => "a power failure that keeps everything",
            Self::Torn => "a crash in the middle of the write",
            Self::Killed => "the end of the process",
        })
    }
}

/// Where a crash was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The last operation before it.
    pub operation: OpInfo,
    /// What it left.
    pub left: Left,
}

impl Point {
    /// How many operations there were before the crash.
    pub fn operations(&self) -> u64 {
        self.operation.index + 1
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OpInfo { index, kind, path, .. } = &self.operation;
        let file = path.file_name().map_or(Path::new("/"), Path::new).display();
        write!(f, "{} behind operation {index} ({kind:?} {file})", self.left)
    }
}

/// A crash after which something was wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The crash.
    pub point: Point,
    /// What was wrong, in the words of the check.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.point, self.message)
    }
}

impl std::error::Error for Failure {}

/// The crashes of one recorded run.
///
/// ```
/// use std::path::Path;
/// use slice_crash::enumerate::Enumeration;
/// use slice_crash::slice::vfs::{AtomicSites, Fs, MemFs, SyncSite, read_all, write_atomic};
///
/// const BYTES: SyncSite = SyncSite::new("note.bytes");
/// const NAME: SyncSite = SyncSite::new("note.name");
/// let note = Path::new("/note");
///
/// // The program: it replaces a note, and says when that is done.
/// let fs = MemFs::recording();
/// write_atomic(&fs, note, b"old", AtomicSites { bytes: BYTES, name: NAME })?;
/// let acknowledged = fs.operations();
/// write_atomic(&fs, note, b"new", AtomicSites { bytes: BYTES, name: NAME })?;
///
/// // The promise: from then on there is a note, the old or the new one, whole.
/// let crashes = Enumeration::new(fs.history(), 1);
/// let promise = |disk: &MemFs, operations: u64| match read_all(disk, note) {
///     _ if operations < acknowledged => Ok(()),
///     Ok(content) if content == b"old" || content == b"new" => Ok(()),
///     other => Err(format!("{other:?}")),
/// };
/// let tried = crashes.check(|point, disk| promise(disk, point.operations())).expect("it is kept");
/// assert!(tried > 50);
///
/// // Without the sync of the bytes it is not, so that sync is needed, and this test would miss it.
/// let broken = crashes.ignoring(BYTES);
/// assert!(broken.check(|point, disk| promise(disk, point.operations())).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is checked"]
pub struct Enumeration {
    history: History,
    seed: u64,
    ignored: Option<SyncSite>,
    only: Option<u64>,
}

impl Enumeration {
    /// All crashes of a run; `seed` decides which half is kept, and where a write is torn.
    pub fn new(history: History, seed: u64) -> Self {
        Self { history, seed, ignored: None, only: None }
    }

    /// The same with the syncs of one site doing nothing, on the disks that are checked as well.
    pub fn ignoring(mut self, site: SyncSite) -> Self {
        self.ignored = Some(site);
        self
    }

    /// Only the crashes behind the operation of this index, counted from 0.
    pub fn only(mut self, operation: Option<u64>) -> Self {
        self.only = operation;
        self
    }

    /// Gives the disk after each crash to `check`, and says how many there were.
    ///
    /// # Errors
    ///
    /// The first crash that `check` objects to.
    pub fn check(
        &self,
        mut check: impl FnMut(&Point, &MemFs) -> Result<(), String>,
    ) -> Result<u64, Box<Failure>> {
        let mut replay = self.history.replay();
        if let Some(site) = self.ignored {
            replay = replay.ignoring(site);
        }
        let mut tried = 0;
        while let Some(operation) = replay.advance().cloned() {
            if self.only.is_some_and(|only| only != operation.index) {
                continue;
            }
            for left in Left::ALL {
                let Some(disk) = self.disk(&replay, &operation, left) else { continue };
                let point = Point { operation: operation.clone(), left };
                check(&point, &disk).map_err(|message| Box::new(Failure { point, message }))?;
                tried += 1;
            }
        }
        Ok(tried)
    }

    /// The disk after a crash; none when another crash leaves the same.
    fn disk(&self, replay: &Replay, operation: &OpInfo, left: Left) -> Option<MemFs> {
        let seed = self.seed ^ operation.index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Some(match left {
            Left::Nothing => replay.crash_image(0.0, seed),
            Left::Half(half) => replay.crash_image(0.5, seed ^ u64::from(half) << 56),
            Left::Everything => replay.crash_image(1.0, seed),
            Left::Torn if operation.kind == OpKind::Append => replay.torn_image(seed),
            Left::Torn => return None,
            Left::Killed => replay.killed_image(),
        })
    }
}
