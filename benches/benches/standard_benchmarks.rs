//! The standard workloads, to be filtered by `YCSB`, `DBBench`, `Industry`.

fn main() {}
