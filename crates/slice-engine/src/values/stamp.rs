//! What a write becomes on its way into the log.
//!
//! A batch is made without a store: it does not know the time, nor the keyspace's rules. So a value that expires
//! carries the time that it is to stay, until the batch is written and the end of that time is put there instead.

use std::borrow::Cow;

use slice_types::{EXPIRY_NEVER, EntryKind, Error, Result, join_expiry, split_expiry};
use slice_wal::EncodedBatch;

use super::Rules;
use super::clock::millis;

impl Rules {
    /// The kind and the value to be written for what the user wants written.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a merge in a keyspace without a merge operator.
    #[inline]
    pub(crate) fn stamp<'v>(&self, kind: EntryKind, value: &'v [u8]) -> Result<(EntryKind, Cow<'v, [u8]>)> {
        match kind {
            EntryKind::Put => match self.default_ttl {
                None => Ok((kind, Cow::Borrowed(value))),
                Some(ttl) => Ok(self.until(millis(ttl), value)),
            },
            EntryKind::PutUntil => {
                let (ttl_ms, value) = split_expiry(value)?;
                Ok(self.until(ttl_ms, value))
            }
            EntryKind::Merge if self.operator.is_none() => Err(no_operator()),
            _ => Ok((kind, Cow::Borrowed(value))),
        }
    }

    fn until<'v>(&self, ttl_ms: u64, value: &'v [u8]) -> (EntryKind, Cow<'v, [u8]>) {
        match self.time.expiry_ms(ttl_ms) {
            EXPIRY_NEVER => (EntryKind::Put, Cow::Borrowed(value)),
            expiry_ms => (EntryKind::PutUntil, Cow::Owned(join_expiry(expiry_ms, value))),
        }
    }

    /// The same for a batch.
    ///
    /// # Errors
    ///
    /// As [`stamp`](Self::stamp); nothing of the batch is to be written then.
    pub(crate) fn stamp_batch(&self, batch: EncodedBatch) -> Result<EncodedBatch> {
        let is_plain =
            self.default_ttl.is_none() && !batch.has(EntryKind::PutUntil) && !batch.has(EntryKind::Merge);
        if is_plain {
            return Ok(batch);
        }
        let mut stamped = EncodedBatch::with_capacity(batch.byte_len());
        for entry in batch.entries() {
            let entry = entry?;
            let (kind, value) = self.stamp(entry.kind, entry.value)?;
            stamped.push(entry.keyspace, kind, entry.key, &value)?;
        }
        Ok(stamped)
    }
}

#[cold]
fn no_operator() -> Error {
    Error::invalid_argument(
        "a merge needs a merge operator; open the store with one (Builder::merge_operator). Nothing was written",
    )
}
