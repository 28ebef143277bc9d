//! Keyspaces: trees of their own that share one directory and one log.

mod atomic;
mod logs;
mod memory;
mod misuse;
mod model;
mod options;
mod removal;
mod support;
mod upkeep;
