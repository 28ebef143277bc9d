//! Stores of few keys: how the harnesses write to them, and what is in them and beside them on the disk.
//!
//! Few, so that most are overwritten, and each check can read all.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use slice::WriteBatch;
use slice::blocking::LSMTree;
use slice::vfs::{Fs, MemFs};

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
            let held = state.0.entry(key.clone()).or_default();
            match change {
                Change::Put(value) => *held = Held::value(value, None),
                Change::PutFor(value, ms) => *held = Held::value(value, Some(now_ms + ms)),
                Change::Merge(operand) => held.operands.extend(operand),
                Change::Delete => *held = Held::default(),
            }
        }
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

/// The key of this number.
pub(crate) fn key(n: u64) -> Vec<u8> {
    format!("key{n:02}").into_bytes()
}

/// Commits: one entry by itself, several as a batch.
pub(crate) fn write(store: &LSMTree, entries: &Entries) -> slice::Result<()> {
    if let [(key, change)] = &entries[..] {
        return match change {
            Change::Put(value) => store.put(key, value),
            Change::PutFor(value, ms) => store.put_with_ttl(key, value, Duration::from_millis(*ms)),
            Change::Merge(operand) => store.merge(key, operand),
            Change::Delete => store.delete(key),
        };
    }
    let mut batch = WriteBatch::new();
    for (key, change) in entries {
        match change {
            Change::Put(value) => batch.put(key, value)?,
            Change::PutFor(value, ms) => batch.put_with_ttl(key, value, Duration::from_millis(*ms))?,
            Change::Merge(operand) => batch.merge(key, operand)?,
            Change::Delete => batch.delete(key)?,
        }
    }
    store.write(batch)
}

/// All that is there of the first so many keys.
pub(crate) fn contents(store: &LSMTree, keys: u64) -> slice::Result<Contents> {
    let mut contents = Contents::new();
    for key in (0..keys).map(key) {
        if let Some(value) = store.get(&key)? {
            contents.insert(key, value);
        }
    }
    Ok(contents)
}

/// The files that nothing refers to, or that are missing, beside a store without threads and without a flush to do.
pub(crate) fn check_files(disk: &MemFs, dir: &str, store: &LSMTree) -> Result<(), String> {
    let tables: usize = store.stats().level_stats.iter().map(|(_, tables, _)| tables).sum();
    let names = disk.list_dir(Path::new(dir)).map_err(|error| error.to_string())?;
    let count = |part: &str| names.iter().filter(|name| name.contains(part)).count();
    let found = (count("sstable_"), count("MANIFEST-"), count(".tmp"), count("wal_"));
    if found == (3 * tables, 1, 0, 1) {
        return Ok(());
    }
    Err(format!("{tables} tables, one manifest and one log have other files: {names:?}"))
}
