//! Operands: folded with each other, and into the value below them where the merge has it.
//!
//! Versions come newest first, so an operand waits for what is below it. Two operands of one stripe become one, with
//! the newer one's sequence number: all readers of the stripe see both or, above it, what they make. What it waits for
//! then decides:
//!
//! ```text
//!   below it                          what is written
//!
//!   a value of the same stripe        Put: the operand merged into it
//!   a tombstone; a covered version    Put: the operand merged into nothing
//!   nothing, in no deeper table       Put: the operand merged into nothing
//!   a value that has yet to expire    both as they are: later there will be nothing below the operand
//!   a value or operand of an older    both as they are: a snapshot in between sees the lower one alone
//!   stripe
//!   nothing here, but perhaps deeper  the operand as it is
//! ```
//!
//! Where the rules cannot combine two entries, both stay as they are.

use slice_types::{EntryKind, EntryRef, Result, Trailer, join_expiry, split_expiry};

use super::versions::Fate;
use super::{Decision, Merge, TableSink, ValueRules};

/// The operands of a key that were read last, folded into one.
#[derive(Debug)]
pub(super) struct Pending {
    /// The trailer of the newest.
    trailer: Trailer,
    stripe: usize,
    operand: Vec<u8>,
}

impl<R: ValueRules, S: TableSink> Merge<'_, R, S> {
    /// Decides what becomes of an entry that is an operand, or comes below one.
    pub(super) fn decide_operands(&mut self, entry: EntryRef<'_>, fate: Fate) -> Result<()> {
        let stripe = self.versions.stripe(entry.seqno());
        let is_in_stripe = self.pending.as_ref().is_some_and(|pending| Some(pending.stripe) == stripe);
        match (entry.kind(), fate) {
            (EntryKind::Delete, fate) => self.meet_tombstone(entry, fate, is_in_stripe),
            // Nothing settles the stripe of a waiting operand but a range tombstone that covers the entry.
            (_, Fate::Hidden | Fate::NothingToHide) => {
                self.write_on_nothing()?;
                self.drop_entry(fate);
                Ok(())
            }
            (EntryKind::Merge, Fate::Keep) => match stripe {
                Some(stripe) if self.rules.combines() => self.meet_operand(entry, stripe, is_in_stripe),
                _ => self.keep_both(entry),
            },
            (EntryKind::Put, Fate::Keep) if is_in_stripe => self.meet_value(entry),
            (_, Fate::Keep) => self.keep_both(entry),
        }
    }

    /// What waits at the end of a key has nothing below it, if no deeper table can hold the key.
    #[inline]
    pub(super) fn end_key(&mut self) -> Result<()> {
        if self.pending.is_none() {
            return Ok(());
        }
        let key = std::mem::take(&mut self.key);
        let is_bottom = self.versions.is_bottom(&key);
        self.key = key;
        if is_bottom { self.write_on_nothing() } else { self.write_pending() }
    }

    fn keep_both(&mut self, entry: EntryRef<'_>) -> Result<()> {
        self.write_pending()?;
        self.keep(entry)
    }

    fn meet_operand(&mut self, entry: EntryRef<'_>, stripe: usize, is_in_stripe: bool) -> Result<()> {
        if let Some(pending) = self.pending.as_mut().filter(|_| is_in_stripe)
            && let Some(folded) = self.rules.combine(entry.key, Some(entry.value), &pending.operand)
        {
            pending.operand = folded;
            self.stats.folded += 1;
            return Ok(());
        }
        self.write_pending()?;
        self.pending = Some(Pending { trailer: entry.trailer, stripe, operand: entry.value.to_vec() });
        Ok(())
    }

    fn meet_value(&mut self, entry: EntryRef<'_>) -> Result<()> {
        let Some(pending) = &self.pending else { return self.keep(entry) };
        match self.rules.combine(entry.key, Some(entry.value), &pending.operand) {
            Some(folded) => {
                self.stats.folded += 1;
                self.write_folded(&folded)
            }
            None => self.keep_both(entry),
        }
    }

    /// A tombstone of an older stripe is nothing below the operand as well, but its own readers need it.
    fn meet_tombstone(&mut self, entry: EntryRef<'_>, fate: Fate, is_in_stripe: bool) -> Result<()> {
        let is_folded = self.write_on_nothing_if_possible()?;
        match fate {
            Fate::Keep if is_folded && is_in_stripe => {
                self.stats.dropped_tombstones += 1;
                Ok(())
            }
            Fate::Keep => self.keep(entry),
            fate => {
                self.drop_entry(fate);
                Ok(())
            }
        }
    }

    fn write_on_nothing(&mut self) -> Result<()> {
        self.write_on_nothing_if_possible().map(|_is_folded| ())
    }

    /// Writes what waits as a value, with nothing below it; `false` where it had to stay an operand.
    fn write_on_nothing_if_possible(&mut self) -> Result<bool> {
        let Some(pending) = &self.pending else { return Ok(false) };
        match self.rules.combine(&self.key, None, &pending.operand) {
            Some(folded) => self.write_folded(&folded).map(|()| true),
            None => self.write_pending().map(|()| false),
        }
    }

    /// Writes what waits as the value that it has become.
    fn write_folded(&mut self, value: &[u8]) -> Result<()> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let trailer = Trailer::new(pending.trailer.seqno(), EntryKind::Put);
        self.write(trailer, value, Self::keep_filtered)
    }

    /// Writes what waits as the operand that it is.
    fn write_pending(&mut self) -> Result<()> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        self.write(pending.trailer, &pending.operand, Self::keep)
    }

    /// Writes an entry of the key in hand.
    fn write(
        &mut self,
        trailer: Trailer,
        value: &[u8],
        keep: impl FnOnce(&mut Self, EntryRef<'_>) -> Result<()>,
    ) -> Result<()> {
        let key = std::mem::take(&mut self.key);
        let written = keep(self, EntryRef::new(&key, trailer, value));
        self.key = key;
        written
    }

    /// Keeps an entry, unless it is a value that the filter may take away, and does.
    #[inline]
    pub(super) fn keep_filtered(&mut self, entry: EntryRef<'_>) -> Result<()> {
        let entry = self.raised(entry);
        let is_value = matches!(entry.kind(), EntryKind::Put | EntryKind::PutUntil);
        if !is_value || !self.rules.filters() {
            return self.keep(entry);
        }
        match self.versions.stripe(entry.seqno()) {
            Some(stripe) if self.versions.is_newest(stripe) => self.filter(entry, stripe),
            _ => self.keep(entry),
        }
    }

    fn filter(&mut self, entry: EntryRef<'_>, stripe: usize) -> Result<()> {
        let (expiry_ms, value) = match entry.kind() {
            EntryKind::PutUntil => {
                split_expiry(entry.value).map(|(expiry_ms, value)| (Some(expiry_ms), value))?
            }
            _ => (None, entry.value),
        };
        match self.rules.decide(entry.key, value) {
            Decision::Keep => self.keep(entry),
            Decision::Replace(value) => {
                let value =
                    expiry_ms.map_or_else(|| value.clone(), |expiry_ms| join_expiry(expiry_ms, &value));
                self.keep(EntryRef { value: &value, ..entry })
            }
            Decision::Remove if stripe == 0 && self.versions.is_bottom(entry.key) => {
                self.stats.filtered += 1;
                Ok(())
            }
            Decision::Remove => {
                self.keep(EntryRef::new(entry.key, Trailer::new(entry.seqno(), EntryKind::Delete), &[]))
            }
        }
    }
}
