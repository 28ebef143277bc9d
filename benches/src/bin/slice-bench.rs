//! The workload driver: one workload on one store, and its figures. `docs/BENCHMARK_RESULTS.md` says how to read them.

fn main() -> anyhow::Result<()> {
    slice_benches::cli::main(&slice_benches::contender::ours())
}
