//! Holding all writers, while something takes its place in the history that is not in the log.
//!
//! ```text
//!   log    ... put@15  put@16 | @17 @18 |  put@19 ...
//!                             +-- taken --+    the numbers are noted in the log, as entries of no keyspace
//! ```
//!
//! The numbers are in the log whatever becomes of what they were taken for, so the log has no hole, and no later write
//! gets one of them.
//!
//! Invariant: while writers are held nothing is published but by who holds them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use slice_memtable::MemTable;
use slice_types::{EntryKind, KeyRange, KeyspaceId, Result, SeqNo};
use slice_wal::{EncodedBatch, LogPosition};

use super::Commit;
use crate::signal::lock;
use crate::tree::{Memory, Tree};

impl Commit {
    /// Makes all writers wait from now on. What was being written is written when this returns.
    pub(crate) fn hold(&self) {
        lock(&self.state).is_held = true;
    }

    /// Lets writers go on. The caller wakes them.
    pub(crate) fn let_go(&self) {
        lock(&self.state).is_held = false;
    }

    /// Whether writers have to wait for who holds them.
    pub(crate) fn is_held(&self) -> bool {
        lock(&self.state).is_held
    }

    /// Takes so many numbers, at least one, without publishing them. Gives the first, and where the log ends then.
    ///
    /// # Errors
    ///
    /// What the log says, and why writes are refused if they are; then nothing was taken.
    pub(crate) fn take_numbers(&self, count: usize) -> Result<(SeqNo, LogPosition)> {
        let mut batch = EncodedBatch::new();
        for _ in 0..count {
            batch.push(KeyspaceId::NONE, EntryKind::Delete, &[], &[])?;
        }
        batch.seal();
        let mut state = lock(&self.state);
        if let Some(refused) = &state.refused {
            return Err(refused.clone());
        }
        let first = state.next;
        let end = state.append(first, &batch)?;
        state.next = first.plus(count as u64);
        self.sync.appended(end);
        Ok((first, end))
    }

    /// A memtable for what a keyspace is written from now on; `None`, and all as before, when the one that it has holds
    /// anything. The caller puts it into the view.
    pub(crate) fn renew_memtable(&self, tree: &Tree) -> Option<Arc<Memory>> {
        let mut state = lock(&self.state);
        let active = state.active.get_mut(tree.id).filter(|active| active.memory.is_empty())?;
        active.memory = Arc::new(Memory::of(tree.settings().options.memtable_kind));
        Some(Arc::clone(&active.memory))
    }

    /// Publishes all numbers up to `last`, which were taken before, and tells transactions which keys changed.
    pub(crate) fn publish(&self, last: SeqNo, tree: &Tree, changed: &[KeyRange]) {
        let mut state = lock(&self.state);
        for range in changed {
            state.conflicts.record_range(tree.id, range);
        }
        self.visible.store(last.get(), Ordering::Release);
    }
}
