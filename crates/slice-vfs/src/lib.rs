#![doc = include_str!("../README.md")]
#![expect(
    clippy::missing_errors_doc,
    reason = "every method of the traits fails as the operating system does"
)]

pub mod conformance;
mod fault_fs;
mod fs;
mod helpers;
mod mem_fs;
mod memory_limit;
mod read_only;
mod std_fs;
mod sync_site;
mod uninterrupted;

pub use fault_fs::{Call, Fault, FaultFs, Operation, Span};
pub use fs::{Access, AppendFile, FileLock, Fs, LOG_GAP, LogControl, LogFile, Metadata, RandomAccessFile};
pub use helpers::{AtomicSites, lower_thread_priority, read_all, write_atomic};
pub use mem_fs::{History, LogKind, MemFs, OpInfo, OpKind, Replay};
pub use memory_limit::memory_limit;
pub use read_only::read_only;
pub use std_fs::StdFs;
pub use sync_site::SyncSite;
pub use uninterrupted::uninterrupted;
