//! Tables, built in memory and read back: what they promise, and what damage does to them.

mod model;
mod support;
