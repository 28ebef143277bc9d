//! Made-up results, for the tests of what is made of results.

use std::collections::BTreeMap;

use crate::results::{Latency, LatencyByKind, Machine, Results, Run};

/// A run of a workload by 4 clients that wrote as fast as it is told, and settled in 1.5 seconds.
pub(crate) fn run(engine: &str, column: &str, workload: &str, round: u64, ops_per_s: f64) -> Run {
    let micros = 1e6 / ops_per_s;
    let curve = vec![(0.0, micros / 2.0), (0.5, micros), (0.99, micros * 4.0), (1.0, micros * 4000.0)];
    let latency = Latency {
        count: 1_000_000,
        mean_us: micros,
        p50_us: micros * 0.9,
        p99_us: micros * 4.0,
        p99_9_us: micros * 30.0,
        max_us: micros * 4000.0,
        curve,
    };
    Run {
        engine: engine.to_owned(),
        column: column.to_owned(),
        version: "1.2.3".to_owned(),
        workload: workload.to_owned(),
        round,
        keys: 2_000_000,
        value_bytes: 100,
        clients: 4,
        ops: 2_000_000,
        wall_s: 2e6 / ops_per_s,
        ops_per_s,
        settle_s: Some(1.5),
        ops_per_s_settled: Some(ops_per_s * 0.8),
        writer_ops_per_s: None,
        latency: LatencyByKind { writes: Some(latency), ..LatencyByKind::default() },
        cpu_s: Some(12.5),
        peak_rss_bytes: Some(300_000_000),
        written_bytes: Some(900_000_000),
        disk_bytes: 180_000_000,
        live_raw_bytes: 232_000_000,
        put_raw_bytes: 232_000_000,
        write_amplification: Some(3.88),
        space_amplification: Some(0.776),
        stalls: Some([("memtables".to_owned(), 0.25)].into()),
        timeline_ms: 100,
        timeline: vec![50_000, 52_000, 0, 51_000, 7],
        verified_keys: None,
        load_before: "0.10 0.20 0.30".to_owned(),
        extra: BTreeMap::new(),
        details: serde_json::Value::Null,
    }
}

/// A sitting on a machine that does not exist.
pub(crate) fn sitting(runs: Vec<Run>) -> Results {
    Results {
        format: 1,
        machine: Machine { cpu: "A processor".to_owned(), cores: 2, ..Machine::default() },
        commit: "0123abcd".to_owned(),
        date: "2026-01-02T03:04:05Z".to_owned(),
        settings: serde_json::json!({ "durability": "buffered", "cache": 256 }),
        runs,
    }
}
