//! The conflict index: what was written since each open transaction began.
//!
//! ```text
//!   time --->
//!
//!        A begins          B and C begin              D begins
//!        |   k1 k7 k9      |     k2 k7                |    (nothing yet)
//!        +-----------------+--------------------------+------------------
//!        epoch 4: 1 open   epoch 5: 2 open            epoch 6: 1 open
//! ```
//!
//! An epoch is the set of keys written between two beginnings of transactions. A transaction conflicts when a key of
//! its own is in its epoch or in a later one: so no sequence number has to be kept, and no key twice in an epoch.
//! While no transaction is open there is no epoch, and nothing is recorded.
//!
//! **Invariants**: the first epoch has an open transaction, so nothing is kept from before the oldest of them began.
//! Of the others, each has an open transaction or more than [`MERGED_MAX`] keys: the rest are merged into the epoch
//! before them. So there are few epochs, and ending a transaction takes bounded time under the commit lock; what is
//! forgotten is given to the caller, to be freed outside of it.
//!
//! All of this is under the commit lock. A transaction that begins takes that lock, then its moment: of each commit,
//! either the transaction sees it, or it is recorded for the transaction, or both.

use std::collections::BTreeMap;

use slice_types::{EntryKind, Error, ErrorKind, KeyRange, KeyspaceId, Result};
use slice_wal::EncodedBatch;

use super::keys::Keys;

/// The most keys that are moved when a transaction ends.
const MERGED_MAX: usize = 1024;

/// The epoch in which a transaction began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EpochNumber(u64);

/// What a commit depends on: that nobody has written certain keys since an epoch began.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) since: EpochNumber,
    pub(crate) keys: Keys,
}

/// The conflict index of a database.
#[derive(Debug, Default)]
pub(crate) struct Conflicts {
    epochs: BTreeMap<EpochNumber, Epoch>,
    /// The number of the next epoch.
    next: u64,
}

#[derive(Debug, Default)]
struct Epoch {
    /// Transactions that began with it and have not ended.
    open: usize,
    written: Keys,
}

