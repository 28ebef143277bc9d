//! What a write becomes on its way into the log.
//!
//! A batch is made without a store: it does not know the time, nor the keyspace's rules. So a value that expires
//! carries the time that it is to stay, until the batch is written and the end of that time is put there instead.

use std::borrow::Cow;
use std::sync::Arc;

use slice_types::{EXPIRY_NEVER, EntryKind, Error, Result, join_expiry, split_expiry};
use slice_wal::EncodedBatch;

use super::Rules;
use super::clock::millis;
use crate::commit::unknown;
use crate::tree::Tree;

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
}

/// The same for a batch over these keyspaces, ascending by number: each entry by the rules of its own.
///
/// # Errors
///
/// As [`Rules::stamp`]; nothing of the batch is to be written then.
pub(crate) fn stamp_batch(batch: EncodedBatch, trees: &[Arc<Tree>]) -> Result<EncodedBatch> {
    let is_plain = !batch.has(EntryKind::PutUntil)
        && !batch.has(EntryKind::Merge)
        && trees.iter().all(|tree| tree.rules.default_ttl.is_none());
    if is_plain {
        return Ok(batch);
    }
    let mut stamped = EncodedBatch::with_capacity(batch.byte_len());
    for entry in batch.entries() {
        let entry = entry?;
        let place = trees.binary_search_by_key(&entry.keyspace, |tree| tree.id);
        let tree = place.ok().and_then(|at| trees.get(at)).ok_or_else(|| unknown(entry.keyspace))?;
        let (kind, value) = tree.rules.stamp(entry.kind, entry.value)?;
        stamped.push(entry.keyspace, kind, entry.key, &value)?;
    }
    Ok(stamped)
}

#[cold]
pub(super) fn no_operator() -> Error {
    Error::invalid_argument(
        "a merge needs a merge operator; open the store with one (Builder::merge_operator). Nothing was written",
    )
}
