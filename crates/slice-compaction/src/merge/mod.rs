//! The merge: sorted streams in, sorted tables out, and what nobody can see any more left behind.
//!
//! ```text
//!   input 0 (newest) ─┐
//!   input 1          ─┼─> MergingIter ─> Versions ─> operands ─> Cuts ─> TableSink
//!   input k (oldest) ─┘   one order      drops       folds       ends tables
//! ```
//!
//! What values mean is given as [`ValueRules`]; without, they are bytes. Three invariants hold of the output: it is in
//! internal order; the versions of one user key are in one table; and a reader at any live snapshot, or at the newest
//! published sequence number or later, reads the same from it (with the deeper levels below) as from the inputs; but for
//! what a filter decides.

mod cuts;
mod deeper;
mod iter;
mod loser_tree;
mod operands;
mod raise;
mod rules;
mod split;
mod versions;

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as MemoryOrdering};

use slice_types::{EntryIterator, EntryKind, EntryRef, Error, ErrorKind, RangeIndex, Result, SeqNo, Trailer};

pub use cuts::Grandparent;
pub use deeper::DeeperKeys;
pub use iter::MergingIter;
pub use raise::Raise;
pub use rules::{Decision, NoRules, ValueRules};
pub use split::split_ranges;

use cuts::Cuts;
use operands::Pending;
use raise::Raising;
use versions::{Fate, Versions};

/// Where a merge writes.
pub trait TableSink {
    /// Appends an entry to the table in progress; starts one if there is none. Entries come in internal order.
    ///
    /// # Errors
    ///
    /// Whatever prevents writing. The merge ends with that error.
    fn add(&mut self, entry: EntryRef<'_>) -> Result<()>;

    /// The size of the table in progress so far, in stored bytes; 0 when there is none. An estimate is good enough.
    fn bytes(&self) -> u64;

    /// Ends the table in progress. A later [`add`](Self::add) starts another. Called once for each table that has an
    /// entry, for the last one too.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    fn cut(&mut self) -> Result<()>;
}

/// What a merge has to respect.
#[derive(Clone, Debug)]
pub struct MergeOptions<'a> {
    /// The live snapshots, ascending.
    pub snapshots: &'a [SeqNo],
    /// The newest published sequence number. Snapshots taken while the merge runs are at it or later, so it counts as
    /// one; entries above it are all kept.
    pub visible: SeqNo,
    /// The range tombstones of the tree, all of them durable: what they cover is left out, as far as no reader needs it.
    pub range_tombstones: Arc<RangeIndex>,
    /// Where older data may be that is no part of the job: a tombstone stays while its key may be there. See
    /// [`Task::deeper_keys`](crate::Task::deeper_keys).
    pub deeper: DeeperKeys,
    /// Which sequence numbers may become one. See [`Task::raise`](crate::Task::raise).
    pub raise: Raise,
    /// The size at which a table ends, in bytes; `u64::MAX` for one table. See
    /// [`Task::target_table_bytes`](crate::Task::target_table_bytes).
    pub target_table_bytes: u64,
    /// The tables below the output level, by key: tables end where they do, where that is possible. See
    /// [`Task::grandparents`](crate::Task::grandparents).
    pub grandparents: Vec<Grandparent>,
    /// The user keys to merge: from the first (included) to the second (excluded); `None` is unbounded.
    pub range: (Option<&'a [u8]>, Option<&'a [u8]>),
    /// Set to true by another thread to end the merge early.
    pub cancel: &'a AtomicBool,
}

/// What a merge did. Bytes are raw: key, value and eight for the trailer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeStats {
    /// Entries read.
    pub entries_in: u64,
    /// Entries written.
    pub entries_out: u64,
    /// Entries dropped because a newer version or a range tombstone hides them from every reader, or a dropped tombstone
    /// did.
    pub dropped_versions: u64,
    /// Tombstones dropped because nothing is left that they hide, expired values among them.
    pub dropped_tombstones: u64,
    /// Operands that were folded into what was below them, or what was above them into them.
    pub folded: u64,
    /// Values dropped because a filter said so.
    pub filtered: u64,
    /// Values that had expired, dropped or turned into tombstones.
    pub expired: u64,
    /// Raw bytes read.
    pub bytes_in: u64,
    /// Raw bytes written.
    pub bytes_out: u64,
    /// Tables written.
    pub tables_out: u64,
}

