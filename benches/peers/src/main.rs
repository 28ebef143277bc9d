//! `slice-bench` with rivals: the same driver, the same command line, more stores to choose from.
//!
//! `cargo xtask bench --compare` builds and runs it; README.md says what is alike for all stores, and what cannot be.

mod fjall;
mod idle;
mod redb;
mod rocksdb;
mod surrealkv;

use std::future::ready;
use std::path::PathBuf;

use slice_benches::contender::{Contender, Named, ours};
use slice_benches::knobs::Knobs;

use fjall::Fjall;
use redb::Redb;
use rocksdb::RocksDb;
use surrealkv::SurrealKv;

fn main() -> anyhow::Result<()> {
    slice_benches::cli::main(&[ours(), peers()].into_iter().flatten().collect::<Vec<_>>())
}

/// The rivals. Versions are those of Cargo.lock.
fn peers() -> Vec<Box<dyn Contender>> {
    let tuned = |dir: PathBuf, knobs: Knobs| ready(RocksDb::open_tuned(&dir, &knobs));
    let defaults = |dir: PathBuf, knobs: Knobs| ready(RocksDb::open_with_defaults(&dir, &knobs));
    let fjall = |dir: PathBuf, knobs: Knobs| ready(Fjall::open(&dir, &knobs));
    let redb = |dir: PathBuf, knobs: Knobs| ready(Redb::open(&dir, &knobs));
    let surrealkv = |dir: PathBuf, knobs: Knobs| async move { SurrealKv::open(&dir, &knobs).await };
    vec![
        Box::new(Named::<RocksDb, _>::new("rocksdb", "RocksDB (tuned)", "11.8.1", tuned)),
        Box::new(Named::<RocksDb, _>::new("rocksdb-defaults", "RocksDB (defaults)", "11.8.1", defaults)),
        Box::new(Named::<Fjall, _>::new("fjall", "fjall", "3.1.13", fjall)),
        Box::new(Named::<Redb, _>::new("redb", "redb", "4.4.0", redb)),
        Box::new(Named::<SurrealKv, _>::new("surrealkv", "SurrealKV", "1.2.0", surrealkv)),
    ]
}
