//! What can be set alike for all stores.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// How a store is opened. What is not here is as the store, or the adapter of the store, has it by default.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
pub struct Knobs {
    /// When a write is acknowledged: buffered, fsync, or interval-MS.
    #[arg(long, default_value = "buffered")]
    pub durability: Durability,
    /// The memtable, in MiB.
    #[arg(long = "memtable", visible_alias = "memtable-mib", default_value_t = 64)]
    pub memtable_mib: usize,
    /// The block cache, in MiB.
    #[arg(long = "cache", visible_alias = "block-cache-mib", default_value_t = 256)]
    pub cache_mib: usize,
    /// The row cache, in rows, of stores that have one.
    #[arg(long, default_value_t = 1000)]
    pub row_cache_entries: usize,
    /// Bits of filter for each key.
    #[arg(long, default_value_t = 10.0)]
    pub bloom_bits: f64,
    /// How blocks are compressed.
    #[arg(long, value_enum, default_value_t = Codec::Lz4)]
    pub codec: Codec,
    /// Compactions, or threads for flushes and compactions, at once.
    #[arg(long, default_value_t = 2)]
    pub background_threads: usize,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            durability: Durability::Buffered,
            memtable_mib: 64,
            cache_mib: 256,
            row_cache_entries: 1000,
            bloom_bits: 10.0,
            codec: Codec::Lz4,
            background_threads: 2,
        }
    }
}

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// Not at all.
    None,
    /// LZ4; in a store that has none, what is nearest to it.
    Lz4,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Lz4 => "lz4",
        })
    }
}

impl From<Codec> for slice::Compression {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::None => Self::None,
            Codec::Lz4 => Self::Lz4,
        }
    }
}

/// When a write is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Durability {
    /// Once the operating system has it.
    Buffered,
    /// The same, with an fsync in the background at intervals.
    Interval(Duration),
    /// Once it is on the disk.
    Fsync,
}

impl From<Durability> for slice::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Buffered => Self::Buffered,
            Durability::Interval(interval) => Self::Interval(interval),
            Durability::Fsync => Self::Fsync,
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buffered => f.write_str("buffered"),
            Self::Interval(interval) => write!(f, "interval-{}", interval.as_millis()),
            Self::Fsync => f.write_str("fsync"),
        }
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("interval-")) {
            ("buffered", _) => Ok(Self::Buffered),
            ("fsync", _) => Ok(Self::Fsync),
            (_, Some(millis)) => {
                let millis = millis.parse().map_err(|error| format!("{millis} milliseconds: {error}"))?;
                Ok(Self::Interval(Duration::from_millis(millis)))
            }
            _ => Err("it is buffered, fsync, or interval-MS".to_owned()),
        }
    }
}

impl From<Durability> for String {
    fn from(durability: Durability) -> Self {
        durability.to_string()
    }
}

impl TryFrom<String> for Durability {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durability_is_read_as_it_is_written() {
        for text in ["buffered", "fsync", "interval-250"] {
            assert_eq!(text.parse::<Durability>().unwrap().to_string(), text);
        }
        assert!("interval-x".parse::<Durability>().is_err() && "always".parse::<Durability>().is_err());
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_library() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            knobs: Knobs,
        }
        let line: Line = clap::Parser::parse_from(["line"]);
        assert_eq!(line.knobs, Knobs::default());
    }
}