impl MergeOptions<'_> {
    /// The newest range tombstone that covers nothing in the merge's tables: all up to it are applied in full, for
    /// nobody reads at a number below them. 0 when there is none.
    pub fn purged(&self) -> SeqNo {
        self.range_tombstones.newest(self.oldest()).unwrap_or(SeqNo::ZERO)
    }

    /// Nobody reads at a number below it.
    fn oldest(&self) -> SeqNo {
        self.snapshots.first().map_or(self.visible, |first| self.visible.min(*first))
    }
}

impl MergeStats {
    /// Adds the figures of another merge: of another key range of the same job, or of another job.
    pub const fn add(&mut self, other: &Self) {
        self.entries_in += other.entries_in;
        self.entries_out += other.entries_out;
        self.dropped_versions += other.dropped_versions;
        self.dropped_tombstones += other.dropped_tombstones;
        self.folded += other.folded;
        self.filtered += other.filtered;
        self.expired += other.expired;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.tables_out += other.tables_out;
    }
}

/// Merges `inputs`, newest first, into `sink`. Operands and values that expire are bytes like any others: see
/// [`merge_values`].
///
/// # Errors
///
/// [`Closed`](ErrorKind::Closed) when cancelled; [`Corruption`](ErrorKind::Corruption) when an input is out of order;
/// what an input or the sink reports. What the sink has got until then is incomplete and must be thrown away.
pub fn merge<I: EntryIterator, S: TableSink>(
    inputs: Vec<I>,
    options: &MergeOptions<'_>,
    sink: &mut S,
) -> Result<MergeStats> {
    merge_values(inputs, options, &mut NoRules, sink)
}

/// As [`merge`], with rules for the values: operands are folded, what has expired goes, and a filter has its say.
///
/// # Errors
///
/// As [`merge`]; what the rules report.
pub fn merge_values<I: EntryIterator, R: ValueRules, S: TableSink>(
    inputs: Vec<I>,
    options: &MergeOptions<'_>,
    rules: &mut R,
    sink: &mut S,
) -> Result<MergeStats> {
    let mut input = MergingIter::new(inputs);
    match options.range.0 {
        Some(start) => input.seek(start, Trailer::FIRST)?,
        None => input.seek_to_first()?,
    }
    let mut merge = Merge::new(options, rules, sink);
    while let Some(entry) = input.entry() {
        if merge.is_past_the_end(entry) {
            break;
        }
        merge.take(entry)?;
        input.next()?;
    }
    merge.finish()
}

/// Entries between two looks at the cancel flag: some tens of microseconds.
const CANCEL_INTERVAL: u64 = 256;

struct Merge<'a, R, S> {
    options: &'a MergeOptions<'a>,
    rules: &'a mut R,
    sink: &'a mut S,
    versions: Versions<'a>,
    raising: Raising<'a>,
    cuts: Cuts<'a>,
    key: Vec<u8>,
    /// The trailer of the last entry read; `None` before the first.
    trailer: Option<Trailer>,
    /// The operands of `key` that wait for what is below them.
    pending: Option<Pending>,
    /// Whether the table in progress has a version of `key`.
    has_key: bool,
    /// Whether there is a table in progress.
    has_table: bool,
    stats: MergeStats,
}

impl<'a, R: ValueRules, S: TableSink> Merge<'a, R, S> {
    fn new(options: &'a MergeOptions<'a>, rules: &'a mut R, sink: &'a mut S) -> Self {
        Self {
            options,
            rules,
            sink,
            versions: Versions::new(options),
            raising: Raising::new(&options.raise, options.oldest()),
            cuts: Cuts::new(&options.grandparents, options.target_table_bytes),
            key: Vec::new(),
            trailer: None,
            pending: None,
            has_key: false,
            has_table: false,
            stats: MergeStats::default(),
        }
    }

    #[inline]
    fn is_past_the_end(&self, entry: EntryRef<'_>) -> bool {
        self.options.range.1.is_some_and(|end| entry.key >= end)
    }

    #[inline]
    fn take(&mut self, entry: EntryRef<'_>) -> Result<()> {
        if self.stats.entries_in.is_multiple_of(CANCEL_INTERVAL) {
            self.check_cancelled()?;
        }
        self.stats.entries_in += 1;
        self.stats.bytes_in += raw_bytes(entry);
        if self.advance(entry)? {
            self.decide(entry)
        } else {
            // A log replayed twice gives the same entry twice; the newer input's stands.
            self.stats.dropped_versions += 1;
            Ok(())
        }
    }

