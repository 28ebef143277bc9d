//! Walks the keys that are visible at one moment, in one direction.
//!
//! Below it lie entries: each key with all of its versions, newest first, and tombstones. Of each key it finds the
//! newest version at or below its moment, and passes over keys that are deleted, one by one or with their range.
//!
//! ```text
//!   at 20, forward:    a@31  a@17  a@3  |  b-@19  b@4  |  c@2          a@31 is not visible yet: next
//!                            ^ a                           ^ c         a@3, b@4 are hidden: next; c is the next key
//! ```
//!
//! Versions that do not matter are stepped over one by one at first; after a few of one key it seeks past all of them,
//! so that a key which is written all the time does not make a scan slow.
//!
//! Where a range tombstone covers key after key, the tables and memtables that are older than it as a whole are sought
//! past all of its stretch; what may have something newer goes on step by step.
//!
//! What it has found stays where it lies until somebody asks for it, borrowed or shared. Going backward, a key's newest
//! version comes last, so the iterator has to leave the key to know it: unless a look at the entry before it shows
//! that there is but the one version, which most keys have.
//!
//! Invariant: `key` and `place` always say where to go on, so a movement that fails loses nothing: with the iterator
//! unplaced, the next one seeks there.

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use bytes::Bytes;
use slice_compaction::MergingIter;
use slice_sstable::ReadMode;
use slice_types::{EntryIterator, EntryKind, EntryRef, Error, ErrorKind, Result, SeqNo, Trailer, key_prefix};

use super::bounds::{is_before, is_behind};
use super::ends::Source;
use super::overlay::OVERLAY;
use super::{Item, spare};
use crate::tree::{Deletes, Input};
use crate::values::Resolver;

/// Versions of one key that are stepped over before it seeks past the rest.
const STEPS_MAX: usize = 8;
/// Entries passed over without a result before somebody who must not wait is told that it takes longer.
const PATIENCE: usize = 1024;

/// Where a cursor goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The end of all keys that it comes from.
    Edge,
    /// The cursor's key, which is the next to be looked at.
    At,
    /// Beyond the cursor's key, all of whose versions are dealt with.
    Past,
}

/// Where the iterator below a cursor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// It has to be put where `key` and `place` say.
    Nowhere,
    /// On a version of the cursor's key.
    On,
    /// On the first entry that is to be looked at next.
    Ahead,
}

/// Walks visible keys; forward with [`next`](Self::next) or backward with [`prev`](Self::prev), never both.
pub(super) struct Cursor {
    iter: MergingIter<Input>,
    source: Arc<Source>,
    deletes: Deletes,
    pub(super) key: Vec<u8>,
    /// The prefix of `key`.
    prefix: u128,
    /// The value that was found, where it is not the one of the entry that `iter` stands on.
    value: Option<Bytes>,
    pub(super) place: Place,
    stand: Stand,
    has_ended: bool,
    mode: ReadMode,
    /// Entries that the last movement passed over.
    pub(super) passed: usize,
}

impl Cursor {
    pub(super) fn new(source: Arc<Source>, mode: ReadMode) -> Self {
        let mut iter = spare::take();
        iter.refill(|inputs| source.inputs(mode, inputs));
        Self {
            iter,
            deletes: source.deletes(),
            source,
            key: Vec::new(),
            prefix: 0,
            value: None,
            place: Place::Edge,
            stand: Stand::Nowhere,
            has_ended: false,
            mode,
            passed: 0,
        }
    }

    /// Whether movements may wait for the disk.
    pub(super) fn set_mode(&mut self, mode: ReadMode) {
        if self.mode != mode {
            self.mode = mode;
            self.iter.inputs_mut().iter_mut().for_each(|input| input.set_mode(mode));
        }
    }

