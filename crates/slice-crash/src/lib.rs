#![doc = include_str!("../README.md")]

pub mod fuzz;
pub mod linearizability;
#[cfg(target_os = "linux")]
pub mod real;
