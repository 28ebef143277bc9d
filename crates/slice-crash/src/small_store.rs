//! Stores of few keys: how the harnesses write to them, and what is in them and beside them on the disk.
//!
//! Few, so that most are overwritten, and each check can read all.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::time::Duration;

use slice::blocking::{LSMTree, Scan};
use slice::vfs::{Fs, MemFs};
use slice::{Isolation, WriteBatch};

/// The contents of a store.
pub(crate) type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

/// What one commit does to each of its keys, in this order.
pub(crate) type Entries = Vec<(Vec<u8>, Change)>;

/// What a write does to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Put(Vec<u8>),
    /// For so many milliseconds.
    PutFor(Vec<u8>, u64),
    /// Appended to what there is.
    Merge(Vec<u8>),
    Delete,
    /// With all keys behind it in its keyspace, up to this one, which stays; to the end if it is empty.
    DeleteUpTo(Vec<u8>),
}

/// What a store holds, at whatever time one looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State(BTreeMap<Vec<u8>, Held>);

/// What a key has: a value with the time at which it expires, if it does, and what was merged since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    base: Option<(Vec<u8>, Option<u64>)>,
    operands: Vec<u8>,
}

impl State {
    /// What a commit at this time makes of it.
    pub(crate) fn after(&self, entries: &Entries, now_ms: u64) -> Self {
        let mut state = self.clone();
        for (key, change) in entries {
            let mut set = |held| drop(state.0.insert(key.clone(), held));
            match change {
                Change::Put(value) => set(Held::value(value, None)),
                Change::PutFor(value, ms) => set(Held::value(value, Some(now_ms + ms))),
                Change::Merge(operand) => state.0.entry(key.clone()).or_default().operands.extend(operand),
                Change::Delete => set(Held::default()),
                Change::DeleteUpTo(end) => state.0.retain(|other, _| !is_between(key, end, other)),
            }
        }
        state
    }

    /// The same without a keyspace's keys.
    pub(crate) fn without(&self, keyspace: &str) -> Self {
        let mut state = self.clone();
        state.0.retain(|key, _| !is_in_keyspace(keyspace, key));
        state
    }

    /// What is there at a time.
    pub(crate) fn at(&self, now_ms: u64) -> Contents {
        self.0.iter().filter_map(|(key, held)| Some((key.clone(), held.at(now_ms)?))).collect()
    }
}

impl Held {
    fn value(value: &[u8], expiry_ms: Option<u64>) -> Self {
        Self { base: Some((value.to_vec(), expiry_ms)), operands: Vec::new() }
    }

    /// The value at a time. No operand is empty.
    fn at(&self, now_ms: u64) -> Option<Vec<u8>> {
        let is_there =
            |(_, expiry_ms): &&(_, Option<u64>)| expiry_ms.is_none_or(|expiry_ms| now_ms < expiry_ms);
        match self.base.as_ref().filter(is_there) {
            Some((value, _)) => Some([&value[..], &self.operands].concat()),
            None => (!self.operands.is_empty()).then(|| self.operands.clone()),
        }
    }
}

/// The keys of a [`Change::DeleteUpTo`].
fn range(start: &[u8], end: &[u8]) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let end = if end.is_empty() { Bound::Unbounded } else { Bound::Excluded(end.to_vec()) };
    (Bound::Included(start.to_vec()), end)
}

/// The deletion of so many keys from one on; of all with 0.
pub(crate) fn delete_from(number: u64, count: u64) -> (Vec<u8>, Change) {
    let end = if count == 0 { Vec::new() } else { key(number + count) };
    (key(number), Change::DeleteUpTo(end))
}

/// The key of this number.
pub(crate) fn key(n: u64) -> Vec<u8> {
    format!("key{n:02}").into_bytes()
}

/// Commits: one entry by itself, several as a batch.
pub(crate) fn write(store: &LSMTree, entries: &Entries) -> slice::Result<()> {
    if let [(key, change)] = &entries[..] {
        let (keyspace, key) = place(store, key)?;
        return match change {
            Change::Put(value) => keyspace.put(key, value),
            Change::PutFor(value, ms) => keyspace.put_with_ttl(key, value, Duration::from_millis(*ms)),
            Change::Merge(operand) => keyspace.merge(key, operand),
            Change::Delete => keyspace.delete(key),
            Change::DeleteUpTo(end) => keyspace.delete_range(range(key, end)),
        };
    }
    let mut batch = WriteBatch::new();
    for (key, change) in entries {
        let (keyspace, key) = place(store, key)?;
        match change {
            Change::Put(value) => batch.put_in(&keyspace, key, value)?,
            Change::PutFor(value, ms) => {
                batch.put_with_ttl_in(&keyspace, key, value, Duration::from_millis(*ms))?;
            }
            Change::Merge(operand) => batch.merge_in(&keyspace, key, operand)?,
            Change::Delete => batch.delete_in(&keyspace, key)?,
            Change::DeleteUpTo(end) => batch.delete_range_in(&keyspace, range(key, end))?,
        }
    }
    store.write(batch)
}

