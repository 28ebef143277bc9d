//! What a damaged store may answer: the right value, a `Corruption` that names the file, or the loss of the tail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use slice::blocking::LSMTree;
use slice::vfs::{Fs, MemFs, read_all};
use slice::{Error, ErrorKind, FindingKind, Origin, Report};

use crate::base::{Base, Contents, DIR, at, builder};
use crate::cases::Case;

/// What may be lost without a word of complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing.
    None,
    /// Commits at the end of the log.
    OfTheLog,
    /// Commits at the end of the history, those in tables included: the manifest lost whole edits at its end.
    OfTheManifest,
}

/// What an answer was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Exact,
    /// Opening or reading was refused.
    Refused,
    /// The store is as it was so many commits ago.
    TailLost(usize),
}

/// Opens, reads, verifies and repairs a damaged store; says what came of opening and reading.
pub(crate) fn check(base: &Base, case: &Case, tail: Tail) -> Result<Outcome, String> {
    let image = case.image(base);
    let checked = catch_unwind(AssertUnwindSafe(|| {
        let report = verify(&image)?;
        if case.is_repaired() {
            repair(base, case, &image, &report, tail)?;
        }
        let outcome = read(base, &image, tail)?;
        agree(case, &report, &outcome)?;
        finds(case, &report)?;
        Ok(outcome)
    }));
    let checked = checked.unwrap_or_else(|_| Err("a panic".to_owned()));
    checked.map_err(|problem: String| format!("{case}: {problem}"))
}

/// The report, or what stands for it when the store is of a newer format.
fn verify(image: &MemFs) -> Result<Report, String> {
    let before = all_bytes(image);
    let report = builder(image).verify().map_err(|error| format!("verify: {error}"))?;
    if all_bytes(image) != before {
        return Err("verify changed the directory".to_owned());
    }
    Ok(report)
}

fn all_bytes(image: &MemFs) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(DIR);
    let names = image.list_dir(dir).unwrap();
    names.into_iter().map(|name| (name.clone(), read_all(image, &dir.join(name)).unwrap())).collect()
}

/// Any damage to a table is found, also where nobody reads; any to a manifest may look like a torn tail.
pub(crate) fn finds(case: &Case, report: &Report) -> Result<(), String> {
    let kind = case.file.to_string_lossy();
    let is_of_table = [".db", ".idx", ".bloom"].iter().any(|end| kind.ends_with(end));
    let mut faults = report.faults().filter(|fault| fault.file.starts_with(DIR));
    if is_of_table && !faults.any(|fault| fault.file.with_extension("") == case.file.with_extension("")) {
        return Err(format!("verify says:\n{report}"));
    }
    Ok(())
}

/// A look that finds nothing must be right, and one that finds a fault too.
pub(crate) fn agree(case: &Case, report: &Report, outcome: &Outcome) -> Result<(), String> {
    let is_torn = report.findings.iter().any(|finding| finding.kind == FindingKind::TornTail);
    match outcome {
        Outcome::Refused if report.is_clean() => Err(format!("refused, and verify says:\n{report}")),
        Outcome::TailLost(_) if report.is_clean() && !is_torn && !case.is_cut() => {
            Err(format!("the tail is lost, and verify says:\n{report}"))
        }
        _ => Ok(()),
    }
}

/// What the damaged store itself answers.
fn read(base: &Base, image: &MemFs, tail: Tail) -> Result<Outcome, String> {
    let lsm = match builder(image).open_blocking() {
        Ok(lsm) => lsm,
        Err(error) => return refusal(&error).map(|()| Outcome::Refused),
    };
    let mut refused = false;
    let mut found = Contents::new();
    for key in Base::keys() {
        match lsm.get(&key) {
            Ok(Some(value)) => drop(found.insert(key, value)),
            Ok(None) => {}
            Err(error) => {
                refusal(&error)?;
                refused = true;
            }
        }
    }
    if refused { answers_beside_refusals(base, &lsm) } else { judge(base, &found, tail) }
}

