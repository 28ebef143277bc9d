//! The two ends of a scan, which come towards each other and do not pass.
//!
//! Each end has a cursor, made when it is first asked for. What one of them has dealt with is the bound of the other.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use slice_memtable::MemTable;
use slice_sstable::{CachePolicy, IterOptions, ReadMode};
use slice_types::{Result, SeqNo};

use super::bounds::as_slice;
use super::cursor::{Cursor, Place};
use super::overlay::{Onward, Overlay};
use super::{Borrowed, Item, KeyRange};
use crate::db::{Core, ReadAt};
use crate::tree::{Deletes, Input, Run, RunIter, Tree, View};

/// What a scan reads: one view, as of one moment.
pub(crate) struct Source {
    pub(super) core: Arc<Core>,
    pub(super) tree: Arc<Tree>,
    view: Arc<View>,
    pub(super) at: SeqNo,
    pub(super) overlay: Option<Overlay>,
    /// Set when nobody will take what the scan finds.
    abandoned: AtomicBool,
}

impl Source {
    /// The view of this moment. It is loaded before the number, as in [`Tree::get`].
    pub(crate) fn new(core: &Arc<Core>, tree: &Arc<Tree>, at: ReadAt, overlay: Option<Overlay>) -> Self {
        let view = tree.keep_view();
        let at = core.read_at(at);
        let (core, tree) = (Arc::clone(core), Arc::clone(tree));
        Self { core, tree, view, at, overlay, abandoned: AtomicBool::new(false) }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8], mode: ReadMode) -> Result<Option<Bytes>> {
        let rules = &self.tree.rules;
        let below = || self.view.value(key, self.at, mode, &self.core.caches, rules);
        match &self.overlay {
            None => below(),
            Some(own) => own.value(key, rules, below),
        }
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        self.core.check_open()
    }

    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// What range tombstones delete.
    pub(super) fn deletes(&self) -> Deletes {
        self.view.deletes(self.at)
    }

    /// Adds everything that is read to `inputs`, newest first.
    pub(super) fn inputs(&self, mode: ReadMode, inputs: &mut Vec<Input>) {
        let options = IterOptions { cache_policy: CachePolicy::Scan, readahead_bytes: 0, mode };
        let version = &self.view.version;
        inputs.extend(self.overlay.iter().map(|own| Input::Overlay(own.walk())));
        let frozen = self.view.frozen.iter().map(|frozen| &frozen.memory);
        for memory in std::iter::once(&self.view.active).chain(frozen).filter(|memory| !memory.is_empty()) {
            inputs.push(Input::Memory(memory.iter()));
        }
        let Some((flushed, sorted)) = version.levels().split_first() else { return };
        for table in flushed.iter().rev() {
            inputs.push(Input::of_table(table, options));
        }
        for (level, _) in (1..).zip(sorted).filter(|(_, tables)| !tables.is_empty()) {
            inputs.push(Input::Run(RunIter::new(Run::Level(Arc::clone(version), level), options)));
        }
    }
}

/// A scan, without a face.
pub(crate) struct Ends {
    pub(super) source: Arc<Source>,
    range: KeyRange,
    front: Option<Box<Cursor>>,
    back: Option<Box<Cursor>>,
    mode: ReadMode,
}

impl Ends {
    /// A scan of a range.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when the range ends before it begins.
    pub(crate) fn new(source: Source, range: KeyRange) -> Result<Self> {
        range.check()?;
        source.tree.check_exists()?;
        let source = Arc::new(source);
        Ok(Self { source, range, front: None, back: None, mode: ReadMode::Wait })
    }

    /// The entries that the last movements of both ends passed over.
    #[cfg(test)]
    pub(super) fn passed(&self) -> usize {
        [&self.front, &self.back].into_iter().flatten().map(|cursor| cursor.passed).sum()
    }

