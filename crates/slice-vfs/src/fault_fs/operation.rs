//! What reaches a [`FaultFs`](super::FaultFs): one operation, told to whoever watches.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::Fault;
use crate::SyncSite;

/// What is asked of the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of the traits that it is named after")]
pub enum Call {
    CreateDirAll,
    CreateAppend,
    CreateLog,
    RecycleLog,
    Rename,
    HardLink,
    RemoveFile,
    TryLock,
    TryLockShared,
    /// To a file or a log.
    Append,
    /// Of the bytes of a file or a log.
    Sync(SyncSite),
    SyncFile(SyncSite),
    SyncDir(SyncSite),
    FinishLog,
    AllocateAhead,
    Canonicalize,
    ListDir,
    Metadata,
    OpenRandom,
    Len,
    /// With and without waiting for the disk.
    Read,
}

impl Call {
    /// Whether it only reads, and so is counted with the reads.
    pub const fn is_read(self) -> bool {
        matches!(
            self,
            Self::Canonicalize | Self::ListDir | Self::Metadata | Self::OpenRandom | Self::Len | Self::Read
        )
    }

    /// The site, if it makes something durable that it names one for.
    pub const fn site(self) -> Option<SyncSite> {
        match self {
            Self::Sync(site) | Self::SyncFile(site) | Self::SyncDir(site) => Some(site),
            _ => None,
        }
    }
}

/// An operation that is about to be done, or to fail.
#[derive(Clone, Debug)]
pub struct Operation {
    /// What is asked for.
    pub call: Call,
    /// What it is asked of. A file that was renamed while it was open has the name that it was opened by.
    pub path: Arc<Path>,
    /// The open file, if it is asked of one: no two have the same number.
    pub handle: Option<u64>,
    /// How it will fail, if it will.
    pub fault: Option<Fault>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {}", self.call, self.path.display())
    }
}
