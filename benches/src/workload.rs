//! The workloads: what is done to a store, by name.

use clap::ValueEnum;

use crate::knobs::Durability;

/// What is done to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
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
    /// Writes random keys, each with an fsync of its own.
    #[value(name = "fillsync")]
    FillSync,
    /// Writes random keys that are there.
    #[value(name = "overwrite")]
    Overwrite,
    /// Removes random keys.
    #[value(name = "deleterandom")]
    DeleteRandom,
    /// Reads random keys that are there.
    #[value(name = "readrandom")]
    ReadRandom,
    /// Reads keys that are not there, between those that are.
    #[value(name = "readmissing")]
    ReadMissing,
    /// Reads random keys of the first hundredth.
    #[value(name = "readhot")]
    ReadHot,
    /// Reads random keys while one more client overwrites random keys as fast as it can. Reads are what is counted.
    #[value(name = "readwhilewriting")]
    ReadWhileWriting,
    /// Finds a random key, and reads it and the next 10.
    #[value(name = "seekrandom")]
    SeekRandom,
    /// Reads 100 keys from a random one on.
    #[value(name = "scan100")]
    Scan100,
    /// Reads all keys in order; each key counts.
    #[value(name = "readseq")]
    ReadSeq,
    /// Reads all keys backwards; each key counts.
    #[value(name = "readreverse")]
    ReadReverse,
    /// YCSB A: half reads, half updates, Zipfian.
    #[value(name = "ycsb-a")]
    YcsbA,
    /// YCSB B: 95 % reads, 5 % updates, Zipfian.
    #[value(name = "ycsb-b")]
    YcsbB,
    /// YCSB C: reads, Zipfian.
    #[value(name = "ycsb-c")]
    YcsbC,
    /// YCSB D: 95 % reads of what was written last, 5 % new keys.
    #[value(name = "ycsb-d")]
    YcsbD,
    /// YCSB E: 95 % scans of 1 to 100 keys from Zipfian ones on, 5 % new keys.
    #[value(name = "ycsb-e")]
    YcsbE,
    /// YCSB F: half reads, half reads followed by an update of the same key, Zipfian.
    #[value(name = "ycsb-f")]
    YcsbF,
    /// 80 % reads, 20 % updates, Zipfian; made for values of 800 bytes.
    #[value(name = "mix-80-20")]
    Mix8020,
}

impl Workload {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it starts with an empty store.
    pub fn fills(self) -> bool {
        matches!(self, Self::FillSeq | Self::FillRandom | Self::FillRandomDistinct | Self::FillSync)
    }

    /// Whether it writes every key once, so that how many operations it has is given.
    pub fn fills_once(self) -> bool {
        matches!(self, Self::FillSeq | Self::FillRandomDistinct)
    }

    /// Whether it leaves the store as it was.
    pub fn only_reads(self) -> bool {
        use Workload::{ReadHot, ReadMissing, ReadRandom, ReadReverse, ReadSeq, Scan100, SeekRandom, YcsbC};
        matches!(
            self,
            ReadRandom | ReadMissing | ReadHot | SeekRandom | Scan100 | ReadSeq | ReadReverse | YcsbC
        )
    }

    /// Whether each key of a scan counts as an operation.
    pub fn counts_keys(self) -> bool {
        matches!(self, Self::ReadSeq | Self::ReadReverse)
    }

    /// Whether one more client writes beside those that are counted.
    pub fn has_writer(self) -> bool {
        self == Self::ReadWhileWriting
    }

    /// The bytes of a value that it is made for, if it is made for others than most.
    pub fn value_bytes(self) -> Option<usize> {
        (self == Self::Mix8020).then_some(800)
    }

    /// When its writes are acknowledged, if that is what it is about.
    pub fn durability(self) -> Option<Durability> {
        (self == Self::FillSync).then_some(Durability::Fsync)
    }

    /// What a Zipfian mix consists of.
    pub(crate) fn mix(self) -> Option<Mix> {
        let (reads_of_100, other) = match self {
            Self::YcsbA => (50, Other::Update),
            Self::YcsbB => (95, Other::Update),
            Self::YcsbC => (100, Other::Update),
            Self::YcsbD | Self::YcsbE => (95, Other::Insert),
            Self::YcsbF => (50, Other::ReadUpdate),
            Self::Mix8020 => (80, Other::Update),
            _ => return None,
        };
        Some(Mix { reads_of_100, other })
    }
}

/// A mix of reads (in YCSB E, scans) and of something else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    /// How many of a hundred are reads.
    pub(crate) reads_of_100: u32,
    /// What the others are.
    pub(crate) other: Other,
}

/// What is no read in a mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    /// A write of a key that is there.
    Update,
    /// A read of a key, then a write of it.
    ReadUpdate,
    /// A write of a new key.
    Insert,
}
