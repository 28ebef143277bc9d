//! The value of an entry of kind [`PutUntil`](crate::EntryKind::PutUntil): when it goes, and what it is until then.
//!
//! ```text
//!   +---------------------------------------+---------------+
//!   | expiry, u64 LE: ms since the epoch    | the value     |
//!   +---------------------------------------+---------------+
//! ```
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::{Error, Result};

/// The length of an expiry in front of a value, in bytes.
pub const EXPIRY_LEN: usize = 8;

/// The expiry of a value that stays for ever.
pub const EXPIRY_NEVER: u64 = u64::MAX;

/// A value with its expiry in front, in milliseconds since the epoch.
pub fn join_expiry(expiry_ms: u64, value: &[u8]) -> Vec<u8> {
    [&expiry_ms.to_le_bytes(), value].concat()
}

/// The expiry of a value, in milliseconds since the epoch, and the value.
///
/// # Errors
///
/// [`Corruption`](crate::ErrorKind::Corruption) when the bytes are too few for an expiry.
#[inline]
pub fn split_expiry(bytes: &[u8]) -> Result<(u64, &[u8])> {
    match bytes.split_first_chunk::<EXPIRY_LEN>() {
        Some((expiry, value)) => Ok((u64::from_le_bytes(*expiry), value)),
        None => Err(Error::corruption(format!("{} bytes are too few for an expiry", bytes.len()))),
    }
}
