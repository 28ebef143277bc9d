//! Workloads: which operations a client does, one after the other.
//!
//! A workload, a seed, and the number of a client among so many give one sequence of operations, always the same.
//! Where a workload decides which write of a key is the last, clients share no key: client `c` of `n` has the keys
//! whose index is `c` modulo `n`.

use clap::ValueEnum;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::distributions::{Permutation, Scrambled};
use crate::keys::{Values, mix};

/// What is done to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Writes every key once, in order.
    #[value(name = "fillseq")]
    FillSeq,
    /// Writes random keys; of as many keys as writes, some are written more than once, and 37 % never.
    #[value(name = "fillrandom")]
    FillRandom,
    /// Writes every key once, shuffled.
    #[value(name = "fillrandom-distinct")]
    FillRandomDistinct,
    /// Writes random keys that are there.
    #[value(name = "overwrite")]
    Overwrite,
    /// Reads random keys that are there.
    #[value(name = "readrandom")]
    ReadRandom,
    /// Reads keys that are not there, between those that are.
    #[value(name = "readmissing")]
    ReadMissing,
    /// Reads random keys of the first hundredth.
    #[value(name = "readhot")]
    ReadHot,
    /// YCSB A: half reads, half updates, Zipfian.
    #[value(name = "ycsb-a")]
    YcsbA,
    /// YCSB B: 95 % reads, 5 % updates, Zipfian.
    #[value(name = "ycsb-b")]
    YcsbB,
    /// YCSB C: reads, Zipfian.
    #[value(name = "ycsb-c")]
    YcsbC,
    /// 80 % reads, 20 % updates, Zipfian; made for values of 800 bytes.
    #[value(name = "mix-80-20")]
    Mix8020,
}

impl Workload {
    /// Whether it starts with an empty store.
    pub fn fills(self) -> bool {
        matches!(self, Self::FillSeq | Self::FillRandom | Self::FillRandomDistinct)
    }

    /// Whether, afterwards, it is known which write of a key was the last.
    pub fn is_decided(self) -> bool {
        self.reads_of_100().is_none_or(|reads| reads == 100)
    }

    /// Of a mix of Zipfian reads and updates, how many of a hundred are reads.
    fn reads_of_100(self) -> Option<u32> {
        match self {
            Self::YcsbA => Some(50),
            Self::YcsbB => Some(95),
            Self::YcsbC => Some(100),
            Self::Mix8020 => Some(80),
            _ => None,
        }
    }
}

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
    /// Read it; it must be there.
    Get(u64),
    /// Read the key right behind it; it must not be there.
    GetMissing(u64),
}

/// A workload with all its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What is done.
    pub workload: Workload,
    /// How many keys there are.
    pub keys: u64,
    /// How many tasks do it side by side.
    pub clients: u64,
    /// The values of all keys.
    pub values: Values,
    seed: u64,
    shuffle: Permutation,
    skew: Option<Scrambled>,
}

impl Plan {
    /// A plan; with the same seed always the same.
    ///
    /// # Panics
    ///
    /// Panics unless there is a client, and a key for each client.
    pub fn new(workload: Workload, keys: u64, clients: u64, value_bytes: usize, seed: u64) -> Self {
        assert!((1..=keys).contains(&clients), "{clients} clients for {keys} keys");
        Self {
            workload,
            keys,
            clients,
            values: Values::new(seed, value_bytes),
            seed,
            shuffle: Permutation::new(keys, seed),
            skew: workload.reads_of_100().map(|_| Scrambled::new(keys, mix(seed))),
        }
    }

    /// The plan that writes every key once, for a workload that wants them there.
    #[must_use]
    pub fn preload(&self) -> Self {
        Self { workload: Workload::FillRandomDistinct, skew: None, ..*self }
    }

    /// The same plan and values, with other choices: for repetitions.
    #[must_use]
    pub fn round(&self, round: u64) -> Self {
        Self { seed: mix(self.seed ^ mix(round)), ..*self }
    }

    /// How many of so many operations a client does.
    pub fn share(&self, client: u64, ops: u64) -> u64 {
        (ops + self.clients - 1 - client) / self.clients
    }

    /// The operations of a client. Those that fill in order or shuffled end with the keys; the others are endless.
    pub fn ops(&self, client: u64) -> Ops {
        let seed = mix(self.seed ^ mix(client + 1));
        Ops { plan: *self, client, done: 0, rng: SmallRng::seed_from_u64(seed) }
    }
}

