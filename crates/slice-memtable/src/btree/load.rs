//! A tree made of many entries at once, before any reader knows of it.
//!
//! ```text
//!   added     k7 @1 | k2 @2 | k7 @3 | ...      stored one behind the other, as they come
//!   sorted    k2 @2 | k7 @3 | k7 @1            where they are, by the fronts of their keys
//!   built     [ . . . ]                        leaves from left to right, then the inner nodes above them
//!            [...] [...] [...]
//! ```
//!
//! An insert finds a place for each entry, in the index and in the tree, and each step of that waits for memory. Here
//! nothing is looked for. What is made is what inserts would have made, but that nodes are full.

#[cfg(all(test, not(slice_loom)))]
mod tests;

use std::cmp::Ordering;
use std::panic::resume_unwind;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use slice_types::{EntryKind, SeqNo, Trailer, key_prefix};
use xxhash_rust::xxh3::xxh3_64;

use super::entries::{Entries, EntryId};
use super::index::top;
use super::inner::{NodeId, SEPARATORS};
use super::insert::Writer;
use super::leaf::SLOTS;
use super::skip::{Bounds, Skip};
use super::target::{common, prefix};
use super::{BTreeMemTable, Root, check};
use crate::MemTable;

/// For fewer entries a second thread is not worth its start.
const FOR_TWO_THREADS: usize = 1 << 12;

/// A [`BTreeMemTable`] that is being made of many entries.
#[derive(Debug)]
pub struct BTreeLoader {
    table: BTreeMemTable,
    added: Vec<Added>,
    /// The first key, as far as all others begin like it.
    shared: Option<Vec<u8>>,
    /// The length of the longest key, in bytes.
    longest: usize,
    max_seqno: SeqNo,
    tombstones: usize,
}

/// An entry that is stored and not in the tree yet.
#[derive(Clone, Copy, Debug)]
struct Added {
    /// Sixteen bytes of the key, as a number that orders like them: zeros behind a shorter one.
    front: [u64; 2],
    id: EntryId,
    /// Of the key, as the index has it.
    hash: u32,
}

impl Default for BTreeLoader {
    fn default() -> Self {
        Self {
            table: BTreeMemTable::new(),
            added: Vec::new(),
            shared: None,
            max_seqno: SeqNo::ZERO,
            longest: 0,
            tombstones: 0,
        }
    }
}

impl BTreeLoader {
    /// Adds an entry, in whatever order. Of two with the same key and trailer one stays.
    ///
    /// # Panics
    ///
    /// As [`MemTable::insert`].
    #[inline]
    pub fn add(&mut self, key: &[u8], trailer: Trailer, value: &[u8]) {
        if trailer.kind() == EntryKind::RangeDelete {
            return self.table.insert(key, trailer, value);
        }
        check(key, value);
        self.share(key);
        let writer = self.table.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        let id = writer.store(&self.table.entries, key, trailer, value);
        self.added.push(Added { front: front(key, 0), id, hash: top(xxh3_64(key)) });
        self.longest = self.longest.max(key.len());
        self.max_seqno = self.max_seqno.max(trailer.seqno());
        self.tombstones += usize::from(trailer.kind() == EntryKind::Delete);
    }

    /// Notes what this key has in common with those before.
    #[inline]
    fn share(&mut self, key: &[u8]) {
        match &mut self.shared {
            None => self.shared = Some(key.to_vec()),
            Some(shared) if !key.starts_with(shared) => shared.truncate(common(shared, key)),
            Some(_) => {}
        }
    }

    /// The table with all that was added. Made by two threads if the caller has one to spare.
    pub fn finish(mut self, has_helper: bool) -> BTreeMemTable {
        let has_helper = has_helper && self.added.len() >= FOR_TWO_THREADS;
        // Of shorter keys the front has all in any case.
        let shared = self.shared.take().filter(|_| self.longest > size_of::<[u64; 2]>());
        let skip = shared.map_or(0, |shared| shared.len());
        let added = self.sorted(skip, has_helper);
        let mut table = self.table;
        let writer = table.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut writer = std::mem::replace(writer, Writer::new(0));
        let (index, ()) = side_by_side(
            has_helper,
            || table.index.fill(|| newest_of_keys(&added, &table.entries)),
            || {
                let leaves = table.load_leaves(&mut writer, &added, skip);
                table.load_inners(&mut writer, leaves);
            },
        );
        writer.index = index;
        table.tombstones.store(table.tombstones() + self.tombstones, Relaxed);
        table.len.store(added.len(), Relaxed);
        table.max_seqno.store(table.max_seqno().max(self.max_seqno).get(), Relaxed);
        table.memory_used.store(size_of::<BTreeMemTable>() + writer.memory_used(), Relaxed);
        *table.writer.get_mut().unwrap_or_else(PoisonError::into_inner) = writer;
        table
    }

    /// What was added, in order and each once. The fronts are behind what all keys have in common.
    fn sorted(&mut self, skip: usize, has_helper: bool) -> Vec<Added> {
        let entries = &self.table.entries;
        let mut added = std::mem::take(&mut self.added);
        if skip > 0 {
            for added in &mut added {
                added.front = front(entries.get(added.id).key, skip);
            }
        }
        sort(&mut added, entries, has_helper);
        added.dedup_by(|again, first| {
            let came_again = again.front == first.front && again.order_of_entries(first, entries).is_eq();
            let is_tombstone = || entries.get(again.id).trailer.kind() == EntryKind::Delete;
            self.tombstones -= usize::from(came_again && is_tombstone());
            came_again
        });
        added
    }
}

