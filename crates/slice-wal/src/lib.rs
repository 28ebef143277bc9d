#![doc = include_str!("../README.md")]

mod batch;
mod format;
mod position;
mod primitives;
mod recovery;
mod scan;
mod stored;
mod sync;
mod writer;

pub use batch::{EncodedBatch, Entries, WalEntry};
pub use format::{FILE_HEADER_LEN, FORMAT, RECORD_HEADER_LEN};
pub use position::LogPosition;
pub use recovery::{LogEnd, RecoveredLog, RecoveryMode, durable_mark, replay};
pub use scan::{Damage, DamageReason};
pub use stored::{Piece, PieceSink, ReplayedLog, StoredLog};
pub use sync::{GroupSync, LOG_BYTES};
pub use writer::LogWriter;
