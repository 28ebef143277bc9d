//! Scans: all keys of a range with their values, as of one moment, from both ends.
//!
//! ```text
//!   Scan (async), blocking::Scan            faces: waiting, batches, what a user sees
//!        |
//!      Ends      lower |--- front ->              <- back ---| upper     two cursors that do not pass each other
//!        |
//!     Cursor     per key, the newest version that is visible              skips versions and tombstones
//!        |
//!   MergingIter  overlay | active | frozen.. | level 0 tables.. | level 1 .. n, a run each
//! ```
//!
//! A scan holds the view that it began with, and reads as of one sequence number: whatever is written, flushed or
//! compacted meanwhile does not change what it gives, and waits for it no more than it waits for them. What it pins is
//! that view: its memtables stay in memory and its tables on disk until the scan is dropped.

mod batch;
mod bounds;
mod cursor;
mod ends;
mod iter;
mod overlay;
mod spare;
mod stream;

pub(crate) use bounds::KeyRange;
pub(crate) use ends::{Ends, Source};
pub use iter::Scan as BlockingScan;
pub(crate) use overlay::OverlayIter;
pub(crate) use overlay::{Overlay, Own};
pub use stream::Scan;

/// A key and its value.
pub(crate) type Item = (bytes::Bytes, bytes::Bytes);

/// The same where it lies, until the scan moves on.
pub(crate) type Borrowed<'a> = (&'a [u8], &'a [u8]);

#[cfg(test)]
mod tests;
