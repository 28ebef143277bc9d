//! Logs: each by itself, and all as the history that they are together.

use std::path::Path;

use slice_types::{Error, LogNumber};
use slice_vfs::read_all;
use slice_wal::{LogEnd, RecoveredLog, RecoveryMode, replay};

use super::directory::Directory;
use super::report::{Finding, FindingKind, Report};
use crate::db::names::log_path;
use crate::manifest::State;
use crate::options::Options;
use crate::recovery;

/// Checks the logs of a database that is not open.
pub(super) fn verify_logs(directory: &Directory<'_>, report: &mut Report) {
    let Some((state, ..)) = &directory.state else {
        for number in directory.logs() {
            verify_log(directory, number, None, FindingKind::Damaged, report);
        }
        return;
    };
    // What an open would refuse is a fault; what it would cut off is what a crash leaves.
    let options = Options { recovery_mode: RecoveryMode::TolerateTornTail, ..Options::default() };
    let kind = match recovery::look_into_logs(directory.fs, &directory.path, state, &options) {
        Ok(recovered) => {
            note_missing(directory, state, recovered.log_ends.keys().copied(), report);
            FindingKind::TornTail
        }
        Err(error) => {
            report.add(Finding::of(&error, &directory.path));
            FindingKind::Damaged
        }
    };
    for number in directory.logs().into_iter().filter(|number| *number >= state.first_log()) {
        let decided = state.log_ends.get(&number).copied();
        if decided != Some(0) {
            verify_log(directory, number, decided, kind, report);
        }
    }
}

/// Logs that are not there and that open takes for ones that never became durable.
fn note_missing(
    directory: &Directory<'_>,
    state: &State,
    numbers: impl Iterator<Item = LogNumber>,
    report: &mut Report,
) {
    let there = directory.logs();
    for number in numbers.filter(|number| !there.contains(number) && !state.log_ends.contains_key(number)) {
        let message = "the log is not there: later ones do not count";
        report.add(Finding::new(FindingKind::TornTail, log_path(&directory.path, number), message));
    }
}

/// Checks one log up to where it was decided to end.
fn verify_log(
    directory: &Directory<'_>,
    number: LogNumber,
    limit: Option<u64>,
    kind: FindingKind,
    report: &mut Report,
) {
    let path = log_path(&directory.path, number);
    match read_all(directory.fs, &path) {
        Ok(bytes) => note_log(&bytes, &path, number, limit, kind, report),
        Err(error) => report.add(Finding::of(&Error::io("read a log", error), &path)),
    }
}

/// Notes each damaged place in the bytes of a log as a finding of this kind.
pub(super) fn note_log(
    bytes: &[u8],
    path: &Path,
    number: LogNumber,
    limit: Option<u64>,
    kind: FindingKind,
    report: &mut Report,
) {
    report.logs += 1;
    let mut sink = |_, _, _: slice_wal::Entries<'_>| Ok(());
    match replay(bytes, path, number, RecoveryMode::Salvage, limit, None, &mut sink) {
        Ok(log) => {
            report.batches += log.batches;
            for (offset, message) in damaged_places(&log) {
                report.add(Finding::new(kind, path, message).at(offset));
            }
        }
        Err(error) => report.add(Finding::of(&error, path)),
    }
}

/// Where a log that was salvaged is not whole, and why.
pub(crate) fn damaged_places(log: &RecoveredLog) -> Vec<(u64, String)> {
    let skipped =
        log.skipped.iter().map(|damage| (damage.at, format!("{}, {} bytes", damage.reason, damage.len)));
    let tail = match log.end {
        LogEnd::Clean => None,
        LogEnd::Torn { at, reason } => Some((at, format!("{reason}, to the end of the log"))),
    };
    skipped.chain(tail).collect()
}