/// A refusal is a `Corruption` that names the file, or says that the format is newer.
fn refusal(error: &Error) -> Result<(), String> {
    let is_expected = matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Unsupported);
    let names_a_file = error.file().is_some_and(|file| file.starts_with(DIR));
    if is_expected && names_a_file { Ok(()) } else { Err(format!("an error of another kind: {error}")) }
}

/// Where one key is refused, all others have their right values.
fn answers_beside_refusals(base: &Base, lsm: &LSMTree) -> Result<Outcome, String> {
    for key in Base::keys() {
        let Ok(value) = lsm.get(&key) else { continue };
        if value.as_ref() != base.contents().get(&key) {
            return Err(format!("{} has the wrong value {value:?}", key.escape_ascii()));
        }
    }
    Ok(Outcome::Refused)
}

fn judge(base: &Base, found: &Contents, tail: Tail) -> Result<Outcome, String> {
    let last = base.history.len() - 1;
    if found == base.contents() {
        return Ok(Outcome::Exact);
    }
    let first = match tail {
        Tail::None => last,
        Tail::OfTheLog => base.flushed,
        Tail::OfTheManifest => 0,
    };
    match (first..=last).rev().find(|n| base.history[*n] == *found) {
        Some(commit) => Ok(Outcome::TailLost(last - commit)),
        None => Err(format!("no state that the store was in: {found:?}")),
    }
}

const FRESH: &str = "/fresh";

/// Repairs into a fresh directory and judges what is there.
fn repair(base: &Base, case: &Case, image: &MemFs, verified: &Report, tail: Tail) -> Result<(), String> {
    let before = all_bytes(image);
    let report = match at(image, FRESH).repair_from(DIR) {
        Ok(report) => report,
        Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
        Err(error) => return Err(format!("repair: {error}")),
    };
    if all_bytes(image) != before {
        return Err("repair changed the damaged directory".to_owned());
    }
    let clean = at(image, FRESH).verify().map_err(|error| format!("verify of the repaired: {error}"))?;
    if !clean.is_clean() {
        return Err(format!("the repaired store has faults:\n{clean}"));
    }
    if report.is_complete()
        && verified.faults().any(|fault| fault.kind != FindingKind::Missing && !is_spare_part(fault))
    {
        return Err(format!("nothing is lost, and verify says:\n{verified}\n{report}"));
    }
    let lsm = at(image, FRESH).open_blocking().map_err(|error| format!("open the repaired: {error}"))?;
    for key in Base::keys() {
        let value = lsm.get(&key).map_err(|error| format!("read the repaired: {error}"))?;
        let is_shorter = tail == Tail::OfTheLog && case.is_cut();
        let is_noted =
            report.origin != Origin::Manifest || report.lost.iter().any(|lost| lost.concerns(&key));
        let concerned = is_shorter || is_noted;
        if !may_have(base, &key, value.as_ref(), concerned, tail) {
            return Err(format!("repaired, {} has {value:?}\n{report}", key.escape_ascii()));
        }
    }
    Ok(())
}

/// A filter, an index, `CURRENT` and the header of a data file can be damaged without a loss.
fn is_spare_part(fault: &slice::Finding) -> bool {
    let name = fault.file.to_string_lossy();
    name.ends_with(".bloom") || name.ends_with(".idx") || name.ends_with("CURRENT") || name.ends_with(".db")
}

/// Whether a repaired store may have this value of a key: the right one; one that it once had, if it is concerned by a
/// loss.
fn may_have(base: &Base, key: &[u8], value: Option<&Vec<u8>>, concerned: bool, tail: Tail) -> bool {
    let first = if tail == Tail::OfTheLog { base.flushed } else { 0 };
    let mut once = base.history[first..].iter().map(|contents| contents.get(key));
    base.contents().get(key) == value || (concerned && once.any(|held| held == value))
}
