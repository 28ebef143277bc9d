//! Plans: which operations a client does, one after the other.
//!
//! A workload, a seed, and the number of a client among so many give one sequence of operations, always the same. (The
//! keys that YCSB D *reads* follow what others have inserted by then; what is written never does.) Where a workload
//! decides which write of a key is the last, clients share no key: client `c` of `n` has the keys whose index is `c`
//! modulo `n`. New keys lie behind the `keys` that were there, and are shared out in the same way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::distributions::{Latest, Permutation, Scrambled};
use crate::engine::Direction;
use crate::keys::{Values, mix};
use crate::workload::{Mix, Other, Workload};

/// The keys that a scan of YCSB E reads at most.
const SCAN_MAX: u64 = 100;

/// One operation, on the key with this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Write the value with this stamp.
    Put {
        /// The key.
        index: u64,
        /// Which write of the key it is.
        stamp: u64,
    },
    /// Read it, which must be there, then write the value with this stamp.
    Update {
        /// The key.
        index: u64,
        /// Which write of the key it is.
        stamp: u64,
    },
    /// Write its first value; it was never there.
    Insert(u64),
    /// Remove it.
    Delete(u64),
    /// Read it; it must be there.
    Get(u64),
    /// Read the key right behind it; it must not be there.
    GetMissing(u64),
    /// Read this many keys from it on.
    Scan {
        /// The first key.
        from: u64,
        /// How many keys, at most.
        limit: u64,
        /// Up or down.
        direction: Direction,
    },
}

/// A workload with all its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What is done.
    pub workload: Workload,
    /// How many keys there are.
    pub keys: u64,
    /// How many clients do it side by side; a writer beside them is not counted.
    pub clients: u64,
    /// The values of all keys.
    pub values: Values,
    seed: u64,
    shuffle: Permutation,
    skew: Option<(Mix, Scrambled, Latest)>,
}

impl Plan {
    /// A plan; with the same seed always the same.
    ///
    /// # Panics
    ///
    /// Panics unless there is a client, and a key for each client.
    pub fn new(workload: Workload, keys: u64, clients: u64, value_bytes: usize, seed: u64) -> Self {
        assert!((1..=keys).contains(&clients), "{clients} clients for {keys} keys");
        let skew = workload.mix().map(|mix_of| {
            let scrambled = Scrambled::new(keys, mix(seed));
            (mix_of, scrambled, scrambled.latest())
        });
        let (values, shuffle) = (Values::new(seed, value_bytes), Permutation::new(keys, seed));
        Self { workload, keys, clients, values, seed, shuffle, skew }
    }

    /// The plan that writes every key once, for a workload that wants them there.
    #[must_use]
    pub fn preload(&self) -> Self {
        Self { workload: Workload::FillRandomDistinct, skew: None, ..*self }
    }

    /// The plan of the writer beside the clients: it alone writes.
    #[must_use]
    pub fn writer(&self) -> Self {
        Self { workload: Workload::Overwrite, clients: 1, skew: None, ..*self }
    }

    /// The plan that overwrites random keys, to bring a store into the state that it keeps under writes.
    #[must_use]
    pub fn steady(&self) -> Self {
        Self { workload: Workload::Overwrite, skew: None, seed: mix(self.seed ^ mix(!0)), ..*self }
    }

    /// The plan with other choices that do not matter afterwards, of keys that are there: to warm up.
    #[must_use]
    pub fn warm_up(&self) -> Self {
        Self { workload: Workload::ReadRandom, skew: None, seed: mix(!self.seed), ..*self }
    }

    /// The same plan and values, with other choices: for repetitions. Those of round 0 are the plan's.
    #[must_use]
    pub fn round(&self, round: u64) -> Self {
        let seed = if round == 0 { self.seed } else { mix(self.seed ^ mix(round)) };
        Self { seed, ..*self }
    }

    /// How many of so many operations a client does.
    pub fn share(&self, client: u64, ops: u64) -> u64 {
        ops.saturating_add(self.clients - 1 - client) / self.clients
    }

    /// The operations of a client. Those that fill in order or shuffled end with the keys; the others are endless.
    pub fn ops(&self, client: u64, inserts: &Arc<Inserts>) -> Ops {
        let rng = SmallRng::seed_from_u64(mix(self.seed ^ mix(client + 1)));
        Ops { plan: *self, client, done: 0, inserted: 0, rng, inserts: Arc::clone(inserts) }
    }

    /// The `nth` new key of a client.
    fn new_key(&self, client: u64, nth: u64) -> u64 {
        self.keys + nth * self.clients + client
    }

    /// Whether every key below this one is there while the clients run.
    pub fn contiguous_below(&self) -> u64 {
        self.keys
    }
}

/// How many new keys each client has inserted, acknowledged by the store.
#[derive(Debug)]
pub struct Inserts(Box<[Padded]>);