    /// Goes on at or beyond a key, seen in the direction of travel.
    pub(super) fn go_to(&mut self, bound: Bound<&[u8]>) {
        let (key, place) = match bound {
            Bound::Included(key) => (key, Place::At),
            Bound::Excluded(key) => (key, Place::Past),
            Bound::Unbounded => (&[][..], Place::Edge),
        };
        self.key.clear();
        self.key.extend_from_slice(key);
        self.prefix = key_prefix(key);
        self.place = place;
        self.stand = Stand::Nowhere;
        self.has_ended = false;
    }

    /// Goes on to the next visible key within `upper`: `false` at the end.
    #[inline]
    pub(super) fn next(&mut self, upper: Bound<&[u8]>) -> Result<bool> {
        self.run(|cursor| {
            match cursor.stand {
                Stand::On => cursor.iter.next()?,
                Stand::Nowhere => cursor.seek_forward()?,
                Stand::Ahead => {}
            }
            cursor.find_next(upper)
        })
    }

    /// Goes on to the preceding visible key within `lower`: `false` at the end.
    #[inline]
    pub(super) fn prev(&mut self, lower: Bound<&[u8]>) -> Result<bool> {
        self.run(|cursor| {
            match cursor.stand {
                Stand::On => cursor.iter.prev()?,
                Stand::Nowhere => cursor.seek_backward()?,
                Stand::Ahead => {}
            }
            cursor.find_prev(lower)
        })
    }

    /// The key and the value that the last movement has found.
    #[inline]
    pub(super) fn found(&self) -> Option<(&[u8], &[u8])> {
        let value = match &self.value {
            None => self.iter.entry()?.value,
            Some(value) => value,
        };
        Some((&self.key, value))
    }

    /// The same, sharing memory where possible.
    #[inline]
    pub(super) fn item(&self) -> Option<Item> {
        match &self.value {
            None => self.iter.current()?.shared(),
            Some(value) => Some((Bytes::copy_from_slice(&self.key), value.clone())),
        }
    }

    #[inline]
    fn run(&mut self, walk: impl FnOnce(&mut Self) -> Result<bool>) -> Result<bool> {
        if self.has_ended {
            return Ok(false);
        }
        self.passed = 0;
        self.value = None;
        let found = walk(self);
        match &found {
            Ok(true) => {}
            Ok(false) => self.has_ended = true,
            Err(_) => self.stand = Stand::Nowhere,
        }
        found
    }

    fn seek_forward(&mut self) -> Result<()> {
        match self.place {
            Place::Edge => self.iter.seek_to_first()?,
            Place::At => self.iter.seek(&self.key, self.source.newest())?,
            Place::Past => self.iter.seek(&self.key, Trailer::LAST)?,
        }
        self.stand = Stand::Ahead;
        Ok(())
    }

    fn seek_backward(&mut self) -> Result<()> {
        match self.place {
            Place::Edge => self.iter.seek_to_last()?,
            Place::At => self.iter.seek_for_prev(&self.key, Trailer::LAST)?,
            Place::Past => self.iter.seek_for_prev(&self.key, Trailer::FIRST)?,
        }
        self.stand = Stand::Ahead;
        Ok(())
    }

    /// The first visible key from where `iter` stands.
    #[inline]
    fn find_next(&mut self, upper: Bound<&[u8]>) -> Result<bool> {
        let (mut steps, mut deleted) = (0, 0);
        while let (Some(entry), Some(prefix)) = (self.iter.entry(), self.iter.prefix()) {
            if is_behind(entry.key, upper) {
                return Ok(false);
            }
            if !self.source.sees(entry.seqno()) {
                // Newer than the moment: the version that counts, if there is one, comes later.
                steps += 1;
                self.skip_forward(steps, Skip::ToVisible)?;
            } else if self.place == Place::Past && prefix == self.prefix && entry.key == self.key {
                steps += 1;
                self.skip_forward(steps, Skip::Key)?;
            } else if self.deletes.covering(entry.key) > Some(entry.seqno()) {
                steps = 0;
                deleted += 1;
                self.prefix = prefix;
                copy_key(&mut self.key, entry.key);
                self.place = Place::Past;
                self.pass_deleted(deleted)?;
            } else {
                steps = 0;
                self.prefix = prefix;
                copy_key(&mut self.key, entry.key);
                self.place = Place::Past;
                self.stand = Stand::On;
                match entry.kind() {
                    EntryKind::Put => return Ok(true),
                    EntryKind::Delete => {}
                    _ if self.fold()? => return Ok(true),
                    _ => {}
                }
                if self.stand == Stand::On {
                    self.iter.next()?;
                }
            }
            self.pass()?;
        }
        Ok(false)
    }