/// What nobody asks for any more; to be dropped where that may take its time.
#[derive(Debug, Default)]
#[must_use = "it is dropped outside of the commit lock"]
pub(crate) struct Forgotten(#[expect(dead_code, reason = "it is only dropped")] Vec<Epoch>);

impl Conflicts {
    /// Begins a transaction, which is ended by [`end`](Self::end).
    pub(crate) fn begin(&mut self) -> EpochNumber {
        if let Some(mut last) = self.epochs.last_entry()
            && last.get().written.len() == 0
        {
            last.get_mut().open += 1;
            return *last.key();
        }
        let number = EpochNumber(self.next);
        self.next += 1;
        self.epochs.insert(number, Epoch { open: 1, ..Epoch::default() });
        number
    }

    /// Ends one of the transactions of an epoch.
    pub(crate) fn end(&mut self, number: EpochNumber) -> Forgotten {
        let epoch = self.epochs.get_mut(&number).expect("an epoch lasts while it has open transactions");
        epoch.open -= 1;
        if epoch.open == 0 {
            self.merge_down(number);
        }
        self.forget()
    }

    /// Moves the keys of an epoch that nobody began with to the one before, if they are few, or those of that one are.
    fn merge_down(&mut self, number: EpochNumber) {
        let Some((&before, earlier)) = self.epochs.range(..number).next_back() else { return };
        if earlier.written.len().min(self.epochs[&number].written.len()) > MERGED_MAX {
            return;
        }
        let Some(merged) = self.epochs.remove(&number) else { return };
        if let Some(earlier) = self.epochs.get_mut(&before) {
            earlier.written.extend(merged.written);
        }
    }

    /// Removes what was written before the oldest transaction began.
    fn forget(&mut self) -> Forgotten {
        let mut forgotten = Vec::new();
        while let Some(first) = self.epochs.first_entry()
            && first.get().open == 0
        {
            forgotten.push(first.remove());
        }
        Forgotten(forgotten)
    }

    /// Records what a batch writes, if anyone may ask.
    #[inline]
    pub(crate) fn record(&mut self, batch: &EncodedBatch) {
        if let Some(mut last) = self.epochs.last_entry() {
            last.get_mut().record(batch);
        }
    }

    /// Records that any key of a range may have been written.
    pub(crate) fn record_range(&mut self, keyspace: KeyspaceId, range: &KeyRange) {
        if let Some(mut last) = self.epochs.last_entry() {
            last.get_mut().written.insert_range(keyspace, range);
        }
    }

    /// Insists that none of the keys has been written since.
    ///
    /// # Errors
    ///
    /// `Conflict` when one was.
    pub(crate) fn check(&self, check: &Check) -> Result<()> {
        if self.epochs.range(check.since..).any(|(_, epoch)| epoch.written.meet(&check.keys)) {
            return Err(conflict());
        }
        Ok(())
    }

    /// Open transactions.
    pub(crate) fn open(&self) -> usize {
        self.epochs.values().map(|epoch| epoch.open).sum()
    }

    /// Keys and ranges that are kept.
    pub(crate) fn len(&self) -> usize {
        self.epochs.values().map(|epoch| epoch.written.len()).sum()
    }
}

impl Epoch {
    fn record(&mut self, batch: &EncodedBatch) {
        for entry in batch.entries() {
            let entry = entry.expect("a batch decodes to what its writer encoded");
            match entry.kind {
                EntryKind::RangeDelete => {
                    let range = KeyRange::from_bytes(entry.key, entry.value);
                    let range = range.expect("a batch has the ranges that its writer encoded");
                    self.written.insert_range(entry.keyspace, &range);
                }
                _ => self.written.insert(entry.keyspace, entry.key),
            }
        }
    }
}

fn conflict() -> Error {
    let message =
        "another writer was faster with a key that this one depends on; nothing was written, run it again";
    Error::new(ErrorKind::Conflict, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Conflicts {
        fn write(&mut self, key: u32) {
            let mut batch = EncodedBatch::new();
            batch
                .push(KeyspaceId::DEFAULT, EntryKind::Put, &key.to_be_bytes(), b"v")
                .expect("a short key and value");
            self.record(&batch);
        }

        fn conflicts(&self, since: EpochNumber, key: u32) -> bool {
            let mut keys = Keys::default();
            keys.insert(KeyspaceId::DEFAULT, &key.to_be_bytes());
            self.check(&Check { since, keys }).is_err()
        }
    }

    #[test]
    fn a_transaction_conflicts_with_what_was_written_since_it_began_and_with_nothing_else() {
        let mut index = Conflicts::default();
        let first = index.begin();
        index.write(1);
        let second = index.begin();
        index.write(2);
        assert!(index.conflicts(first, 1) && index.conflicts(first, 2));
        assert!(!index.conflicts(second, 1) && index.conflicts(second, 2));
        assert!(!index.conflicts(first, 3));
        let _forgotten = index.end(second);
        assert!(index.conflicts(first, 1) && index.conflicts(first, 2), "merged, not lost");
        let third = index.begin();
        assert!(!index.conflicts(third, 1) && !index.conflicts(third, 2));
    }

    #[test]
    fn a_range_conflicts_with_every_key_in_it() {
        let mut index = Conflicts::default();
        let open = index.begin();
        let range = KeyRange::from_bytes(&1_u32.to_be_bytes(), &3_u32.to_be_bytes()).expect("not empty");
        index.record_range(KeyspaceId::DEFAULT, &range);
        assert_eq!([0, 1, 2, 3].map(|key| index.conflicts(open, key)), [false, true, true, false]);
    }

    #[test]
    fn without_open_transactions_nothing_is_recorded() {
        let mut index = Conflicts::default();
        index.write(1);
        assert_eq!((index.len(), index.open()), (0, 0));
        let open = index.begin();
        index.write(1);
        assert_eq!((index.len(), index.open()), (1, 1));
        let _forgotten = index.end(open);
        index.write(1);
        assert_eq!((index.len(), index.open()), (0, 0));
    }

    #[test]
    fn the_index_holds_what_was_written_since_the_oldest_began_and_no_more() {
        let mut index = Conflicts::default();
        let mut oldest = index.begin();
        for round in 0..100_u32 {
            for n in 0..10 {
                index.write(round * 10 + n);
            }
            let next = index.begin();
            let _forgotten = index.end(oldest);
            oldest = next;
            assert_eq!((index.len(), index.epochs.len()), (0, 1), "round {round}");
        }
    }

    #[test]
    fn under_an_old_transaction_short_ones_leave_neither_epochs_nor_copies_behind() {
        let mut index = Conflicts::default();
        let old = index.begin();
        for n in 0..5000_u32 {
            let short = index.begin();
            index.write(n % 100);
            let _forgotten = index.end(short);
        }
        assert!(index.epochs.len() <= 2, "{}", index.epochs.len());
        assert_eq!(index.len(), 100, "of each key one is kept");
        let _forgotten = index.end(old);
        assert_eq!(index.len(), 0);
    }

    #[test]
    fn ending_a_transaction_moves_few_keys() {
        let mut index = Conflicts::default();
        let old = index.begin();
        let large = MERGED_MAX as u32 + 1;
        (0..large).for_each(|key| index.write(key));
        let young = index.begin();
        (large..2 * large).for_each(|key| index.write(key));
        let _forgotten = index.end(young);
        assert_eq!(index.epochs.len(), 2, "two large epochs stay apart");
        assert!(index.conflicts(old, 0) && index.conflicts(old, large));
        let _forgotten = index.end(old);
        assert_eq!((index.len(), index.epochs.len()), (0, 0));
    }
}
