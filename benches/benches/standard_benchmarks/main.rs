//! The standard workloads, through the async face: `cargo bench --bench standard_benchmarks`.
//!
//! A filter chooses among them: `YCSB`, `DBBench`, `Industry`, `Sequential writes`, `Concurrent writers`, `Reads`, `Mixed`,
//! `Caching`, `LRU eviction`, `Negative lookups`, `Seed`.
//! One iteration is a round of some thousand operations; the throughput that is printed is in operations. All that is
//! read is checked: a wrong answer ends the benchmark with a panic.

mod categories;
mod dbbench;
mod industry;
mod rounds;
mod seed;
mod store;
mod ycsb;

use std::time::Duration;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for benchmarks in [ycsb::all, dbbench::all, industry::all, categories::all, seed::all] {
        benchmarks(&mut criterion);
    }
    criterion.final_summary();
}
