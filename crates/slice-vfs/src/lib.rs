//! The one door to the operating system.
#![expect(
    clippy::missing_errors_doc,
    reason = "every method of the traits fails as the operating system does"
)]

mod fs;

pub use fs::{Access, AppendFile, FileLock, Fs, LOG_GAP, LogControl, LogFile, Metadata, RandomAccessFile};