/// Each on cache lines of its own: two, as processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded(AtomicU64);

impl Inserts {
    /// None yet.
    pub fn new(clients: u64) -> Arc<Self> {
        Arc::new(Self((0..clients).map(|_| Padded::default()).collect()))
    }

    /// The store has acknowledged one more new key of a client.
    pub fn acknowledged(&self, client: u64) {
        self.0[client as usize].0.fetch_add(1, Ordering::Release);
    }

    fn of(&self, client: u64) -> u64 {
        self.0[client as usize].0.load(Ordering::Acquire)
    }
}

/// The sequence of a client's operations.
pub struct Ops {
    plan: Plan,
    client: u64,
    done: u64,
    inserted: u64,
    rng: SmallRng,
    inserts: Arc<Inserts>,
}

impl Iterator for Ops {
    type Item = Op;

    #[inline]
    fn next(&mut self) -> Option<Op> {
        let keys = self.plan.keys;
        let op = match self.plan.workload {
            Workload::FillSeq => Op::Put { index: self.own_position()?, stamp: 0 },
            Workload::FillRandomDistinct => {
                Op::Put { index: self.plan.shuffle.at(self.own_position()?), stamp: 0 }
            }
            Workload::FillRandom | Workload::FillSync | Workload::Overwrite => {
                Op::Put { index: self.own_key(), stamp: self.done + 1 }
            }
            Workload::DeleteRandom => Op::Delete(self.own_key()),
            Workload::ReadRandom | Workload::ReadWhileWriting => Op::Get(self.uniform(keys)),
            Workload::ReadMissing => Op::GetMissing(self.uniform(keys)),
            Workload::ReadHot => Op::Get(self.uniform(keys.div_ceil(100))),
            Workload::SeekRandom => self.scan(11),
            Workload::Scan100 => self.scan(100),
            Workload::ReadSeq => Op::Scan { from: 0, limit: keys, direction: Direction::Forward },
            Workload::ReadReverse => Op::Scan { from: keys - 1, limit: keys, direction: Direction::Back },
            Workload::YcsbA
            | Workload::YcsbB
            | Workload::YcsbC
            | Workload::YcsbD
            | Workload::YcsbE
            | Workload::YcsbF
            | Workload::Mix8020 => self.mixed()?,
        };
        self.done += 1;
        Some(op)
    }
}

impl Ops {
    #[inline]
    fn uniform(&mut self, below: u64) -> u64 {
        self.rng.random_range(0..below)
    }

    /// The next of the positions that are this client's.
    fn own_position(&self) -> Option<u64> {
        let position = self.done * self.plan.clients + self.client;
        (position < self.plan.keys).then_some(position)
    }

    /// A key that no other client writes.
    fn own_key(&mut self) -> u64 {
        let own = self.plan.share(self.client, self.plan.keys);
        self.uniform(own) * self.plan.clients + self.client
    }

    fn scan(&mut self, limit: u64) -> Op {
        Op::Scan { from: self.uniform(self.plan.keys), limit, direction: Direction::Forward }
    }

    fn mixed(&mut self) -> Option<Op> {
        let (mix, skew, latest) = self.plan.skew.as_ref()?;
        let is_read = self.rng.random_range(0..100) < mix.reads_of_100;
        let stamp = ((self.client + 1) << 40) | (self.done + 1);
        Some(match (self.plan.workload, is_read, mix.other) {
            (Workload::YcsbD, true, _) => {
                let latest = *latest;
                Op::Get(self.latest(&latest))
            }
            (Workload::YcsbE, true, _) => {
                let limit = self.rng.random_range(1..=SCAN_MAX);
                Op::Scan { from: skew.sample(&mut self.rng), limit, direction: Direction::Forward }
            }
            (_, true, _) => Op::Get(skew.sample(&mut self.rng)),
            (_, false, Other::Update) => Op::Put { index: skew.sample(&mut self.rng), stamp },
            (_, false, Other::ReadUpdate) => Op::Update { index: skew.sample(&mut self.rng), stamp },
            (_, false, Other::Insert) => {
                self.inserted += 1;
                Op::Insert(self.plan.new_key(self.client, self.inserted - 1))
            }
        })
    }

    /// A key that was inserted lately, by any client. As all insert alike, the newest are about those that are as old as
    /// this client's newest; one that another client has not got to yet is replaced by this client's own beside it.
    fn latest(&mut self, latest: &Latest) -> u64 {
        let Plan { keys, clients, .. } = self.plan;
        let index = latest.sample(keys + self.inserted * clients - 1, &mut self.rng);
        let Some(beyond) = index.checked_sub(keys) else { return index };
        let (owner, nth) = (beyond % clients, beyond / clients);
        if nth < self.inserts.of(owner) { index } else { self.plan.new_key(self.client, nth) }
    }
}

#[cfg(test)]
mod tests;
