//! The error of all layers: what kind, what happened, in which file and where.
//!
//! Kinds are by what a caller can do about them, not by which layer spoke. The type is opaque, so that detail can be
//! added without breaking anyone.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused: permissions, a failing disk. The source is the `std::io::Error`.
    Io,
    /// No space is left. The store resumes by itself once there is some.
    StorageFull,
    /// Bytes on disk are not what was written. The file and offset are named; restore it or salvage the rest.
    Corruption,
    /// The directory is in use, by another process or with other options.
    Locked,
    /// The store was closed.
    Closed,
    /// An earlier failure made the store refuse writes. Reads go on; reopening may heal it.
    ReadOnly,
    /// The call cannot be right: an over-long key, an option out of its range. Nothing was changed.
    InvalidArgument,
    /// A transaction lost a race. Run it again.
    Conflict,
    /// The files are of a format that this build does not know.
    Unsupported,
    /// Operands of merges cannot be folded: the store was opened without their merge operator, or the operator refused.
    /// The operands are kept; open the store with the operator that they were written for.
    MergeOperator,
    /// The answer is not in memory, and the caller asked not to wait for the disk.
    WouldBlock,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io => "I/O error",
            Self::StorageFull => "no space left",
            Self::Corruption => "corruption",
            Self::Locked => "locked",
            Self::Closed => "closed",
            Self::ReadOnly => "read-only",
            Self::InvalidArgument => "invalid argument",
            Self::Conflict => "conflict",
            Self::Unsupported => "unsupported",
            Self::MergeOperator => "merge operator",
            Self::WouldBlock => "would block",
        })
    }
}

/// What went wrong.
///
/// Cheap to move and to clone: one failure of a background thread is told to everyone who waits for it.
#[derive(Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(Box<Detail>);

#[derive(Clone)]
struct Detail {
    kind: ErrorKind,
    message: String,
    file: Option<PathBuf>,
    offset: Option<u64>,
    source: Option<Arc<io::Error>>,
}

impl Error {
    /// An error of this kind. The message says what happened and, where possible, what to do.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Detail { kind, message: message.into(), file: None, offset: None, source: None }))
    }

    /// Bytes on disk are not what was written.
    #[cold]
    pub fn corruption(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corruption, message)
    }

    /// The call cannot be right.
    #[cold]
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// The operating system refused `action` ("append to the log").
    ///
    /// `ENOSPC` and `EDQUOT` become [`StorageFull`](ErrorKind::StorageFull), all else [`Io`](ErrorKind::Io).
    #[cold]
    pub fn io(action: &str, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::StorageFull,
            _ => ErrorKind::Io,
        };
        let mut error = Self::new(kind, format!("could not {action}"));
        error.0.source = Some(Arc::new(source));
        error
    }

    /// Names the file, unless a lower layer has.
    #[must_use]
    pub fn with_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.0.file.get_or_insert_with(|| file.into());
        self
    }

    /// Names the offset in the file, in bytes, unless a lower layer has.
    #[must_use]
    pub fn with_offset(mut self, offset: u64) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without file and offset.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The file it happened in, where there is one.
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The offset in [`file`](Self::file), in bytes, where it is known.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// The operating system's error, where that is the cause.
    pub fn io_source(&self) -> Option<&io::Error> {
        self.0.source.as_deref()
    }

    /// Whether the same call may succeed later with nothing else done about it: the disk may have space again, the
    /// directory may be free, the race may be won.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::StorageFull | ErrorKind::Locked | ErrorKind::Conflict | ErrorKind::WouldBlock
        )
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        if let Some(file) = &self.file {
            write!(f, " [{}", file.display())?;
            if let Some(offset) = self.offset {
                write!(f, " at byte {offset}")?;
            }
            f.write_str("]")?;
        }
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}
