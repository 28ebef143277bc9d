//! What values mean, as far as a merge has to know: given by whoever knows more of them than their bytes.

use slice_types::Result;

/// What values mean. Pure: it opens no file and reads no clock, and answers the same question in the same way for as
/// long as the merge runs.
///
/// Nothing of it is asked of an entry whose kind does not call for it, so a plain put costs one question to the
/// [filter](Self::filters) and no more.
pub trait ValueRules {
    /// Whether [`combine`](Self::combine) is worth asking.
    fn combines(&self) -> bool {
        false
    }

    /// The operand merged into what is older: a value, an operand, or nothing where nothing is below. `None` when that
    /// cannot be done; the entries stay as they are then.
    fn combine(&mut self, key: &[u8], older: Option<&[u8]>, operand: &[u8]) -> Option<Vec<u8>> {
        let _ = (key, older, operand);
        None
    }

    /// Whether the value of a `PutUntil`, with its expiry in front, has expired. It counts as a tombstone then.
    ///
    /// # Errors
    ///
    /// [`Corruption`](slice_types::ErrorKind::Corruption) when it has no expiry; it ends the merge.
    fn is_expired(&self, value: &[u8]) -> Result<bool> {
        let _ = value;
        Ok(false)
    }

    /// Whether [`decide`](Self::decide) is worth asking.
    fn filters(&self) -> bool {
        false
    }

    /// What becomes of the newest value of a key that no live snapshot reads; given without its expiry.
    fn decide(&mut self, key: &[u8], value: &[u8]) -> Decision {
        let _ = (key, value);
        Decision::Keep
    }
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It stays.
    Keep,
    /// It goes, as if its key had been deleted.
    Remove,
    /// Another takes its place, and its expiry if it has one.
    Replace(Vec<u8>),
}

/// Values are bytes: nothing is folded, nothing expires, nothing is filtered.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRules;

impl ValueRules for NoRules {}