impl Added {
    #[inline]
    fn order(&self, other: &Self, entries: &Entries) -> Ordering {
        self.front.cmp(&other.front).then_with(|| self.order_of_entries(other, entries))
    }

    #[cold]
    fn order_of_entries(&self, other: &Self, entries: &Entries) -> Ordering {
        entries.get(self.id).order(&entries.get(other.id))
    }

    /// The eight bytes of the key behind the first `skip`, where the front is behind `front_at`.
    #[inline]
    fn prefix(&self, skip: usize, front_at: usize, entries: &Entries) -> u64 {
        match skip.checked_sub(front_at) {
            Some(0) => self.front[0],
            Some(8) => self.front[1],
            Some(bytes @ ..8) => self.front[0] << (8 * bytes) | self.front[1] >> (64 - 8 * bytes),
            _ => prefix(entries.get(self.id).key, skip),
        }
    }
}

fn sort(added: &mut [Added], entries: &Entries, has_helper: bool) {
    let order = |one: &Added, other: &Added| one.order(other, entries);
    if !has_helper {
        return added.sort_unstable_by(order);
    }
    let (front, _, back) = added.select_nth_unstable_by(added.len() / 2, order);
    side_by_side(true, || front.sort_unstable_by(order), || back.sort_unstable_by(order));
}

/// Does both, on two threads if there is a helper. One that the operating system refuses only makes it slower.
fn side_by_side<A: Send, B>(
    has_helper: bool,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    let one = Mutex::new(Some(one));
    let do_one = || {
        let one = one.lock().unwrap_or_else(PoisonError::into_inner).take();
        one.expect("it is done once")()
    };
    std::thread::scope(|scope| {
        let helper = || Builder::new().name("slice-load".to_owned()).spawn_scoped(scope, do_one).ok();
        let helper = if has_helper { helper() } else { None };
        let other = other();
        let one =
            helper.map_or_else(do_one, |helper| helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (one, other)
    })
}

#[inline]
fn front(key: &[u8], skip: usize) -> [u64; 2] {
    let prefix = key_prefix(key.get(skip..).unwrap_or_default());
    [(prefix >> 64) as u64, prefix as u64]
}

/// Of each key the hash and the newest entry: the first of those in order.
fn newest_of_keys<'a>(added: &'a [Added], entries: &'a Entries) -> impl Iterator<Item = (u32, EntryId)> {
    let is_other_key = |one: &Added, other: &Added| {
        one.front != other.front || entries.get(one.id).key != entries.get(other.id).key
    };
    let before = std::iter::once(None).chain(added.iter().map(Some));
    let newest = added
        .iter()
        .zip(before)
        .filter(move |(added, before)| before.is_none_or(|before| is_other_key(before, added)));
    newest.map(|(added, _)| (added.hash, added.id))
}

impl BTreeMemTable {
    /// Makes the leaves of entries that are in order, and gives each with its first entry. Takes the place of the empty leaf
    /// that a table begins with.
    fn load_leaves(&self, writer: &mut Writer, sorted: &[Added], front_at: usize) -> Vec<(EntryId, NodeId)> {
        if !sorted.is_empty() {
            writer.forget_first_leaf();
        }
        let mut leaves = Vec::with_capacity(sorted.len().div_ceil(SLOTS));
        for (run, n) in sorted.chunks(SLOTS).zip(0..) {
            let first = run[0].id;
            let upper = sorted.get((n + 1) * SLOTS).map(|next| next.id);
            let bounds = Bounds { lower: (n > 0).then_some(first), upper };
            let ends = [first, run[run.len() - 1].id];
            let skip = Skip::new(&ends[..run.len().min(2)], bounds, &self.entries);
            let slot = |added: &Added| (added.prefix(skip.len, front_at, &self.entries), added.id);
            leaves.push((first, self.new_leaf(writer, run.iter().map(slot), skip, bounds)));
        }
        leaves
    }

    fn load_inners(&self, writer: &mut Writer, mut level: Vec<(EntryId, NodeId)>) {
        let mut height = 0;
        while level.len() > 1 {
            level = self.load_level(writer, &level);
            height += 1;
        }
        let node = level.first().map_or(0, |(_, node)| *node);
        self.root.store(Root { height, node }.to_u64(), Release);
    }

    /// Makes the nodes above these, as few as there can be and all about equally full, so that none has but one child.
    fn load_level(&self, writer: &mut Writer, below: &[(EntryId, NodeId)]) -> Vec<(EntryId, NodeId)> {
        let nodes = below.len().div_ceil(SEPARATORS + 1);
        let start = |n| below.len() * n / nodes;
        let node = |n| {
            let (first, leftmost) = below[start(n)];
            let upper = below.get(start(n + 1)).map(|(separator, _)| *separator);
            let bounds = Bounds { lower: (n > 0).then_some(first), upper };
            (first, self.new_inner(writer, leftmost, &below[start(n) + 1..start(n + 1)], bounds))
        };
        (0..nodes).map(node).collect()
    }
}
