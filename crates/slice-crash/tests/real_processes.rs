//! Processes that are killed lose nothing, and the harness that says so would see it if they did.
//!
//! `cargo xtask crash --real` does the same at length.
#![cfg(target_os = "linux")]

use slice_crash::real::{Args, Part, run};

fn args(kills: u64, worker_extra: &[&str]) -> Args {
    Args {
        worker: env!("CARGO_BIN_EXE_slice-crash").into(),
        seed: 7,
        kills,
        calls: 16,
        worker_extra: worker_extra.iter().map(ToString::to_string).collect(),
        installs: false,
    }
}

/// What the harness says about workers with a bug.
fn objection(kills: u64, bug: &[&str]) -> String {
    let outcome = run(Part::Kills, &args(kills, bug));
    format!("{:#}", outcome.expect_err("the harness objects"))
}

#[test]
fn thirty_kills_lose_no_acknowledged_write() {
    run(Part::Kills, &args(30, &[])).unwrap();
}

#[test]
fn a_write_that_is_acknowledged_and_not_done_is_found() {
    let said = objection(60, &["--forget-every", "10"]);
    assert!(said.contains("is next and"), "{said}");
    assert!(said.contains("--only kills --seed 7"), "it can be replayed: {said}");
}

#[test]
fn a_batch_that_is_split_by_a_kill_is_found() {
    let said = objection(500, &["--plant", "split-batch"]);
    assert!(said.contains("may have happened"), "{said}");
}

#[test]
fn a_failed_sync_that_is_not_told_is_found() {
    match run(Part::Strace, &args(0, &["--plant", "forget-failed-sync"])) {
        // Without strace there is nothing to see.
        Ok(report) => assert!(report.starts_with("skipped"), "{report}"),
        Err(error) => {
            assert!(format!("{error:#}").contains("a failed sync of a log was not told"), "{error:#}");
        }
    }
}
