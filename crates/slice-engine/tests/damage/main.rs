//! Damage to every kind of file of a whole store: every bit flipped, every length cut, and more.
//!
//! For each case the store is verified, repaired, opened and read. What comes back is the right value, a `Corruption`
//! that names the file, or the documented loss of the tail (`docs/DURABILITY.md`); never a panic, a wrong value or a
//! hang. What a look at the files says has to agree with what comes of opening them.

#![expect(
    clippy::disallowed_methods,
    reason = "cases run on threads of their own, so that one that hangs is noticed"
)]

mod base;
mod bites;
mod cases;
mod check;
mod repair;
mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slice::vfs::LogKind;

use base::Base;
use cases::{Case, all, swaps};
use check::{Outcome, Tail, check};

/// No case takes a thousandth of this, on any machine.
const CASE_TIME_MAX: Duration = Duration::from_secs(60);

/// Runs the cases, two at a time, each within its time; prints how many there were and what came of them.
fn run(name: &str, base: Base, cases: Vec<Case>, tail: Tail) -> usize {
    let (base, cases) = (Arc::new(base), Arc::new(cases));
    let next = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = channel();
    let current = Arc::new(Mutex::new(BTreeMap::new()));
    for worker in 0..2 {
        let (base, cases, next) = (Arc::clone(&base), Arc::clone(&cases), Arc::clone(&next));
        let (sender, current) = (sender.clone(), Arc::clone(&current));
        std::thread::spawn(move || {
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                current.lock().unwrap_or_else(PoisonError::into_inner).insert(worker, case.to_string());
                if sender.send(check(&base, case, tail)).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut counts = Counts::default();
    loop {
        match receiver.recv_timeout(CASE_TIME_MAX) {
            Ok(outcome) => counts.add(outcome),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("a case hangs, one of {current:?}"),
        }
    }
    counts.conclude(name, cases.len())
}

#[derive(Default)]
struct Counts {
    exact: usize,
    refused: usize,
    tail_lost: usize,
    problems: Vec<String>,
}

impl Counts {
    fn add(&mut self, outcome: Result<Outcome, String>) {
        match outcome {
            Ok(Outcome::Exact) => self.exact += 1,
            Ok(Outcome::Refused) => self.refused += 1,
            Ok(Outcome::TailLost(_)) => self.tail_lost += 1,
            Err(problem) => self.problems.push(problem),
        }
    }

    fn conclude(self, name: &str, expected: usize) -> usize {
        let Self { exact, refused, tail_lost, problems } = self;
        let shown: Vec<_> = problems.iter().take(8).cloned().collect();
        assert!(
            problems.is_empty(),
            "{} of {expected} cases of {name}:\n{}",
            problems.len(),
            shown.join("\n")
        );
        let cases = exact + refused + tail_lost;
        assert_eq!(cases, expected, "every case of {name} was tried");
        println!("{name}: {cases} damage cases: {exact} exact, {refused} refused, {tail_lost} lost the tail");
        cases
    }
}

fn all_of(base: &Base, files: &[PathBuf]) -> Vec<Case> {
    files.iter().flat_map(|file| all(base, file)).collect()
}

#[test]
fn a_damaged_data_file_never_gives_a_wrong_value() {
    let base = Base::new(LogKind::Plain);
    let cases = all_of(&base, &base.files(".db")[..2]);
    assert!(run(".db", base, cases, Tail::None) > 5000);
}

#[test]
fn a_damaged_index_never_gives_a_wrong_value() {
    let base = Base::new(LogKind::Plain);
    let cases = all_of(&base, &base.files(".idx")[..2]);
    assert!(run(".idx", base, cases, Tail::None) > 2000);
}

#[test]
fn a_damaged_filter_never_gives_a_wrong_value() {
    let base = Base::new(LogKind::Plain);
    let cases = all_of(&base, &base.files(".bloom"));
    assert!(run(".bloom", base, cases, Tail::None) > 1500);
}

#[test]
fn a_damaged_log_gives_a_prefix_of_the_history_or_is_refused() {
    let base = Base::new(LogKind::Plain);
    let cases = all(&base, &base.only(".log"));
    assert!(run("log", base, cases, Tail::OfTheLog) > 3000);
}

#[test]
fn a_damaged_log_with_space_behind_its_end_gives_a_prefix_of_the_history_or_is_refused() {
    let base = Base::new(LogKind::Preallocated { chunk: 512 });
    // Every byte of a log is damaged above; here its end is what is different.
    let cases = all(&base, &base.only(".log")).into_iter().step_by(3).collect();
    assert!(run("log with space", base, cases, Tail::OfTheLog) > 1500);
}

#[test]
fn a_damaged_manifest_is_refused_or_ends_early() {
    let base = Base::new(LogKind::Plain);
    let cases = all(&base, &base.manifest());
    assert!(run("manifest", base, cases, Tail::OfTheManifest) > 3500);
}

#[test]
fn a_damaged_current_leftover_or_lock_changes_nothing_or_is_refused() {
    let base = Base::new(LogKind::Plain);
    let mut cases = all_of(&base, &[base.only("CURRENT"), base.only("LOCK")]);
    // Nobody reads what is left over.
    cases.extend(all(&base, &base.only("CURRENT.tmp")).into_iter().step_by(16));
    assert!(run("CURRENT, LOCK, leftover", base, cases, Tail::None) > 500);
}

#[test]
fn tables_in_each_others_place_are_refused() {
    let base = Base::new(LogKind::Plain);
    let cases: Vec<_> = [".db", ".idx", ".bloom"].iter().flat_map(|end| swaps(&base.files(end))).collect();
    assert_eq!(run("swapped", base, cases, Tail::None), 9);
}
