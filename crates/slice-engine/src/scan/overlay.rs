//! What a transaction has written itself, laid over what it reads: newer than everything.
//!
//! Its entries carry the highest sequence number of all, which no write ever gets. So they come first among the
//! versions of their key, and a cursor takes them for visible at any moment.
//!
//! Ranges that the transaction has deleted are no entries: where a scan meets a key of the store in one of them, it
//! goes on behind it, at the next own write at the latest.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryIterator, EntryKind, EntryRef, Result, SeqNo, Trailer, internal_cmp};

use crate::transaction::Ranges;
use crate::values::Rules;

/// The sequence number of all entries of an overlay.
pub(crate) const OVERLAY: SeqNo = SeqNo::MAX;

/// One write of a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) key: Bytes,
    pub(crate) kind: EntryKind,
    /// Empty for a deletion.
    pub(crate) value: Bytes,
}

impl Own {
    fn place(&self) -> (&[u8], Trailer) {
        (&self.key, Trailer::new(OVERLAY, self.kind))
    }
}

/// The writes of a transaction at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Overlay {
    /// Ascending by key, each key once.
    writes: Arc<[Own]>,
    /// Keys that are deleted unless they are among `writes`.
    deleted: Ranges,
}

impl Overlay {
    pub(crate) fn new(writes: Arc<[Own]>, deleted: Ranges) -> Self {
        debug_assert!(writes.is_sorted_by(|left, right| left.key < right.key), "an overlay is sorted");
        Self { writes, deleted }
    }

    pub(super) fn walk(&self) -> OverlayIter {
        OverlayIter::new(Arc::clone(&self.writes))
    }

    /// The value of a key, where `below` gives that in the store.
    pub(super) fn value(
        &self,
        key: &[u8],
        rules: &Rules,
        below: impl FnOnce() -> Result<Option<Bytes>>,
    ) -> Result<Option<Bytes>> {
        let Some(own) = self.get(key) else {
            return if self.deleted.contains(key) { Ok(None) } else { below() };
        };
        match own.kind {
            EntryKind::Put => Ok(Some(own.value.clone())),
            EntryKind::Merge => rules.merge(key, below()?.as_deref(), &own.value).map(Some),
            _ => Ok(None),
        }
    }

    fn get(&self, key: &[u8]) -> Option<&Own> {
        self.writes.binary_search_by(|own| (*own.key).cmp(key)).ok().map(|place| &self.writes[place])
    }

    /// Whether the store's entry for a key is deleted by a range of the transaction's, and if so, which.
    fn hiding(&self, key: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
        let range = self.deleted.find(key)?;
        self.get(key).is_none().then_some(range)
    }

    /// Where a forward scan goes on that met a hidden key, if it did.
    pub(super) fn forward(&self, key: &[u8]) -> Option<Onward> {
        let (_, end) = self.hiding(key)?;
        let next = self.writes.get(self.writes.partition_point(|own| *own.key <= *key)).map(|own| &own.key);
        let end = end.map(Bytes::copy_from_slice);
        let sooner = match (next.cloned(), end) {
            (Some(next), Some(end)) => Some(next.min(end)),
            (next, end) => next.or(end),
        };
        Some(sooner.map_or(Onward::Nowhere, Onward::At))
    }

    /// The same for a backward scan, which goes on at or below what it gives.
    pub(super) fn backward(&self, key: &[u8]) -> Option<Bound<Bytes>> {
        let (start, _) = self.hiding(key)?;
        let place = self.writes.partition_point(|own| *own.key < *key).checked_sub(1);
        let previous = place.map(|place| &self.writes[place].key).filter(|previous| **previous >= *start);
        Some(match previous {
            Some(previous) => Bound::Included(previous.clone()),
            None => Bound::Excluded(Bytes::copy_from_slice(start)),
        })
    }
}

/// Where a scan goes on.
pub(super) enum Onward {
    /// At this key.
    At(Bytes),
    /// There is nothing more.
    Nowhere,
}

/// Walks an overlay. Its movements never fail.
#[derive(Debug)]
pub(crate) struct OverlayIter {
    writes: Arc<[Own]>,
    /// The place that it stands on; none when it is beyond the end.
    at: usize,
}

impl OverlayIter {
    fn new(writes: Arc<[Own]>) -> Self {
        Self { at: writes.len(), writes }
    }

    /// Key and value of the entry that it stands on.
    pub(crate) fn shared(&self) -> Option<(Bytes, Bytes)> {
        self.writes.get(self.at).map(|own| (own.key.clone(), own.value.clone()))
    }

    /// The value of the entry that it stands on.
    pub(crate) fn value(&self) -> Option<Bytes> {
        self.writes.get(self.at).map(|own| own.value.clone())
    }

    fn stand(&mut self, at: Option<usize>) {
        self.at = at.unwrap_or(self.writes.len());
    }
}

impl EntryIterator for OverlayIter {
    fn entry(&self) -> Option<EntryRef<'_>> {
        let own = self.writes.get(self.at)?;
        let (key, trailer) = own.place();
        Some(EntryRef::new(key, trailer, &own.value))
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.stand(Some(0));
        Ok(())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.stand(self.writes.len().checked_sub(1));
        Ok(())
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        let before = |own: &Own| internal_cmp(own.place(), (key, trailer)).is_lt();
        self.stand(Some(self.writes.partition_point(before)));
        Ok(())
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        let up_to = |own: &Own| internal_cmp(own.place(), (key, trailer)).is_le();
        self.stand(self.writes.partition_point(up_to).checked_sub(1));
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        self.stand(Some((self.at + 1).min(self.writes.len())));
        Ok(())
    }

    fn prev(&mut self) -> Result<()> {
        if self.at < self.writes.len() {
            self.stand(self.at.checked_sub(1));
        }
        Ok(())
    }
}