    /// Checks the order and notes the key; `false` for an entry that was there already.
    #[inline]
    fn advance(&mut self, entry: EntryRef<'_>) -> Result<bool> {
        let order = match self.trailer {
            None => Ordering::Greater,
            Some(_) => entry.key.cmp(&self.key),
        };
        if order == Ordering::Greater {
            self.end_key()?;
            self.key.clear();
            self.key.extend_from_slice(entry.key);
            self.has_key = false;
            self.versions.start_key();
        } else if self.trailer == Some(entry.trailer) && order == Ordering::Equal {
            return Ok(false);
        } else if order == Ordering::Less
            || self.trailer.is_some_and(|last| last.to_u64() < entry.trailer.to_u64())
        {
            return Err(self.out_of_order(entry));
        }
        self.trailer = Some(entry.trailer);
        Ok(true)
    }

    /// Decides what becomes of an entry, and of the operands above it.
    #[inline]
    fn decide(&mut self, entry: EntryRef<'_>) -> Result<()> {
        let entry = self.without_expired(entry)?;
        let fate = self.versions.fate(entry);
        if self.pending.is_some() || entry.kind() == EntryKind::Merge {
            return self.decide_operands(entry, fate);
        }
        match fate {
            Fate::Keep => self.keep_filtered(entry),
            fate => {
                self.drop_entry(fate);
                Ok(())
            }
        }
    }

    /// The entry with a number that its neighbours have, too, if it is the first of its key.
    #[inline]
    fn raised<'e>(&mut self, entry: EntryRef<'e>) -> EntryRef<'e> {
        if self.has_key || self.versions.stripe(entry.seqno()) != Some(0) {
            return entry;
        }
        self.raising.raised(entry)
    }

    fn drop_entry(&mut self, fate: Fate) {
        match fate {
            Fate::Keep => {}
            Fate::Hidden => self.stats.dropped_versions += 1,
            Fate::NothingToHide => self.stats.dropped_tombstones += 1,
        }
    }

    /// The entry, or the tombstone that it is once it has expired.
    #[inline]
    fn without_expired<'e>(&mut self, entry: EntryRef<'e>) -> Result<EntryRef<'e>> {
        if entry.kind() != EntryKind::PutUntil || !self.rules.is_expired(entry.value)? {
            return Ok(entry);
        }
        self.stats.expired += 1;
        Ok(EntryRef::new(entry.key, Trailer::new(entry.seqno(), EntryKind::Delete), &[]))
    }

    #[inline]
    fn keep(&mut self, entry: EntryRef<'_>) -> Result<()> {
        if !self.has_key {
            let is_due = self.cuts.is_due_before(entry.key, self.sink.bytes());
            if !self.has_table {
                self.cuts.start_table();
            } else if is_due {
                self.cut()?;
            }
        }
        self.sink.add(entry)?;
        self.has_key = true;
        self.has_table = true;
        self.stats.entries_out += 1;
        self.stats.bytes_out += raw_bytes(entry);
        Ok(())
    }

    fn cut(&mut self) -> Result<()> {
        assert!(self.has_table, "a table without entries is never ended");
        assert!(!self.has_key, "the versions of a key are in one table");
        self.sink.cut()?;
        self.cuts.start_table();
        self.has_table = false;
        self.stats.tables_out += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<MergeStats> {
        self.check_cancelled()?;
        self.end_key()?;
        self.has_key = false;
        if self.has_table {
            self.cut()?;
        }
        Ok(self.stats)
    }

    fn check_cancelled(&self) -> Result<()> {
        if self.options.cancel.load(MemoryOrdering::Relaxed) {
            return Err(Error::new(ErrorKind::Closed, "the merge was cancelled"));
        }
        Ok(())
    }

    #[cold]
    fn out_of_order(&self, entry: EntryRef<'_>) -> Error {
        Error::corruption(format!("an input of a merge is out of order: {entry:?} comes after {}", {
            let last = self.trailer.unwrap_or(Trailer::FIRST);
            format!("{}{last:?}", self.key.escape_ascii())
        }))
    }
}

#[inline]
const fn raw_bytes(entry: EntryRef<'_>) -> u64 {
    (entry.key.len() + entry.value.len() + size_of::<Trailer>()) as u64
}
