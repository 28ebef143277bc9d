//! Places in the sequence of logs.

use slice_types::LogNumber;

/// A place between two records: everything below it comes earlier.
///
/// The order is that of writing: by log, then by offset. One position speaks for all the logs before it: "durable up
/// to `p`" means the bytes of `p.log` below `p.offset` and every log of a lower number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LogPosition {
    /// The log.
    pub log: LogNumber,
    /// The offset in its file, in bytes. `u64::MAX` stands for the end of the log, wherever that is.
    pub offset: u64,
}

impl LogPosition {
    /// Behind all that a log holds or will ever hold.
    pub(crate) const fn end_of(log: LogNumber) -> Self {
        Self { log, offset: u64::MAX }
    }
}
