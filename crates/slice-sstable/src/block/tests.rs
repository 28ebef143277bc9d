//! Blocks by themselves.
