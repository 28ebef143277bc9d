//! A crash at every operation of the disk: see `slice_crash::crashes`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use slice::planted::Bug;
use slice_crash::crashes::{Config, Lost, Report, run};

/// Runs the workloads of these seeds, two at a time.
fn run_all(seeds: std::ops::Range<u64>) -> Report {
    let (next, total) = (AtomicU64::new(seeds.start), Mutex::new(Report::default()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !seeds.contains(&seed) {
                        return;
                    }
                    let report =
                        run(&Config { seed, ..Config::default() }).unwrap_or_else(|lost| panic!("{lost}"));
                    total.lock().unwrap().add(report);
                }
            });
        }
    });
    total.into_inner().unwrap()
}

/// Each durability with each strategy, with and without threads. Many more are tried by `cargo xtask crash`, which is
/// built for release.
#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_durable() {
    let report = run_all(3..11);
    println!("{report}");
    assert!(report.points >= 10_000, "{report}");
    assert!(report.in_recoveries >= 1_000, "{report}");
}

/// The first crash of a store with this bug that loses something.
fn found(bug: Bug) -> Lost {
    let lost = (3..9).find_map(|seed| run(&Config { seed, bug: Some(bug), ..Config::default() }).err());
    *lost.unwrap_or_else(|| panic!("{bug:?} is not found"))
}

#[test]
fn an_acknowledgement_before_the_fsync_is_found_and_can_be_replayed() {
    let lost = found(Bug::AckBeforeSync);
    assert!(lost.failure.message.contains("commits were durable"), "{lost}");
    let only_op = Some(lost.failure.point.operation.index);
    let again = run(&Config { only_op, ..lost.config }).expect_err("the same seed, the same operation");
    assert_eq!(again.failure.message, lost.failure.message);
    assert!(lost.to_string().contains(&format!("cargo xtask crash --seed {}", lost.config.seed)), "{lost}");
}

#[test]
fn a_flush_of_one_keyspace_ahead_of_the_log_of_others_is_found() {
    let lost = found(Bug::FlushBeforeSharedLogs);
    assert!(lost.failure.message.contains("no prefix of the commits"), "{lost}");
}

#[test]
fn a_flush_that_forgets_deleted_ranges_is_found() {
    found(Bug::ForgetRangeTombstones);
}

#[test]
fn a_batch_that_is_split_is_found() {
    let lost = found(Bug::SplitBatch);
    assert!(lost.failure.message.contains("no prefix of the commits"), "{lost}");
}
