#![doc = include_str!("../README.md")]

pub mod crashes;
pub mod enumerate;
pub mod errors;
pub mod fuzz;
pub mod isolation;
pub mod linearizability;
mod random;
#[cfg(target_os = "linux")]
pub mod real;
mod small_store;

/// The store that is tested, and its file systems.
pub use slice;
