//! What the writers write: a function of the seed, the writer and the number of its write, so that the parent knows it
//! without being told.
//!
//! Invariant: a writer has keys of its own, so the state of its keys says how many of its writes have happened.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// The rows of one writer: the number of a key, and its value.
pub(super) type Rows = BTreeMap<u16, String>;

/// What is written by whom.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Workload {
    /// Decides every write.
    #[arg(long)]
    pub(super) seed: u64,
    /// How many threads write.
    #[arg(long, default_value_t = 1)]
    pub(super) writers: usize,
    /// How many keys each of them has.
    #[arg(long, default_value_t = 48)]
    pub(super) keys: u16,
    /// How many entries a batch may have.
    #[arg(long, default_value_t = 16)]
    pub(super) largest_batch: usize,
}

/// One write: a batch, unless it has one entry.
pub(super) type Write = Vec<(u16, Option<String>)>;

impl Workload {
    /// The write `n` of a writer.
    pub(super) fn write(&self, writer: usize, n: u64) -> Write {
        let mixed = (self.seed ^ (writer as u64) << 56 ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut rng = SmallRng::seed_from_u64(mixed);
        let entries = if rng.random_ratio(1, 4) { rng.random_range(2..=self.largest_batch) } else { 1 };
        (0..entries).map(|part| self.entry(&mut rng, writer, n, part)).collect()
    }

    fn entry(&self, rng: &mut SmallRng, writer: usize, n: u64, part: usize) -> (u16, Option<String>) {
        let key = rng.random_range(0..self.keys);
        let padding = "x".repeat(rng.random_range(0..600) * usize::from(rng.random_ratio(1, 2)));
        let value = format!("writer {writer} write {n} part {part} {padding}");
        (key, (!rng.random_ratio(1, 5)).then_some(value))
    }
}

/// A key as it is in the store.
pub(super) fn key(writer: usize, key: u16) -> Vec<u8> {
    format!("writer{writer}/key{key:04}").into_bytes()
}

/// Does to the rows what the write does to the store.
pub(super) fn apply(rows: &mut Rows, write: Write) {
    for (key, value) in write {
        match value {
            Some(value) => drop(rows.insert(key, value)),
            None => drop(rows.remove(&key)),
        }
    }
}
