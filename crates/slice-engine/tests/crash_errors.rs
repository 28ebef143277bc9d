//! An error of the disk at every operation of a workload: see `slice_crash::errors`.

use std::time::Duration;

use slice::Background;
use slice::planted::Bug;
use slice_crash::errors::{Config, Report, run};

fn passes(config: &Config) -> Report {
    run(config).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Each of the six kinds of stores with each of the four scripts of the workload.
#[test]
fn an_error_at_any_operation_loses_nothing_and_heals() {
    let report = passes(&Config { seeds: 0..26, stride: 2, ..Config::default() });
    println!("{report}");
    assert!(report.error_points > 20_000, "{report}");
}

#[test]
fn an_error_at_any_operation_of_a_thread_loses_nothing_and_heals_by_itself() {
    let report =
        passes(&Config { seeds: 0..24, background: Background::Threads, stride: 29, ..Config::default() });
    println!("{report}");
    assert!(report.error_points > 500, "{report}");
}

fn is_found(config: &Config) -> String {
    run(config).expect_err("a harness that finds no bug proves nothing").message
}

#[test]
fn a_failed_fsync_that_is_forgotten_is_found() {
    let message = is_found(&Config { bug: Some(Bug::ForgetFailedSync), ..Config::default() });
    assert!(message.contains("log"), "{message}");
}

#[test]
fn a_batch_that_is_split_is_found() {
    is_found(&Config { seeds: 0..6, bug: Some(Bug::SplitBatch), ..Config::default() });
}

#[test]
fn a_disk_that_swallows_errors_is_found() {
    is_found(&Config { lies: true, ..Config::default() });
}

#[test]
fn a_case_that_does_not_end_is_found_and_named() {
    let message = is_found(&Config { case_limit: Duration::ZERO, ..Config::default() });
    assert!(message.starts_with("no case has ended"), "{message}");
}
