//! The bounds of what can be stored, checked once, at the door.

use crate::{Error, Result};

/// The longest key, in bytes: 64 KiB. The empty key is a key.
pub const MAX_KEY_LEN: usize = 64 * 1024;

/// The longest value, in bytes: 1 GiB.
pub const MAX_VALUE_LEN: usize = 1024 * 1024 * 1024;

/// Refuses a key over [`MAX_KEY_LEN`].
///
/// # Errors
///
/// [`InvalidArgument`](crate::ErrorKind::InvalidArgument), with both lengths.
#[inline]
pub fn check_key(key: &[u8]) -> Result<()> {
    if key.len() > MAX_KEY_LEN { Err(too_long("key", key.len(), MAX_KEY_LEN)) } else { Ok(()) }
}

/// Refuses a value over [`MAX_VALUE_LEN`].
///
/// # Errors
///
/// [`InvalidArgument`](crate::ErrorKind::InvalidArgument), with both lengths.
#[inline]
pub fn check_value(value: &[u8]) -> Result<()> {
    if value.len() > MAX_VALUE_LEN { Err(too_long("value", value.len(), MAX_VALUE_LEN)) } else { Ok(()) }
}

#[cold]
fn too_long(what: &str, len: usize, max: usize) -> Error {
    Error::invalid_argument(format!("a {what} of {len} bytes is over the limit of {max}; store it in pieces"))
}