/// Commits the entries by a transaction, which has done more and taken it back.
pub(crate) fn transact(store: &LSMTree, entries: &Entries) -> slice::Result<()> {
    let transaction = store.begin(Isolation::Serializable);
    for (key, change) in entries {
        let (keyspace, key) = place(store, key)?;
        let transaction = transaction.in_keyspace(&keyspace)?;
        match change {
            Change::Put(value) => transaction.put(key, value)?,
            Change::PutFor(value, ms) => {
                transaction.put_with_ttl(key, value, Duration::from_millis(*ms))?;
            }
            Change::Merge(operand) => transaction.merge(key, operand)?,
            Change::Delete => transaction.delete(key)?,
            Change::DeleteUpTo(end) => transaction.delete_range(range(key, end))?,
        }
        let savepoint = transaction.savepoint();
        transaction.put(key, b"taken back")?;
        transaction.delete_range::<&[u8], _>(..key)?;
        transaction.rollback_to(savepoint)?;
    }
    transaction.commit()
}

/// The name of a key of a keyspace in the [`Contents`] of all of them. The default keyspace's keys have no prefix.
pub(crate) fn in_keyspace(name: &str, key: &[u8]) -> Vec<u8> {
    if name == "default" { key.to_vec() } else { [name.as_bytes(), b"/", key].concat() }
}

/// Whether a key in the [`Contents`] is of this keyspace.
pub(crate) fn is_in_keyspace(name: &str, key: &[u8]) -> bool {
    let prefix = in_keyspace(name, b"");
    if prefix.is_empty() { !key.contains(&b'/') } else { key.starts_with(&prefix) }
}

/// The name of the keyspace of a key, if it has one, and its key there.
fn split(key: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match key.iter().position(|byte| *byte == b'/') {
        Some(slash) => (Some(&key[..slash]), &key[slash + 1..]),
        None => (None, key),
    }
}

/// The keyspace of a key, and its key there.
fn place<'k>(store: &LSMTree, key: &'k [u8]) -> slice::Result<(LSMTree, &'k [u8])> {
    match split(key) {
        (Some(name), key) => Ok((store.keyspace(&String::from_utf8_lossy(name))?, key)),
        (None, key) => Ok((store.clone(), key)),
    }
}

/// Whether a [`Change::DeleteUpTo`] from `start` deletes a key.
fn is_between(start: &[u8], end: &[u8], key: &[u8]) -> bool {
    let ((keyspace, start), (other, key)) = (split(start), split(key));
    keyspace == other && range(start, end).contains(&key.to_vec())
}

/// All that is there of the first so many keys, in each keyspace.
pub(crate) fn contents(store: &LSMTree, keys: u64) -> slice::Result<Contents> {
    let mut contents = Contents::new();
    for keyspace in keyspaces(store)? {
        for key in (0..keys).map(key) {
            if let Some(value) = keyspace.get(&key)? {
                contents.insert(in_keyspace(keyspace.keyspace_name(), &key), value);
            }
        }
    }
    Ok(contents)
}

/// Reads the first so many keys of each keyspace by scans, forward and backward, and compares what is there with what
/// reads of each key gave.
///
/// # Errors
///
/// What the store says; corruption when a scan gives anything else.
pub(crate) fn check_scans(store: &LSMTree, keys: u64, contents: &Contents) -> slice::Result<()> {
    let (mut forward, mut backward) = (Contents::new(), Contents::new());
    for keyspace in keyspaces(store)? {
        let range = key(0)..key(keys);
        let name = keyspace.keyspace_name();
        let ahead = keyspace.range(range.clone()).map(|entry| owned(name, entry));
        let ahead = ahead.collect::<slice::Result<Vec<_>>>()?;
        let back = keyspace.range(range).rev().map(|entry| owned(name, entry));
        let back = back.collect::<slice::Result<Vec<_>>>()?;
        if !ahead.is_sorted() || !back.is_sorted_by(|left, right| left > right) {
            return Err(slice::Error::corruption("a scan gives keys out of order"));
        }
        forward.extend(ahead);
        backward.extend(back);
    }
    if forward == *contents && backward == *contents {
        return Ok(());
    }
    Err(slice::Error::corruption("scans give something else than reads of each key"))
}

fn owned(keyspace: &str, entry: <Scan as Iterator>::Item) -> slice::Result<(Vec<u8>, Vec<u8>)> {
    entry.map(|(key, value)| (in_keyspace(keyspace, &key), value.to_vec()))
}

/// A handle of each keyspace.
pub(crate) fn keyspaces(store: &LSMTree) -> slice::Result<Vec<LSMTree>> {
    store.keyspaces().iter().map(|name| store.keyspace(name)).collect()
}

/// The files that nothing refers to, or that are missing, beside a store without threads and without a flush to do.
pub(crate) fn check_files(disk: &MemFs, dir: &str, store: &LSMTree) -> Result<(), String> {
    let keyspaces = keyspaces(store).map_err(|error| error.to_string())?;
    let levels = keyspaces.iter().flat_map(|keyspace| keyspace.stats().level_stats);
    let tables: usize = levels.map(|(_, tables, _)| tables).sum();
    let names = disk.list_dir(Path::new(dir)).map_err(|error| error.to_string())?;
    let count = |part: &str| names.iter().filter(|name| name.contains(part)).count();
    let found = (count("sstable_"), count("MANIFEST-"), count(".tmp"), count("wal_"));
    if found == (3 * tables, 1, 0, 1) {
        return Ok(());
    }
    Err(format!("{tables} tables, one manifest and one log have other files: {names:?}"))
}