    /// Leaves an entry that does not matter: by a step, or after too many of them by a seek.
    fn skip_forward(&mut self, steps: usize, skip: Skip) -> Result<()> {
        if !steps.is_multiple_of(STEPS_MAX) {
            return self.iter.next();
        }
        match skip {
            Skip::Key => self.iter.seek(&self.key, Trailer::LAST),
            Skip::ToVisible => {
                let key = self.iter.entry().map(|entry| entry.key.to_vec()).unwrap_or_default();
                self.iter.seek(&key, Trailer::seek(self.source.at))
            }
        }
    }

    /// Leaves a key that its range tombstone covers, after too many of them with all of its stretch.
    fn pass_deleted(&mut self, deleted: usize) -> Result<()> {
        let Some(newest) = self.deletes.covering(&self.key).filter(|_| deleted.is_multiple_of(STEPS_MAX))
        else {
            return self.iter.next();
        };
        let end = self.deletes.end();
        self.iter.pass(|input| input.pass_up_to(end, newest))
    }

    /// Finds what the versions of the key amount to, if anything; `iter` stands on the newest visible one, and goes on to
    /// older ones as far as they count.
    fn fold(&mut self) -> Result<bool> {
        self.place = Place::At;
        let Self { iter, source, deletes, key, .. } = self;
        let covering = deletes.covering(key);
        let mut resolver = Resolver::new(&source.tree.rules);
        let (stand, value) = loop {
            let Some((trailer, value)) = source.version(iter, key, covering) else {
                break (Stand::Ahead, resolver.finish(key)?);
            };
            match resolver.take_older(key, trailer, value)? {
                ControlFlow::Break(value) => break (Stand::On, value),
                ControlFlow::Continue(()) => iter.next()?,
            }
        };
        self.stand = stand;
        self.place = Place::Past;
        self.value = value;
        Ok(self.value.is_some())
    }

    /// The last visible key up to where `iter` stands: of each key, that is on its oldest version.
    #[inline]
    fn find_prev(&mut self, lower: Bound<&[u8]>) -> Result<bool> {
        let mut deleted = 0;
        while let (Some(entry), Some(prefix)) = (self.iter.entry(), self.iter.prefix()) {
            if is_before(entry.key, lower) {
                return Ok(false);
            }
            self.prefix = prefix;
            copy_key(&mut self.key, entry.key);
            let is_plain = entry.kind() == EntryKind::Put && self.source.sees(entry.seqno());
            if is_plain && self.iter.is_newest() && self.deletes.covering(&self.key) < Some(entry.seqno()) {
                self.place = Place::Past;
                self.stand = Stand::On;
                return Ok(true);
            }
            if self.find_value_back()? {
                return Ok(true);
            }
            if let Some(newest) = self.deletes.covering(&self.key) {
                deleted += 1;
                self.pass_deleted_back(deleted, newest)?;
            }
            self.pass()?;
        }
        Ok(false)
    }

    /// Finds what the versions of the key amount to, if anything, and leaves it.
    fn find_value_back(&mut self) -> Result<bool> {
        self.place = Place::At;
        match self.fold_upwards()? {
            ControlFlow::Break(value) => self.value = value,
            ControlFlow::Continue(()) => self.jump_to_newest()?,
        }
        self.place = Place::Past;
        self.stand = Stand::Ahead;
        Ok(self.value.is_some())
    }

