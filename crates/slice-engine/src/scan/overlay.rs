//! What a transaction has written itself, laid over what it reads: newer than everything.
//!
//! Its entries carry the highest sequence number of all, which no write ever gets. So they come first among the
//! versions of their key, and a cursor takes them for visible at any moment.

use std::sync::Arc;

use bytes::Bytes;
use slice_types::{EntryIterator, EntryKind, EntryRef, Result, SeqNo, Trailer, internal_cmp};

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

/// The writes of a transaction at one moment: ascending by key, each key once.
pub(crate) type Overlay = Arc<[Own]>;

/// Walks an overlay. Its movements never fail.
#[derive(Debug)]
pub(crate) struct OverlayIter {
    writes: Overlay,
    /// The place that it stands on; none when it is beyond the end.
    at: usize,
}

impl OverlayIter {
    pub(crate) fn new(writes: Overlay) -> Self {
        debug_assert!(writes.is_sorted_by(|left, right| left.key < right.key), "an overlay is sorted");
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
