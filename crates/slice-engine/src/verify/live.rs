//! The same look at a store that is open, while it is written to.
//!
//! What is looked at is one view of each keyspace: its tables keep their files for as long as it is held, and the logs
//! theirs for as long as no flush is done. Files that nothing refers to are not looked for: a job may be writing them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use slice_types::{LogNumber, Result};
use slice_vfs::{Fs, read_all};

use super::logs::note_log;
use super::report::{Finding, FindingKind, Report};
use super::tables::verify_table;
use crate::db::Core;
use crate::db::names::{CURRENT, log_path, manifest_name};
use crate::manifest::{Manifest, State};
use crate::signal::lock;

impl Core {
    /// Reads every file of the store past all caches.
    ///
    /// # Errors
    ///
    /// `Closed`. What is wrong with the files is in the report.
    pub(crate) fn verify(&self) -> Result<Report> {
        self.check_open()?;
        let mut report = Report::default();
        self.verify_manifest(&mut report);
        self.verify_logs(&mut report);
        let trees = self.trees.all();
        let versions: Vec<_> = trees.iter().map(|tree| Arc::clone(&tree.view().version)).collect();
        for version in versions {
            let range_tombstones = version.range_index();
            for table in version.levels().iter().flatten() {
                let meta = Some(&*table.meta);
                verify_table(&*self.fs, &self.dir, table.id(), meta, &range_tombstones, &mut report);
            }
        }
        // Closed meanwhile, the directory may be another's, and what was found be about its files.
        self.check_open()?;
        Ok(report)
    }

    fn verify_manifest(&self, report: &mut Report) {
        let manifest = lock(&self.manifest);
        if !manifest.is_settled() {
            // It failed to be written, which `health` says; the next job begins a new one.
            return;
        }
        let path = self.dir.join(manifest_name(manifest.number()));
        match Manifest::in_force(&*self.fs, &self.dir) {
            Ok(Some(number)) if number == manifest.number() => {}
            Ok(_) => {
                let message = format!("it does not name {}", path.display());
                report.add(Finding::new(FindingKind::Contradiction, self.dir.join(CURRENT), message));
            }
            Err(error) => report.add(Finding::of(&error, &path)),
        }
        match Manifest::read(&*self.fs, &self.dir, manifest.number()) {
            Ok(replayed) if replayed.state == *manifest.state() => {}
            Ok(replayed) => {
                let finding =
                    Finding::new(FindingKind::Damaged, path, "it does not say what was recorded in it");
                report.add(Finding { offset: replayed.torn_at, ..finding });
            }
            Err(error) => report.add(Finding::of(&error, &path)),
        }
    }

    fn verify_logs(&self, report: &mut Report) {
        // A flush gives logs up; until then their files stay as they are, but for what is appended, and for what is behind
        // their ends.
        let flushing = lock(&self.flushing);
        let state = lock(&self.manifest).state().clone();
        let limits = self.live_logs(&state).into_iter();
        let read = |(number, limit)| (number, limit, self.read_log(number, limit));
        let logs: Vec<_> = limits.map(read).collect();
        drop(flushing);
        for (number, limit, bytes) in logs {
            let path = log_path(&self.dir, number);
            match bytes {
                Ok(bytes) => note_log(&bytes, &path, number, limit, FindingKind::Damaged, report),
                Err(error) => report.add(Finding::of(&error, &path)),
            }
        }
    }

    /// The logs that hold what is in no table, with how many of their bytes count where that is known; the current one
    /// ends at this moment. They stay what they are for as long as `flushing` is held.
    pub(crate) fn live_logs(&self, state: &State) -> Vec<(LogNumber, Option<u64>)> {
        let end = self.commit.position();
        // Asked for behind the position: a log that was left in between is among them, and not counted twice.
        let old = self.logs.old().into_iter().filter(|(log, _)| *log < end.log);
        let old = old.map(|(log, written)| (log, written.or_else(|| state.log_ends.get(&log).copied())));
        let current = (!self.options.read_only).then_some((end.log, Some(end.offset)));
        old.chain(current).collect()
    }

    /// The bytes of a log that count, or all where that is not known.
    fn read_log(&self, number: LogNumber, limit: Option<u64>) -> Result<Vec<u8>> {
        let path = log_path(&self.dir, number);
        let read = match limit {
            Some(limit) => read_front(&*self.fs, &path, limit),
            None => read_all(&*self.fs, &path),
        };
        read.map_err(|error| crate::manifest::missing_or(error, "read a log").with_file(path))
    }
}

/// The first bytes of a file, or all if there are fewer.
fn read_front(fs: &dyn Fs, path: &Path, len: u64) -> io::Result<Vec<u8>> {
    let file = fs.open_random(path)?;
    let len = usize::try_from(file.len()?.min(len)).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
