//! Tables, built in memory and read back: what they promise, and what damage does to them.

mod building;
mod damage;
mod golden;
mod model;
mod reading;
mod support;
