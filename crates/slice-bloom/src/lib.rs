#![doc = include_str!("../README.md")]

mod builder;
mod error;
mod filter;
mod format;
mod probe;
mod theory;

pub use builder::FilterBuilder;
pub use error::Error;
pub use filter::BloomFilter;
pub use probe::hash_key;
pub use theory::{MAX_BITS_PER_KEY, MIN_BITS_PER_KEY, expected_false_positive_rate};

#[cfg(test)]
mod tests;