    /// After too many keys that their range tombstone covers, leaves all of its stretch.
    fn pass_deleted_back(&mut self, deleted: usize, newest: SeqNo) -> Result<()> {
        match self.deletes.start() {
            Some(start) if deleted.is_multiple_of(STEPS_MAX) => {
                self.iter.pass(|input| input.pass_down_to(start, newest))
            }
            _ => Ok(()),
        }
    }

    /// What the versions of the key amount to, from the oldest to beyond the newest; `Continue` if there are many.
    fn fold_upwards(&mut self) -> Result<ControlFlow<Option<Bytes>>> {
        let Self { iter, source, deletes, key, .. } = self;
        let covering = deletes.covering(key);
        let mut resolver = Resolver::new(&source.tree.rules);
        for _ in 0..STEPS_MAX {
            let Some(entry) = iter.entry().filter(|entry| entry.key == *key) else {
                return resolver.finish_newest(key).map(ControlFlow::Break);
            };
            if source.sees(entry.seqno()) && Some(entry.seqno()) > covering {
                let value = iter.current().and_then(Input::value).unwrap_or_default();
                resolver.take_newer(entry.trailer, value)?;
            }
            iter.prev()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The same by two seeks, for a key of many versions.
    fn jump_to_newest(&mut self) -> Result<()> {
        self.iter.seek(&self.key, self.source.newest())?;
        if self.source.version(&self.iter, &self.key, None).is_none() {
            self.iter.seek(&self.key, Trailer::seek(self.source.at))?;
        }
        self.fold()?;
        self.place = Place::At;
        self.iter.seek_for_prev(&self.key, Trailer::FIRST)
    }

    /// Counts an entry that gave nothing.
    #[inline]
    fn pass(&mut self) -> Result<()> {
        self.passed += 1;
        if self.passed.is_multiple_of(PATIENCE) { self.check_patience() } else { Ok(()) }
    }

    #[cold]
    fn check_patience(&self) -> Result<()> {
        if self.source.is_abandoned() {
            return Err(Error::new(ErrorKind::Closed, "nobody waits for this scan any more"));
        }
        match self.mode {
            ReadMode::CachedOnly => Err(Error::new(ErrorKind::WouldBlock, "many entries are deleted here")),
            ReadMode::Wait => self.source.core.check_open(),
        }
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        spare::give(std::mem::take(&mut self.iter));
    }
}

/// Makes `to` the key `from`. Most keys are as long as those before them, and short.
#[inline]
fn copy_key(to: &mut Vec<u8>, from: &[u8]) {
    if to.len() == from.len()
        && from.len() <= 32
        && let (Some(first), Some(last)) = (from.first_chunk::<16>(), from.last_chunk::<16>())
        && let Some(place) = to.first_chunk_mut()
    {
        *place = *first;
        to.last_chunk_mut().into_iter().for_each(|place| *place = *last);
        return;
    }
    to.clear();
    to.extend_from_slice(from);
}

/// What a forward walk has no use for.
#[derive(Clone, Copy)]
enum Skip {
    /// The rest of the versions of the cursor's key.
    Key,
    /// Versions of the next key that came after the moment.
    ToVisible,
}

impl Source {
    /// Whether a version is visible at the scan's moment.
    #[inline]
    fn sees(&self, seqno: SeqNo) -> bool {
        seqno <= self.at || seqno == OVERLAY
    }

    /// The entry that `iter` stands on, if that is a visible version of `key` above what covers it.
    fn version(
        &self,
        iter: &MergingIter<Input>,
        key: &[u8],
        covering: Option<SeqNo>,
    ) -> Option<(Trailer, Bytes)> {
        let is_seen = |entry: &EntryRef<'_>| self.sees(entry.seqno()) && Some(entry.seqno()) > covering;
        let entry = iter.entry().filter(|entry| entry.key == key && is_seen(entry))?;
        Some((entry.trailer, iter.current()?.value()?))
    }

    /// Where the newest visible version of a key stands, or a little before.
    fn newest(&self) -> Trailer {
        if self.overlay.is_some() { Trailer::FIRST } else { Trailer::seek(self.at) }
    }
}
