#![doc = include_str!("../README.md")]

pub mod errors;
pub mod fuzz;
pub mod linearizability;
#[cfg(target_os = "linux")]
pub mod real;