/// The sequence of a client's operations.
pub struct Ops {
    plan: Plan,
    client: u64,
    done: u64,
    rng: SmallRng,
}

impl Iterator for Ops {
    type Item = Op;

    fn next(&mut self) -> Option<Op> {
        let op = match self.plan.workload {
            Workload::FillSeq => Op::Put { index: self.own_position()?, stamp: 0 },
            Workload::FillRandomDistinct => {
                Op::Put { index: self.plan.shuffle.at(self.own_position()?), stamp: 0 }
            }
            Workload::FillRandom | Workload::Overwrite => self.put_own(),
            Workload::ReadRandom => Op::Get(self.uniform(self.plan.keys)),
            Workload::ReadMissing => Op::GetMissing(self.uniform(self.plan.keys)),
            Workload::ReadHot => Op::Get(self.uniform(self.plan.keys.div_ceil(100))),
            Workload::YcsbA | Workload::YcsbB | Workload::YcsbC | Workload::Mix8020 => self.skewed()?,
        };
        self.done += 1;
        Some(op)
    }
}

impl Ops {
    fn uniform(&mut self, below: u64) -> u64 {
        self.rng.random_range(0..below)
    }

    /// The next of the positions that are this client's.
    fn own_position(&self) -> Option<u64> {
        let position = self.done * self.plan.clients + self.client;
        (position < self.plan.keys).then_some(position)
    }

    /// A write of a key that no other client writes.
    fn put_own(&mut self) -> Op {
        let own = self.plan.share(self.client, self.plan.keys);
        let index = self.uniform(own) * self.plan.clients + self.client;
        Op::Put { index, stamp: self.done + 1 }
    }

    fn skewed(&mut self) -> Option<Op> {
        let reads = self.plan.workload.reads_of_100()?;
        let index = self.plan.skew?.sample(&mut self.rng);
        let is_read = self.rng.random_range(0..100) < reads;
        let stamp = ((self.client + 1) << 40) | (self.done + 1);
        Some(if is_read { Op::Get(index) } else { Op::Put { index, stamp } })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn plan(workload: Workload) -> Plan {
        Plan::new(workload, 1003, 4, 100, 5)
    }

    fn puts(plan: &Plan, client: u64, ops: usize) -> Vec<u64> {
        let index = |op| if let Op::Put { index, .. } = op { index } else { panic!("{op:?} in a fill") };
        plan.ops(client).take(ops).map(index).collect()
    }

    #[test]
    fn distinct_fills_write_every_key_once() {
        for workload in [Workload::FillSeq, Workload::FillRandomDistinct] {
            let plan = plan(workload);
            let all: Vec<u64> = (0..4).flat_map(|client| puts(&plan, client, 2000)).collect();
            assert_eq!(all.len(), 1003);
            assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), (0..1003).collect());
        }
    }

    #[test]
    fn random_fills_give_each_client_keys_of_its_own() {
        let plan = plan(Workload::FillRandom);
        for client in 0..4 {
            let written = puts(&plan, client, 2000);
            assert!(written.iter().all(|index| index % 4 == client && *index < 1003));
            assert!(written.iter().collect::<BTreeSet<_>>().len() > 240, "nearly all of its 251 keys");
        }
    }

    #[test]
    fn shares_add_up() {
        let plan = plan(Workload::ReadRandom);
        for ops in [0, 1, 3, 4, 5, 1001] {
            assert_eq!((0..4).map(|client| plan.share(client, ops)).sum::<u64>(), ops);
        }
    }

    #[test]
    fn mixes_have_their_share_of_reads() {
        for (workload, share) in [(Workload::YcsbA, 0.5), (Workload::YcsbB, 0.95), (Workload::YcsbC, 1.0)] {
            let ops = plan(workload).ops(0).take(20_000);
            let reads = ops.filter(|op| matches!(op, Op::Get(_))).count();
            assert!((reads as f64 / 20_000.0 - share).abs() < 0.015, "{workload:?}: {reads} reads");
        }
    }

    #[test]
    fn a_plan_repeats_itself_and_its_rounds_differ() {
        let plan = plan(Workload::YcsbA);
        let ops = |plan: Plan| plan.ops(1).take(100).collect::<Vec<_>>();
        assert_eq!(ops(plan), ops(plan));
        assert_ne!(ops(plan), ops(plan.round(1)));
    }
}