    /// Whether movements may wait for the disk.
    pub(super) fn set_mode(&mut self, mode: ReadMode) {
        self.mode = mode;
        for cursor in [&mut self.front, &mut self.back].into_iter().flatten() {
            cursor.set_mode(mode);
        }
    }

    /// The next key from the front, and its value. After an error it may be asked again, and goes on in the same place.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Item>> {
        Ok(self.step()?.and_then(Cursor::item))
    }

    /// The next key from the back, and its value.
    #[inline]
    pub(crate) fn next_back(&mut self) -> Result<Option<Item>> {
        Ok(self.step_back()?.and_then(Cursor::item))
    }

    /// As [`next`](Self::next), borrowed.
    #[inline]
    pub(crate) fn next_ref(&mut self) -> Result<Option<Borrowed<'_>>> {
        Ok(self.step()?.and_then(Cursor::found))
    }

    /// As [`next_back`](Self::next_back), borrowed.
    #[inline]
    pub(crate) fn next_back_ref(&mut self) -> Result<Option<Borrowed<'_>>> {
        Ok(self.step_back()?.and_then(Cursor::found))
    }

    /// Moves the front to the next key.
    #[inline]
    fn step(&mut self) -> Result<Option<&Cursor>> {
        self.source.core.check_open()?;
        let Self { source, range, front, back, mode } = self;
        let front = front.get_or_insert_with(|| begin(source, *mode, &range.lower));
        let upper = match back {
            Some(back) => limit(back, &range.upper),
            None => as_slice(&range.upper),
        };
        while front.next(upper)? {
            match source.overlay.as_ref().and_then(|own| own.forward(&front.key)) {
                None => return Ok(Some(front)),
                Some(Onward::Nowhere) => break,
                Some(Onward::At(key)) => front.go_to(Bound::Included(&key)),
            }
        }
        Ok(None)
    }

    /// Moves the back to the preceding key.
    #[inline]
    fn step_back(&mut self) -> Result<Option<&Cursor>> {
        self.source.core.check_open()?;
        let Self { source, range, front, back, mode } = self;
        let back = back.get_or_insert_with(|| begin(source, *mode, &range.upper));
        let lower = match front {
            Some(front) => limit(front, &range.lower),
            None => as_slice(&range.lower),
        };
        while back.prev(lower)? {
            match source.overlay.as_ref().and_then(|own| own.backward(&back.key)) {
                None => return Ok(Some(back)),
                Some(bound) => back.go_to(as_slice(&bound)),
            }
        }
        Ok(None)
    }

    /// The front goes on at the first key of the range that is not below `key`.
    pub(crate) fn seek(&mut self, key: &[u8]) {
        let Self { source, range, front, mode, .. } = self;
        let bound = if range.starts_behind(key) { as_slice(&range.lower) } else { Bound::Included(key) };
        front.get_or_insert_with(|| begin(source, *mode, &range.lower)).go_to(bound);
    }

    /// The back goes on at the last key of the range that is not above `key`.
    pub(crate) fn seek_back(&mut self, key: &[u8]) {
        let Self { source, range, back, mode, .. } = self;
        let bound = if range.ends_before(key) { as_slice(&range.upper) } else { Bound::Included(key) };
        back.get_or_insert_with(|| begin(source, *mode, &range.upper)).go_to(bound);
    }
}

#[cold]
fn begin(source: &Arc<Source>, mode: ReadMode, bound: &Bound<Bytes>) -> Box<Cursor> {
    let mut cursor = Box::new(Cursor::new(Arc::clone(source), mode));
    cursor.go_to(as_slice(bound));
    cursor
}

/// How far the one end may go: up to where the other has come, or to the range's `bound`.
fn limit<'a>(other: &'a Cursor, bound: &'a Bound<Bytes>) -> Bound<&'a [u8]> {
    match other.place {
        Place::Edge => as_slice(bound),
        Place::At => Bound::Included(&other.key),
        Place::Past => Bound::Excluded(&other.key),
    }
}
